"""The commands that work on policies: `ml-compliance policy …`."""

from __future__ import annotations

import sys

import click


@click.group()
def policy() -> None:
    """Work on policies, before they judge."""


@policy.command()
@click.argument("path", required=False, type=click.Path())
@click.option("--submission", "submissions", multiple=True, type=click.Path(), metavar="FILE",
              help="What to try it on, allowed or denied; may be repeated  [default: an example]")  # fmt: skip
@click.option("--law", type=click.Path(), help="The law that the policy judges by  [default: an example]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines instead of text.")
def check(path: str | None, submissions: tuple[str, ...], law: str | None, as_json: bool) -> None:
    """Check that the policy PATH, a file or folder, fails closed: that no lack of evidence turns deny into allow.

    Without PATH the shipped policy is checked. Exit code 1 says that something opened.
    """
    from ml_compliance.authoring.terminal import run_check

    sys.exit(run_check(path, submissions, law, as_json=as_json))
