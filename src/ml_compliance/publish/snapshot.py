"""What a later run is compared with: `snapshot.json`, the verdict, its violations and its main numbers, kept small."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ml_compliance.documents import canonical, strict
from ml_compliance.model import Artifact, Json, Measurement, Report
from ml_compliance.publish._text import clip
from ml_compliance.publish._view import fingerprints, headline, ordered

SNAPSHOT_VERSION = "ml-compliance/snapshot/v1"
LIMIT = 45_000
"""Bytes of UTF-8: in base64 still below the 65,535 that the text of a check run may have."""
_PRINT = 16
_FRAMES = 100
"""Brackets and line ends around the rows, and the digits of two counts."""
_LONG = 200

_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_MEASUREMENT = strict(
    {"name": _TEXT, "across": {"type": "array", "items": _TEXT}, "value": {"type": "number"}},
)
_VIOLATION = strict({"fingerprint": {"type": "string", "pattern": "^[0-9a-f]{16}$"}, "title": _TEXT})
SNAPSHOT_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": SNAPSHOT_VERSION,
    "title": "What a later run is compared with",
    **strict(
        {
            "schema": {"const": SNAPSHOT_VERSION},
            "project": _TEXT,
            "verdict": {"enum": ["allowed", "denied", "not_evaluated"]},
            "decision": {**_TEXT, "description": "The decision's id."},
            "policy_digest": _TEXT,
            "law_digest": _TEXT,
            "violations": {"type": "array", "items": _VIOLATION},
            "violations_omitted": {**_COUNT, "description": "Violations that there was no room for."},
            "measurements": {
                "type": "array",
                "items": _MEASUREMENT,
                "description": "Numbers about all rows and disparities between groups; what the law names comes first.",
            },
            "measurements_omitted": {**_COUNT, "description": "Numbers that there was no room for."},
        }
    ),
}


def render(report: Report) -> Artifact:
    """`snapshot.json`, in at most `LIMIT` bytes. What does not fit is dropped, violations last, and counted."""
    decision = report.decision
    document: dict[str, Any] = {
        "schema": SNAPSHOT_VERSION,
        "project": clip(report.project, _LONG),
        "verdict": decision.verdict,
        "decision": clip(decision.id, _LONG),
        "policy_digest": clip(decision.policy_digest, _LONG),
        "law_digest": clip(decision.law_digest, _LONG),
        "violations": [],
        "violations_omitted": 0,
        "measurements": [],
        "measurements_omitted": 0,
    }
    violations: list[dict[str, Json]] = [{"fingerprint": mark, "title": clip(headline(finding), _LONG)}
                  for mark, finding in zip(prints(report), ordered(decision.violations), strict=True)]  # fmt: skip
    numbers: list[dict[str, Json]] = [
        {"name": item.name, "across": list(item.across), "value": item.value} for item in main_numbers(report)
    ]
    room = LIMIT - len(canonical(document).encode()) - _FRAMES
    for key, rows in (("violations", violations), ("measurements", numbers)):
        kept = _fitting(rows, room)
        room -= _size(kept)
        document[key], document[f"{key}_omitted"] = kept, len(rows) - len(kept)
    return Artifact("snapshot.json", canonical(document))


def prints(report: Report) -> tuple[str, ...]:
    """The short fingerprints of the violations, in the order in which they are said."""
    return tuple(mark[:_PRINT] for mark in fingerprints(report, ordered(report.decision.violations)))


def main_numbers(report: Report) -> tuple[Measurement, ...]:
    """What was measured on all rows, and disparities; first what an item of the law names."""
    named = {str(item[key]) for item in report.law for key in ("metric", "type") if key in item}
    found = [
        item for evidence in report.evidence for item in evidence.measurements
        if not item.slice and item.value is not None and len(item.name) + sum(map(len, item.across)) <= _LONG
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda item: (item.name.split("/", 1)[-1] not in named, item.name, item.across)))


def _fitting(rows: Sequence[dict[str, Json]], room: int) -> list[dict[str, Json]]:
    kept: list[dict[str, Json]] = []
    for row in rows:
        room -= _size([row])
        if room < 0:
            break
        kept.append(row)
    return kept


def _size(rows: Iterable[dict[str, Json]]) -> int:
    """At least the bytes that `rows` take two levels deep in the document."""
    return sum(len(line.encode()) + 6 for row in rows for line in canonical(row).splitlines())
