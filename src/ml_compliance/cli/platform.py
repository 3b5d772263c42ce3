"""The commands `post`, `collect` and `doctor`: where a verdict is shown, and what would be possible here."""

from __future__ import annotations

import sys
from typing import Any

import click

from ml_compliance.cli._shared import (
    Command,
    channel_options,
    common,
    json_option,
    policy_option,
    publish_decision,
    request,
)


def _wish(command: Command) -> Command:
    """What is published, and under which name."""
    command = click.option("--dry-run", is_flag=True, help="Send nothing; print the requests, and write them to "
                           "requests.json.")(command)  # fmt: skip
    return click.option("--name", default="ml-compliance", show_default=True, help="Tells several gates of one "
                        "repository apart.")(channel_options(command))  # fmt: skip


@click.command()
@click.option("--part", "parts", multiple=True, required=True, metavar="NAME=FOLDER",
              help="A part that has to be there, and the output folder of its gate; once for each part.")  # fmt: skip
@click.option("--out", type=click.Path(), default="ml-compliance-out", show_default=True,
              help="Where to leave the reports of all parts.")  # fmt: skip
@_wish
def collect(parts: tuple[str, ...], out: str, name: str, comment: bool, check: bool, dry_run: bool) -> None:
    """Make one verdict of the results of several gates, and publish it once, where a CI platform runs this.

    Exit codes: 0 every part is there and allowed, 1 denied, 2 usage, 3 a part is missing or was not evaluated.
    """
    import os
    from pathlib import Path

    from ml_compliance import delivery, files, gate, terminal
    from ml_compliance.collect import collect, read_parts
    from ml_compliance.platforms import Wish

    folder = Path(out)
    found = read_parts(parts, folder)
    files.prepare(folder)
    report = collect(name, found, delivery.commits(os.environ))
    gate.publish(report, folder)
    if not dry_run:
        terminal.print_report(report)
    posted = delivery.deliver(report, folder, os.environ, Wish(name, comment, check, folder), dry_run=dry_run)
    terminal.print_posted(posted, folder, dry_run=dry_run, as_json=False)
    sys.exit(terminal.exit_code(report.decision))


@click.command()
@common
@policy_option
@_wish
def post(name: str, comment: bool, check: bool, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Publish a decision that was made, on the CI platform that this runs on.

    Exit codes: 0 what is possible was published, 2 usage, 3 something failed that should have worked.
    """
    publish_decision(request(**options), name, comment=comment, check=check, as_json=as_json, dry_run=dry_run)


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
