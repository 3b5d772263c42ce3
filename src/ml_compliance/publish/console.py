"""The verdict in a terminal: what was decided, why, and the way out."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ml_compliance.model import Artifact, Evidence, Finding, Report
from ml_compliance.publish._chance import differs, level_behind, verdict_of_chance
from ml_compliance.publish._groups import Group, GroupSet, groups_behind, sets_by_module
from ml_compliance.publish._numbers import NONE, between, counted
from ml_compliance.publish._text import clip, terminal
from ml_compliance.publish._view import (
    FULL_REPORT,
    NEW,
    VERDICTS,
    are_new,
    changes,
    counts,
    detail,
    glance,
    headline,
    law_changes,
    ordered,
    parts,
    short,
    shown_and_absent,
    subject,
    value_text,
)

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

WIDTH = 110
_STYLES = {
    "allowed": "bold green", "denied": "bold red", "not_evaluated": "bold yellow",
    "critical": "bold red", "high": "red", "medium": "yellow", "low": "default",
}  # fmt: skip
_IN_DETAIL = 25
_GROUPS = 6
_INDENT = 12
_LONG = 600


def render(report: Report) -> Artifact:
    """`report.txt`: the same words without colour."""
    from rich.console import Console

    file = io.StringIO()
    console = Console(file=file, width=WIDTH, color_system=None, force_terminal=False, highlight=False, _environ={})
    show(report, console)
    lines = (line.rstrip() for line in file.getvalue().splitlines())
    return Artifact("report.txt", "\n".join(lines) + "\n")


def show(report: Report, console: Console) -> None:
    """Print the report; colour only repeats what the words say."""
    decision = report.decision
    console.print()
    for line in _title(report):
        console.print(line)
    for said in parts(report):
        console.print(_indented(clip(terminal(said), _LONG)))
    for place, said in enumerate(changes(report)):
        console.print(_indented(_said(said)) if place else _margin_text(said))
    _print_errors(decision.errors, console)
    violations, sets = ordered(decision.violations), sets_by_module(report)
    new = are_new(report)
    for place, finding in enumerate(violations[:_IN_DETAIL]):
        console.print()
        _print_in_detail(report, finding, sets, console, new=place in new)
    _print_briefly("", violations[_IN_DETAIL:], console)
    _print_briefly("?", ordered(decision.insufficient), console)
    _print_briefly("WARNING", ordered(decision.warnings), console)
    _print_briefly("WAIVED", ordered(decision.waived), console)
    console.print()
    first, *moved = law_changes(decision)
    console.print(_margin_text(first))
    for change in moved:
        console.print(_indented(_said(change)))
    console.print()
    shown, absent = shown_and_absent(report)
    console.print(_evidence_table(shown))
    if absent:
        console.print(_margin_text(clip(absent, _LONG)))
    console.print()
    console.print(_footer(report))


def _title(report: Report) -> tuple[RenderableType, ...]:
    from rich.text import Text

    decision = report.decision
    verdict = (VERDICTS[decision.verdict], _STYLES[decision.verdict])
    first = Text.assemble(("ml-compliance", "bold"), "  ", _said(" · ".join(subject(report))), "  →  ", verdict)
    return first, Text(f"{' · '.join(counts(decision))} · decision {terminal(short(decision.id))}")


def _print_errors(errors: Iterable[str], console: Console) -> None:
    from rich.text import Text

    for error in errors:
        console.print()
        console.print(_row(Text("ERROR", "bold yellow"), Text(_said(error)), Text("")))


def _print_in_detail(
    report: Report, finding: Finding, sets: Mapping[str, tuple[GroupSet, ...]], console: Console, *, new: bool
) -> None:
    from rich.text import Text

    place = _said(str(finding.location or ""))
    first = Text.assemble((_policy(finding), "bold"), "  ", f"{NEW} · " * new, _said(headline(finding)))
    console.print(_row(Text(finding.severity.upper(), _STYLES[finding.severity]), first, Text(place)))
    if detail(finding):
        console.print(_indented(_said(detail(finding))))
    if chance := verdict_of_chance(report, finding):
        console.print(_indented(chance))
    rate, groups, more = groups_behind(sets, finding, _GROUPS)
    if groups:
        console.print(_numbers(rate, groups, level_behind(report, finding)))
    if more:
        console.print(_indented(f"… and {counted(more, 'more group')} in {FULL_REPORT}"))
    if finding.remedy:
        console.print(_indented("→ " + _said(finding.remedy)))


def _print_briefly(label: str, findings: Sequence[Finding], console: Console) -> None:
    """Two lines for each of the first, one line for each that follows: a violation is never left out."""
    from rich.text import Text

    if findings:
        console.print()
    for position, finding in enumerate(findings):
        word = label or finding.severity.upper()
        place = _said(str(finding.location or ""))
        if position < _IN_DETAIL:
            text = Text.assemble((_policy(finding), "bold"), "  ", _said(headline(finding)))
            console.print(_row(Text(word), text, Text(place)))
            if detail(finding):
                console.print(_indented(_said(detail(finding))))
        else:
            said = _said(detail(finding) or headline(finding))
            console.print(f"  {word:8}  {place}  {_policy(finding)}  {said}", soft_wrap=True, markup=False, emoji=False)


def _said(text: str) -> str:
    return terminal(clip(text, _LONG))


def _policy(finding: Finding) -> str:
    return clip(_said(finding.policy or finding.rule), 48)


def _row(label: RenderableType, text: RenderableType, place: RenderableType) -> Table:
    from rich.table import Table

    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(width=_INDENT - 4)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", overflow="fold", max_width=44)
    table.add_row(label, text, place)
    return _margin(table)


def _margin(table: Table) -> Table:
    from rich.padding import Padding
    from rich.table import Table

    outer = Table.grid(expand=True)
    outer.add_row(Padding(table, (0, 0, 0, 2)))
    return outer


def _margin_text(text: str) -> RenderableType:
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(_said(text), overflow="fold"), (0, 0, 0, 2))


def _indented(text: str) -> RenderableType:
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(text, overflow="fold"), (0, 0, 0, _INDENT))


def _numbers(rate: str, groups: Iterable[Group], level: float) -> RenderableType:
    """A line per group: name, rate, interval, n and what is more than chance, the numbers under each other."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(max_width=48, overflow="ellipsis", no_wrap=True)
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for group in groups:
        measured = group.rates[rate]
        n = NONE if measured.n is None else f"n {measured.n:,}"
        remark = "unlike the rest" if differs(measured, level) else ""
        table.add_row(Text(_said(group.name)), value_text(measured), between(measured.interval), n, remark)
    return Padding(table, (0, 0, 0, _INDENT))


def _evidence_table(evidence: Iterable[Evidence]) -> RenderableType:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(no_wrap=True, max_width=24, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("evidence", "rows", "measured", "")
    for item in evidence:
        rows = NONE if item.rows is None else f"{item.rows:,}"
        measured = sum(measurement.value is not None for measurement in item.measurements)
        table.add_row(Text(_said(item.name)), rows, f"{measured:,}", Text(clip(_said(glance(item)), 200)))
    return Padding(table, (0, 0, 0, 2))


def _footer(report: Report) -> RenderableType:
    from rich.padding import Padding
    from rich.text import Text

    decision = report.decision
    engine = clip(_said(f"{decision.engine} {decision.engine_version}".strip()), 48)
    digests = f"policy {terminal(short(decision.policy_digest))} · law {terminal(short(decision.law_digest))}"
    text = f"full report: {FULL_REPORT}   judged by {engine} · {digests}"
    return Padding(Text(text), (0, 0, 0, 2))
