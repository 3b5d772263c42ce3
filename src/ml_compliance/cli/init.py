"""The command `init`: the files that a project starts with."""

from __future__ import annotations

import click

from ml_compliance.cli._shared import json_option

_CHOICES = {"github": ("github",), "gitlab": ("gitlab",), "both": ("github", "gitlab"), "none": ()}


@click.command()
@click.argument("folder", type=click.Path(), default=".")
@click.option("--platform", type=click.Choice(list(_CHOICES)),
              help="Whose workflow to write  [default: as remotes and files of the repository say]")  # fmt: skip
@json_option
def init(folder: str, platform: str | None, as_json: bool) -> None:
    """Write the files that a project starts with into FOLDER: facts, law, waivers and the workflow.

    Nothing that is there is overwritten.
    """
    from pathlib import Path

    from ml_compliance import starter, terminal

    started = starter.start(Path(folder), _CHOICES[platform] if platform else None)
    terminal.print_started(started, recognised=platform is None, as_json=as_json)
