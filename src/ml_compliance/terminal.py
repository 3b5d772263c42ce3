"""What a person sees while the gate runs and when it is done; progress goes to stderr, results to stdout."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ml_compliance.documents import canonical
from ml_compliance.errors import NOT_EVALUATED, OF_VERDICTS

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress

    from ml_compliance.context import Advance
    from ml_compliance.delivery import Posted
    from ml_compliance.model import Decision, Evidence, Json, Report
    from ml_compliance.platforms import Capability
    from ml_compliance.request import Request
    from ml_compliance.starter import Started

_WIDE = 160
_ID = 12


def run_gate(request: Request, *, as_json: bool, timings: bool) -> int:
    """Run the whole gate, print its answer, and return the exit code."""
    from ml_compliance import gate
    from ml_compliance.publish import document
    from ml_compliance.stopwatch import Stopwatch

    watch = Stopwatch()
    report = gate.gate(request, watch)
    if timings:
        report = replace(report, timings=tuple(watch.seconds.items()))
    if as_json:
        click.echo(document.render(report).text, nl=False)
    else:
        print_report(report)
        click.echo(f"  {request.out / 'report.html'}")
    if timings:
        total = sum(watch.seconds.values())
        rows = [*watch.seconds.items(), ("total", total)]
        click.echo("\n".join(f"  {name:<24}{seconds:7.2f} s" for name, seconds in rows), err=as_json)
    return exit_code(report.decision)


def exit_code(decision: Decision) -> int:
    """0 allowed, 1 denied, 3 could not be evaluated."""
    return OF_VERDICTS[decision.verdict]


def evidence_exit_code(evidence: Iterable[Evidence]) -> int:
    """3 when a measurement failed; evidence that is merely missing is the policy's business."""
    return NOT_EVALUATED if any(item.status == "error" for item in evidence) else 0


def print_json(document: Json) -> None:
    """Canonical JSON on stdout."""
    click.echo(canonical(document), nl=False)


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """The rows of an answer as a table, or as a JSON array."""
    import json

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ml_compliance.publish._text import terminal

    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False, default=str))
        return
    table = Table(*(rows[0] if rows else ("nothing was found",)), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(terminal(_cell(name, value)), overflow="fold") for name, value in row.items()))
    Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE).print(table)


def _cell(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)[: _ID if name == "id" else None]


def print_started(started: Started, *, recognised: bool, as_json: bool) -> None:
    """Which files were written and kept, and what is left to do; `recognised` means that no platform was asked for."""
    if as_json:
        print_json({
            "platforms": list(started.platforms),
            "written": [str(path) for path in started.written],
            "kept": [str(path) for path in started.kept],
            "to_add": {str(path): text for path, text in started.to_add.items()},
        })  # fmt: skip
        return
    for path in started.written:
        click.echo(f"written  {path}")
    for path in started.kept:
        click.echo(f"kept     {path}")
    for path, text in started.to_add.items():
        click.echo(f"\nAdd this to {path}:\n\n{text}")
    if recognised and not started.platforms:
        click.echo("\nNo CI platform was recognised: --platform github, or gitlab, writes its workflow.")
    click.echo("\nNext: name your model, data and columns in compliance.yaml, and run: ml-compliance gate")


def print_posted(posted: Posted, out: Path, *, dry_run: bool, as_json: bool) -> None:
    """What became of each thing that was to be published; of a dry run, the requests and nothing else."""
    if dry_run:
        print_json(list(posted.requests))
    elif as_json:
        print_json({"platform": posted.platform, "deliveries": [dict(vars(item)) for item in posted.deliveries]})
    elif not posted.platform:
        click.echo(f"no CI platform runs this, so nothing was posted; the reports are in {out}")
    else:
        print_rows([dict(vars(item)) for item in posted.deliveries], as_json=False)


def posted_exit_code(posted: Posted) -> int:
    """3 when something failed that should have worked; what is not possible here is no failure."""
    return NOT_EVALUATED if any(item.status == "failed" for item in posted.deliveries) else 0


def doctor_exit_code(found: Iterable[Capability]) -> int:
    """3 when no policy engine is there: then nothing here can judge."""
    return 0 if any(item.available for item in found if item.name.startswith("engine ")) else NOT_EVALUATED


def print_report(report: Report) -> None:
    """The verdict, as the console sink lays it out."""
    from rich.console import Console

    from ml_compliance.publish import console

    # Without a terminal there is no width to ask for; rich would guess 80 and fold every line of a CI log.
    width = None if sys.stdout.isatty() else console.WIDTH
    console.show(report, Console(highlight=False, width=width))


def print_evidence(evidence: Iterable[Evidence]) -> None:
    """One line for each measurement module: what it found, or why it found nothing."""
    from ml_compliance.publish._text import terminal

    found = list(evidence)
    width = max((len(item.name) for item in found), default=0) + 2
    for item in found:
        number = f"{len(item.measurements)} measurements" if item.status == "measured" else ""
        click.echo(f"  {item.name:<{width}}{item.status:<15}{terminal(item.reason) or number}")


_shown: list[Progress] = []


@contextmanager
def progress(description: str, total: int | None) -> Iterator[Advance]:
    """A progress bar on stderr while somebody watches; nothing when stderr is not a terminal.

    A bar inside a bar is drawn below it: a terminal has room for one live display only.
    """
    if not sys.stderr.isatty():
        yield lambda steps: None
    elif _shown:
        task = _shown[0].add_task(description, total=total)
        yield lambda steps: _shown[0].advance(task, steps)
        _shown[0].remove_task(task)
    else:
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(description, total=total)
            _shown.append(bar)
            try:
                yield lambda steps: bar.advance(task, steps)
            finally:
                _shown.clear()
