"""The commands `post` and `doctor`: where a verdict is shown, and what would be possible here."""

from __future__ import annotations

import sys
from typing import Any

import click

from ml_compliance.cli._shared import common, json_option, policy_option, request


@click.command()
@common
@policy_option
@click.option("--name", default="ml-compliance", show_default=True, help="Tells several gates of one repository apart.")
@click.option("--comment/--no-comment", default=True, help="Comment on the pull or merge request.")
@click.option("--check/--no-check", default=True, help="Report a check or status on the commit.")
@click.option("--dry-run", is_flag=True, help="Send nothing; print the requests, and write them to requests.json.")
def post(name: str, comment: bool, check: bool, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Publish a decision that was made, on the CI platform that this runs on.

    Exit codes: 0 what is possible was published, 2 usage, 3 something failed that should have worked.
    """
    import os

    from ml_compliance import delivery, terminal
    from ml_compliance.platforms import Wish

    asked = request(**options)
    posted = delivery.post(asked, os.environ, Wish(name, comment, check, asked.out), dry_run=dry_run)
    terminal.print_posted(posted, asked.out, dry_run=dry_run, as_json=as_json)
    sys.exit(terminal.posted_exit_code(posted))


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Show which programs and engines are here, and what could be published from here.

    Exit codes: 0 something here can judge, 3 nothing can.
    """
    import os

    from ml_compliance import delivery, terminal

    found = delivery.examine(os.environ)
    rows = [
        {"what": item.name, "available": item.available, "about": item.reason, "remedy": item.remedy} for item in found
    ]
    terminal.print_rows(rows, as_json=as_json)
    sys.exit(terminal.doctor_exit_code(found))
