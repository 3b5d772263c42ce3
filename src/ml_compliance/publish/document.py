"""The report for machines: `report.json`, versioned and valid against `REPORT_SCHEMA`."""

from __future__ import annotations

from typing import Any

from ml_compliance.decisions import DECISION_SCHEMA, decision_document
from ml_compliance.documents import EVIDENCE_SCHEMA, canonical, evidence_document, strict
from ml_compliance.model import Artifact, Changes, Json, Report
from ml_compliance.publish._view import dataset

REPORT_VERSION = "ml-compliance/report/v1"

_TEXT: dict[str, Any] = {"type": "string"}


_CHANGES = strict(
    {
        "base": _TEXT,
        "verdict": {"enum": ["allowed", "denied", "not_evaluated", ""]},
        "new": {
            "type": "array", "items": {"type": "integer", "minimum": 0},
            "description": "Places in the violations, ordered by severity, that the base does not have.",
        },
        "unchanged": {"type": "integer", "minimum": 0},
        "fixed": {"type": "array", "items": _TEXT, "description": "Titles of violations that only the base has."},
        "deltas": {
            "type": "array",
            "items": strict({
                "name": _TEXT, "across": {"type": "array", "items": _TEXT},
                "before": {"type": ["number", "null"]}, "now": {"type": ["number", "null"]},
            }),
        },
        "same_rules": {"type": "boolean", "description": "Whether the same law and policy judged the base."},
        "reason": {**_TEXT, "description": "What could not be compared, and why."},
    }
)  # fmt: skip
_PART = strict({
    "name": _TEXT, "verdict": {"enum": ["allowed", "denied", "not_evaluated"]}, "model": _TEXT,
    "violations": {"type": "integer", "minimum": 0},
    "reason": {**_TEXT, "description": "Why it has no result."},
    "commit": {**_TEXT, "description": "The commit that its lineage names; empty for none."},
    "decision": {**_TEXT, "description": "The id of its decision."},
    "digest": {**_TEXT, "description": "`sha256:` of its report.json; empty where it has no result."},
})  # fmt: skip
_EVIDENCE = {key: value for key, value in EVIDENCE_SCHEMA.items() if key not in ("$schema", "$id")}
_DECISION = {key: value for key, value in DECISION_SCHEMA.items() if key not in ("$schema", "$id", "$defs")}
REPORT_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": REPORT_VERSION,
    "title": "ml-compliance report",
    **strict(
        {
            "schema": {"const": REPORT_VERSION},
            "project": _TEXT,
            "model": _TEXT,
            "dataset": _TEXT,
            "decision": {"$ref": "#/$defs/decision"},
            "evidence": {"type": "array", "items": {"$ref": "#/$defs/evidence"}},
            "law": {"type": "array", "items": {"type": "object"}},
            "changes": {"anyOf": [_CHANGES, {"type": "null"}], "description": "Against the base, if one was named."},
            "folder": {**_TEXT, "description": "Where places of findings start, from the root; empty for the root."},
            "parts": {
                "type": "array",
                "items": _PART,
                "description": "The gates whose report this is, if several.",
            },
            "timings": {
                "type": "array",
                "items": strict({"room": _TEXT, "seconds": {"type": "number", "minimum": 0}}),
            },
        }
    ),
    "$defs": {**DECISION_SCHEMA["$defs"], "decision": _DECISION, "evidence": _EVIDENCE},
}


def render(report: Report) -> Artifact:
    """`report.json`: the decision, all evidence, the law as judged. Same report, same bytes."""
    document: dict[str, Json] = {
        "schema": REPORT_VERSION,
        "project": report.project,
        "model": report.model,
        "dataset": dataset(report),
        "decision": decision_document(report.decision),
        "evidence": [evidence_document(item) for item in sorted(report.evidence, key=lambda item: item.name)],
        "law": [dict(item) for item in report.law],
        "changes": None if report.changes is None else _changes(report.changes),
        "folder": report.folder,
        "parts": [dict(vars(part)) for part in report.parts],
        "timings": [{"room": room, "seconds": seconds} for room, seconds in report.timings],
    }
    return Artifact("report.json", canonical(document))


def _changes(changes: Changes) -> dict[str, Json]:
    return {**vars(changes), "deltas": [dict(vars(delta)) for delta in changes.deltas]}
