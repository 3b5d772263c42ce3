"""The report as a Markdown comment: `report.md`, always below what a comment may hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ml_compliance.model import Artifact, Evidence, Finding, Measurement, Report
from ml_compliance.publish._chance import MARK, differs, level_of, note, verdict_of_chance
from ml_compliance.publish._facts import artifacts, drift, expectations, model
from ml_compliance.publish._numbers import NONE, between, counted
from ml_compliance.publish._text import clip, code, markdown
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
    part_detail,
    short,
    short_name,
    shown_and_absent,
    subject,
    value_text,
)

LIMIT = 65_000
"""Bytes of UTF-8: below the 65,536 characters of a comment and the 65,535 bytes of a check run."""
_RESERVED_FOR_EVIDENCE = 10_000
_RESERVED_FOR_PARTS = 20_000
_LONG = 400
_SHORT = 120
_CHANGES = 20
_NOTICE = 80
"""Room for `1,234 more measurements in report.html`."""


def render(report: Report) -> Artifact:
    """`report.md`. What does not fit is dropped in whole rows, violations last, and counted."""
    return Artifact("report.md", compose(report, LIMIT))


def compose(report: Report, limit: int) -> str:
    """The report in at most `limit` bytes of UTF-8."""
    head, foot = _head(report), _foot(report)
    room = limit - _size(head) - _size(foot)
    violations = _findings(report, room - _RESERVED_FOR_EVIDENCE)
    room -= _size(violations)
    folded = _details((*_other_findings(report), *_evidence(report)), room)
    return head + violations + folded + foot


def _size(text: str) -> int:
    return len(text.encode())


def _name(text: str) -> str:
    return code(clip(text, _SHORT))


def _prose(text: str) -> str:
    return markdown(clip(text, _LONG))


def _head(report: Report) -> str:
    names = " ".join(_name(text) for text in subject(report))
    title = f"### ml-compliance {names}: {VERDICTS[report.decision.verdict]}\n\n"
    return title + " · ".join(counts(report.decision)) + "\n" + _parts(report) + _compared(report) + _moved(report)


def _parts(report: Report) -> str:
    """The gates that this is the report of; nothing for one gate's own."""
    if not report.parts:
        return ""
    rows = [f"| {_name(part.name)} | {VERDICTS[part.verdict]} | {_prose(part_detail(part))} |\n"
            for part in report.parts]  # fmt: skip
    return _fit(
        "\n| Part | Verdict | What was found |\n| :-- | :-- | :-- |\n", rows, len(rows), _RESERVED_FOR_PARTS, "part"
    )


def _compared(report: Report) -> str:
    """What is other than in the base; nothing where there is none."""
    said = changes(report)
    if not said:
        return ""
    listed = "".join(f"- {_prose(item)}\n" for item in said[1:])
    return f"\n**{_prose(said[0])}**\n" + (f"\n{listed}" if listed else "")


def _moved(report: Report) -> str:
    """What the change set changes in the rules; that it changes nothing is said at the end of the report."""
    first, *moved = law_changes(report.decision)
    if not moved:
        return ""
    listed = "".join(f"- {_prose(change)}\n" for change in moved[:_CHANGES])
    more = f"- {counted(len(moved) - _CHANGES, 'more change')} in `{FULL_REPORT}`\n" if len(moved) > _CHANGES else ""
    return f"\n**{_prose(first)}**\n\n{listed}{more}"


def _foot(report: Report) -> str:
    decision = report.decision
    parts = (
        f"decision {_name(short(decision.id))}",
        f"policy {_name(short(decision.policy_digest))}",
        f"law {_name(short(decision.law_digest))}",
        f"judged by {_prose(clip(f'{decision.engine} {decision.engine_version}'.strip(), _SHORT))}",
        f"full report: `{FULL_REPORT}`",
    )
    first, *moved = law_changes(decision)
    unmoved = "" if moved else f"\n{_prose(first)}\n"
    return unmoved + "\n" + " · ".join(parts) + "\n"


def _findings(report: Report, room: int) -> str:
    errors = [f"- **ERROR** {_prose(error)}\n" for error in report.decision.errors]
    text = _fit("\n", errors, len(errors), room, "error") if errors else ""
    new = are_new(report)
    violations = ordered(report.decision.violations)
    if violations:
        rows = (_finding(report, item, place in new) for place, item in enumerate(violations))
        header = "\n| Severity | What is wrong, and the way out | Law |\n| :-- | :-- | :-- |\n"
        text += _fit(header, rows, len(violations), room - _size(text), "violation")
    return text


def _finding(report: Report, finding: Finding, new: bool = False) -> str:
    lines = [f"**{f'{NEW} · ' * new}{_prose(headline(finding))}**"]
    lines += [_prose(text) for text in (detail(finding), verdict_of_chance(report, finding)) if text]
    if finding.remedy:
        lines.append(f"→ {_prose(finding.remedy)}")
    return f"| {finding.severity.upper()} | {'<br>'.join(lines)} | {_law(finding)} |\n"


def _law(finding: Finding) -> str:
    place = [_name(str(finding.location))] if finding.location else []
    return "<br>".join((_name(finding.policy or finding.rule), *place))


def _fit(header: str, rows: Iterable[str], count: int, room: int, noun: str) -> str:
    """`header` and as many of the `count` whole `rows` as fit into `room` bytes, followed by how many are left out."""
    omitted = "\n" + counted(count, f"more {noun}") + f" in `{FULL_REPORT}`\n"
    room -= _size(header) + _size(omitted)
    kept: list[str] = []
    for row in rows:
        room -= _size(row)
        if room < 0:
            break
        kept.append(row)
    missing = count - len(kept)
    rest = "\n" + counted(missing, f"more {noun}") + f" in `{FULL_REPORT}`\n" if missing else ""
    return (header if kept else "") + "".join(kept) + rest


_Section = tuple[str, str, Sequence[str], str]
"""Summary, table header, rows, and what a row is called."""


def _other_findings(report: Report) -> Iterable[_Section]:
    decision = report.decision
    header = "| Severity | Finding | Law |\n| :-- | :-- | :-- |\n"
    for title, findings in (
        ("Not enough evidence", decision.insufficient),
        ("Warnings", decision.warnings),
        ("Waived", decision.waived),
    ):
        if findings:
            rows = [_finding(report, item) for item in ordered(findings)]
            yield f"<b>{title}</b>: {len(findings):,}", header, rows, "finding"


def _evidence(report: Report) -> Iterable[_Section]:
    shown, absent = shown_and_absent(report)
    for item in shown:
        title = f"<b>{markdown(clip(item.name, _SHORT))}</b>: {_prose(glance(item))}"
        header, rows, noun = _rows(item)
        yield title, header, rows, noun
    if absent:
        yield _prose(absent), "", (), ""


def _rows(evidence: Evidence) -> tuple[str, Sequence[str], str]:
    """The table of a measurement module: failures for data, origins for lineage, else its measurements."""
    if evidence.name == "data":
        header = "| Column | What does not hold | Unexpected | Rows, for example |\n| :-- | :-- | --: | :-- |\n"
        failed = [item for item in expectations(evidence) if not item.success]
        rows = [_cells(item.column, f"{item.what} {item.arguments}", item.unexpected, item.examples) for item in failed]
        rows += [_cells(column, f"{kind}: {what}", "", "") for kind, column, what in drift(evidence)]
        return header, rows, "failure"
    if evidence.name == "lineage":
        header = "| Artifact | Value | Where it was found |\n| :-- | :-- | :-- |\n"
        known = [*artifacts(evidence), *((label, text, "") for label, text in model(evidence))]
        known += [(file.path, f"sha256:{file.sha256}", f"{file.size:,} bytes") for file in evidence.files]
        return header, [_origin(*row) for row in known], "row"
    remark = note(evidence)
    header = f"{remark}\n\n" if remark else ""
    header += "| Measurement | Group | Value | Interval | n |\n| :-- | :-- | --: | --: | --: |\n"
    ranked = sorted(evidence.measurements, key=lambda found: (len(found.slice), found.name, -(found.n or 0)))
    return header, [_measurement(found, level_of(evidence)) for found in ranked], "measurement"


def _cells(*texts: str) -> str:
    return "| " + " | ".join(_prose(text) or NONE for text in texts) + " |\n"


def _origin(name: str, value: str, source: str) -> str:
    """A row with the value as code: a digest is copied, and no commit is linked."""
    return f"| {_prose(name)} | {code(clip(value, _LONG))} | {_prose(source) or NONE} |\n"


def _measurement(item: Measurement, level: float) -> str:
    group = ", ".join(f"{key} = {value}" for key, value in item.slice.items())
    about = ", ".join(part for part in (" × ".join(item.across), group) if part) or "all rows"
    value = f"{MARK} " if differs(item, level) else ""
    value += value_text(item) + (f": {_prose(item.reason)}" if item.value is None and item.reason else "")
    n = NONE if item.n is None else f"{item.n:,}"
    interval = between(item.interval) or NONE
    return f"| {_prose(short_name(item.name))} | {_prose(about)} | {value} | {interval} | {n} |\n"


def _details(sections: Iterable[_Section], room: int) -> str:
    """Folded sections in at most `room` bytes, each with at most half of what is left."""
    text = ""
    dropped = 0
    for summary, header, rows, noun in sections:
        opening = f"\n<details>\n<summary>{summary}</summary>\n\n" if rows else f"\n{summary}\n"
        closing = "\n</details>\n" if rows else ""
        frame = _size(opening) + _size(closing)
        if dropped or frame + 4 * _NOTICE > room:
            dropped += 1
            continue
        table = _fit(header, rows, len(rows), (room - frame - _NOTICE) // 2, noun) if rows else ""
        section = opening + table + closing
        text += section
        room -= _size(section)
    return text + (f"\n{counted(dropped, 'more section')} in `{FULL_REPORT}`\n" if dropped else "")
