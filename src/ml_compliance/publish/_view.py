"""What every sink says, in the order in which it is said: verdict, counts, findings, evidence at a glance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from ml_compliance.model import Decision, Delta, Evidence, Finding, Json, LawChange, Location, Measurement, Part, Report
from ml_compliance.publish._numbers import counted, fixed, number

VERDICTS = {"allowed": "ALLOWED", "denied": "DENIED", "not_evaluated": "NOT EVALUATED"}
FULL_REPORT = "report.html"
_SEVERITIES = ("critical", "high", "medium", "low")
_HEADLINES = 3
_LISTED = 5
NEW = "NEW"


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By severity, then by what they are about."""
    return tuple(sorted(findings, key=_order))


def _order(finding: Finding) -> tuple[object, ...]:
    rank = _SEVERITIES.index(finding.severity)
    about = (finding.measurement, finding.across, sorted(finding.slice.items()), finding.message)
    return rank, finding.policy, finding.rule, about


def counts(decision: Decision) -> tuple[str, ...]:
    """`2 violations`, `1 not enough evidence`, …; violations always, the others when there are any."""
    rest = (
        (len(decision.errors), "error", ""),
        (len(decision.insufficient), "not enough evidence", "not enough evidence"),
        (len(decision.warnings), "warning", ""),
        (len(decision.waived), "waived", "waived"),
    )
    shown = tuple(counted(count, noun, plural) for count, noun, plural in rest if count)
    return (counted(len(decision.violations), "violation"), *shown)


def law_changes(decision: Decision) -> tuple[str, ...]:
    """Whether the rules moved with the result: first whether they did, then every change."""
    found = decision.law_changes
    if not found.base:
        return (f"law: not compared with what it was before: {found.reason}",)
    since = short(found.base)
    if not found.changes:
        return (f"law: unchanged since {since}",)
    return (f"thresholds moved with the result: the rules differ from {since}", *map(_change, found.changes))


def _change(item: LawChange) -> str:
    what = " ".join(part for part in (item.file, item.policy, item.key) if part)
    moved = f": {item.old or 'nothing'} → {item.new or 'nothing'}" if item.old or item.new else ""
    return f"{item.effect}: {what}{moved}"


def changes(report: Report) -> tuple[str, ...]:
    """Against the base: the violations, then the numbers that are others now. Empty where no base was asked for."""
    found = report.changes
    if found is None:
        return ()
    base = f"against {found.base}" + (f" ({VERDICTS[found.verdict]})" if found.verdict else "")
    compared = f"{len(found.new):,} new, {len(found.fixed):,} fixed, {counted(found.unchanged, 'unchanged violation')}"
    said = f"not compared: {found.reason}" if found.reason else compared
    rules = "" if found.same_rules else "; other rules judged there"
    fixed_ones = (f"fixed: {title}" for title in found.fixed[:_LISTED])
    beyond = len(found.deltas) - _LISTED
    more = [f"changed: {counted(beyond, 'more number')} in report.json"] if beyond > 0 else []
    return (f"{base}: {said}{rules}", *fixed_ones, *map(_delta, found.deltas[:_LISTED]), *more)


def parts(report: Report) -> tuple[str, ...]:
    """The gates that this is the report of, each with its verdict; empty for one gate's own report."""
    return tuple(f"{part.name}: {VERDICTS[part.verdict]} · {part_detail(part)}" for part in report.parts)


def part_detail(part: Part) -> str:
    """What there is to say about a part beside its verdict."""
    if part.reason:
        return part.reason
    return " · ".join((counted(part.violations, "violation"), *((part.model,) if part.model else ())))


def are_new(report: Report) -> frozenset[int]:
    """Which of the ordered violations the base does not have."""
    return frozenset(report.changes.new) if report.changes else frozenset()


def _delta(delta: Delta) -> str:
    across = f" by {' × '.join(delta.across)}" if delta.across else ""
    return f"changed: {short_name(delta.name)}{across} {_side(delta.before)} → {_side(delta.now)}"


def _side(value: float | None) -> str:
    return "not measured" if value is None else fixed(value)


def subject(report: Report) -> tuple[str, ...]:
    """What was judged: project and model, once when the model is named after its project."""
    if report.model.startswith(report.project):
        return (report.model,)
    return tuple(part for part in (report.project, report.model) if part)


def group_name(group: Mapping[str, str]) -> str:
    """`Black`, or `Black × female` for an intersection."""
    return " × ".join(group.values())


def short_name(measurement: str) -> str:
    """`fairness/selection_rate` → `selection rate`."""
    return measurement.split("/", 1)[-1].replace("_", " ")


def about(finding: Finding) -> str:
    """The measurement that a finding rests on, with its group or its attributes."""
    parts = [finding.measurement] if finding.measurement else []
    if finding.across:
        parts.append("across " + " × ".join(finding.across))
    if finding.slice:
        parts.append("in " + ", ".join(f"{key} = {value}" for key, value in finding.slice.items()))
    return " ".join(parts)


def headline(finding: Finding) -> str:
    """What is wrong, in a few words."""
    return finding.title or finding.message or finding.rule


def detail(finding: Finding) -> str:
    """The message with its numbers; empty when the headline has said it."""
    return "" if finding.message == headline(finding) else finding.message


def measurement_of(report: Report, finding: Finding) -> Measurement | None:
    """The measurement that `finding` rests on, when the evidence has it."""
    for evidence in report.evidence:
        if finding.measurement.startswith(evidence.name + "/"):
            for measurement in evidence.measurements:
                if _same(measurement, finding):
                    return measurement
    return None


def _same(measurement: Measurement, finding: Finding) -> bool:
    same_name = measurement.name == finding.measurement
    return same_name and measurement.across == finding.across and measurement.slice == finding.slice


def value_text(measurement: Measurement) -> str:
    """The value in three decimals (counts in full), or in words why there is none."""
    if measurement.value is None:
        return measurement.status.replace("_", " ")
    whole = measurement.interval is None and float(measurement.value).is_integer()
    return number(measurement.value) if whole else fixed(measurement.value)


def finding_value(finding: Finding) -> str:
    """The measured value in three decimals, counts in full, `not measured` for none."""
    if finding.value is None:
        return "not measured"
    whole = finding.interval is None and float(finding.value).is_integer()
    return number(finding.value) if whole else fixed(finding.value)


def glance(evidence: Evidence) -> str:
    """One line on what a measurement module found."""
    if evidence.status in ("missing", "error", "not_estimable"):
        reason = f": {evidence.reason}" if evidence.reason else ""
        return evidence.status.replace("_", " ") + reason
    whole = [
        item for item in evidence.measurements if item.value is not None and not item.slice and len(item.across) < 2
    ]
    shown = [
        " ".join((short_name(item.name), *(f"by {name}" for name in item.across), value_text(item)))
        for item in whole[:_HEADLINES]
    ]
    without = [item for item in evidence.measurements if item.value is None]
    more = [counted(len(without), "without a value", "without a value")] if without else []
    if not shown and evidence.measurements:
        shown = [counted(len(evidence.measurements), "measurement")]
    if not shown and evidence.files:
        shown = [counted(len(evidence.files), "file")]
    return " · ".join((*shown, *more)) or evidence.reason or evidence.status


def mapping(value: Json) -> Mapping[str, Json]:
    """`value` when it is an object, else an empty one: facts are written by many modules."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Json) -> tuple[Mapping[str, Json], ...]:
    """The objects in `value` when it is an array."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return ()
    return tuple(item for item in value if isinstance(item, Mapping))


def shown_and_absent(report: Report) -> tuple[tuple[Evidence, ...], str]:
    """The evidence to show, and one line that names what there is none of and nobody missed.

    Where something could not be evaluated, all is shown: what is missing may be why.
    """
    absent = [item for item in report.evidence if item.status == "missing"]
    if not absent or report.decision.verdict == "not_evaluated":
        return report.evidence, ""
    shown = tuple(item for item in report.evidence if item.status != "missing")
    return shown, f"not measured: {', '.join(item.name for item in absent)}; {FULL_REPORT} says why"


def dataset(report: Report) -> str:
    """The name of the data set that was judged."""
    return str(mapping(report.submission.get("input")).get("dataset") or "")


def short(digest: str, length: int = 12) -> str:
    """The first characters of a digest, without the name of the algorithm."""
    return digest.removeprefix("sha256:")[:length]


def place(report: Report, finding: Finding) -> Location:
    """Where a finding is shown, from the root of the repository: its line of the law, else the head of a file."""
    at = finding.location or next((item.location for item in report.decision.violations if item.location), None)
    line = at.line if at is finding.location and at else 1
    file = at.file if at else "compliance.yaml"
    return Location(from_root(report, file), line)


def from_root(report: Report, file: str) -> str:
    """A file of the report as seen from the root of the repository."""
    return f"{report.folder}/{file}" if report.folder else file


def fingerprints(report: Report, findings: Iterable[Finding]) -> tuple[str, ...]:
    """For each finding, what stays the same about it while its numbers and its line move; all different."""
    seen: dict[str, int] = {}
    found = []
    for finding in findings:
        about = (report.project, finding.rule, finding.policy, finding.measurement, finding.across)
        key = json.dumps((*about, sorted(finding.slice.items()), "" if finding.limit is not None else finding.title))
        seen[key] = seen.get(key, 0) + 1
        found.append(hashlib.sha256(f"{key}{seen[key]}".encode()).hexdigest())
    return tuple(found)
