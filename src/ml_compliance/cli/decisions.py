"""The commands of the group `decisions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ml_compliance.cli._shared import json_option, request


@click.group()
def decisions() -> None:
    """Look at the decisions that were recorded."""


def _place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where the records are, as the facts say or by name."""
    options = (
        click.option("--config", type=click.Path(), default="compliance.yaml", show_default=True,
                     help="The facts, whose `record:` says where the records are."),
        click.option("--out", type=click.Path(), default="ml-compliance-out", show_default=True,
                     help="The output folder, where they are by default."),
        click.option("--records", default="", help="Their folder or object store, instead of the config's."),
        json_option,
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _records(config: str, out: str, records: str) -> str:
    return records or request(config=config, out=out).records


@decisions.command(name="list")
@click.option("--model", default="", help="Of this model: its name, or name/version.")
@click.option("--since", default="", metavar="DAY", help="From this day or moment on, in UTC.")
@click.option("--until", default="", metavar="DAY", help="Up to this day or moment, in UTC.")
@click.option("--verdict", default="", type=click.Choice(["", "allowed", "denied", "not_evaluated"]),
              metavar="VERDICT", help="allowed, denied or not_evaluated.")  # fmt: skip
@click.option("--rule", default="", help="In which this rule was violated, waived or not.")
@_place
def listed(config: str, out: str, records: str, as_json: bool, **filters: str) -> None:
    """List decisions, the latest first."""
    from ml_compliance import terminal
    from ml_compliance.record import query

    answer = query.listed(_records(config, out, records), filters)
    terminal.print_rows(answer.found, as_json=as_json)
    answer.check()


@decisions.command()
@click.argument("start", metavar="ID")
@_place
def show(start: str, config: str, out: str, records: str, as_json: bool) -> None:
    """Print the record of the decision whose id begins with ID, as JSON."""
    from ml_compliance import terminal
    from ml_compliance.record import query

    answer = query.shown(_records(config, out, records), start)
    if answer.found:
        terminal.print_json(answer.found)
    answer.check()


@decisions.command()
@click.argument("sql")
@_place
def query(sql: str, config: str, out: str, records: str, as_json: bool) -> None:
    """Answer one SELECT over the table `decisions`, such as

    "SELECT rule, count(*) FROM (SELECT unnest(rules) AS rule FROM decisions) GROUP BY rule".
    """
    from ml_compliance import terminal
    from ml_compliance.record import query as ask

    answer = ask.queried(_records(config, out, records), sql)
    terminal.print_rows(answer.found, as_json=as_json)
    answer.check()
