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


@policy.command()
@click.argument("folder", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines instead of text.")
def test(folder: str, as_json: bool) -> None:
    """Run the tests of the policies in FOLDER with `opa test`, and show which lines they leave out.

    Exit code 1 says that a test failed.
    """
    from ml_compliance.authoring.terminal import run_tests

    sys.exit(run_tests(folder, as_json=as_json))


@policy.command()
@click.argument("name")
@click.option("--dir", "folder", type=click.Path(), default="policies", show_default=True, help="Where to write it.")
def new(name: str, folder: str) -> None:
    """Write the rule NAME, documented and failing closed, with its test; nothing is overwritten."""
    from pathlib import Path

    from ml_compliance.authoring import scaffold

    for path in scaffold.new(name, Path(folder)):
        click.echo(str(path))
