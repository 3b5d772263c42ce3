"""The commands of the group `policy`."""

from __future__ import annotations

from typing import Any

import click

from ml_compliance.cli._shared import common, policy_option, request


@click.group()
def policy() -> None:
    """Work on policies: what judges a model."""


@policy.command(name="digest")
@common
@policy_option
def digest(as_json: bool, **options: Any) -> None:
    """Print the digest of policy and law, to agree on before a model is judged: `gate --policy-digest`.

    A server that holds the same policy has the same digest, if it lets its policies be read.
    """
    from ml_compliance import terminal
    from ml_compliance.decide._agreed import digest_here

    asked = request(**options)
    found = digest_here(asked.rego, str(asked.law.document()["digest"]))
    if as_json:
        terminal.print_json({"rules_digest": found})
    else:
        click.echo(found)
