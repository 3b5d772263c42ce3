"""The commands about policies."""

from __future__ import annotations

import click


@click.group()
def policy() -> None:
    """Work on policies: what the rules read, ask for and refer to."""


@policy.command()
@click.argument("rule")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines instead of text.")
def explain(rule: str, as_json: bool) -> None:
    """Say what a RULE, or a type of the law, reads, asks for and refers to, and what to do about it."""
    from ml_compliance import rulebook, terminal

    found = rulebook.explain(rule)
    if as_json:
        terminal.print_json(found)
    else:
        click.echo(rulebook.text(found))
