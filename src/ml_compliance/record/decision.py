"""One canonical JSON document for each decision: what was judged, by which rules, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ml_compliance.decisions import DECISION_SCHEMA, decision_document, finding_document
from ml_compliance.documents import canonical, strict
from ml_compliance.model import Decision, Json
from ml_compliance.record import store

RECORD_VERSION = "ml-compliance/record/v1"
MASK = "(masked)"

_TEXT: dict[str, Any] = {"type": "string"}
_NAME: dict[str, Any] = {"type": ["string", "null"]}
_FIELDS: dict[str, Any] = {
    "schema": {"const": RECORD_VERSION},
    "id": {**_TEXT, "description": "The decision's: the digest of all that led to it."},
    "time": {**_TEXT, "description": "The moment of evaluation, RFC 3339."},
    "verdict": {"enum": ["allowed", "denied", "not_evaluated"]},
    "project": _NAME,
    "model": _NAME,
    "version": _NAME,
    "rules": {"type": "array", "items": _TEXT, "description": "Rules that were violated, waived or not."},
    "waivers": {"type": "array", "items": {"type": "object"}, "description": "Waivers that counted, with their rule."},
    "timings": {
        "type": "object",
        "description": "Seconds of wall time by room.",
        "additionalProperties": {"type": "number", "minimum": 0},
    },
    "decision": {key: value for key, value in DECISION_SCHEMA.items() if key not in ("$schema", "$id", "$defs")},
    "input": {"description": "What was judged, `(masked)` where the configuration says so."},
    "masked": {
        "type": "object",
        "description": "Each path that was to be masked, and how many values it hid.",
        "additionalProperties": {"type": "integer", "minimum": 0},
    },
}
RECORD_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": RECORD_VERSION,
    "title": "The record of a decision",
    **strict(_FIELDS),
    "$defs": DECISION_SCHEMA["$defs"],
}


def record(
    decision: Decision, submission: Mapping[str, Any], mask: Sequence[str], timings: Mapping[str, float]
) -> dict[str, Json]:
    """The record of `decision` about `submission`; `mask` are paths from `input` on, `timings` seconds by room.

    No digest stands in the place of a masked value: of one that can be guessed it would tell the value. The digest of
    the whole input is in the decision, for whoever still has it.
    """
    kept: Any = submission["input"]
    hidden: dict[str, Json] = {}
    for path in mask:
        kept, hidden[path] = _masked(kept, path.split(".")[1:])
    content = kept if isinstance(kept, Mapping) else {}
    described = content.get("model")
    model = described if isinstance(described, Mapping) else {}
    against = (*decision.violations, *decision.waived)
    return {
        "schema": RECORD_VERSION,
        "id": decision.id,
        "time": decision.time,
        "verdict": decision.verdict,
        "project": content.get("project"),
        "model": model.get("name"),
        "version": model.get("version"),
        "rules": sorted({finding.rule for finding in against}),
        "waivers": [_waiver(finding_document(finding)) for finding in decision.waived],
        "timings": dict(timings),
        "decision": decision_document(decision),
        "input": kept,
        "masked": hidden,
    }


def keep(document: Mapping[str, Any], place: str) -> str:
    """Write a record into a folder or object store, and say where. Raises EvaluationError when that fails."""
    # The time comes from a submission, which anybody may have written.
    time = re.sub(r"[^0-9TZ]", "", document["time"])[:16]
    return store.add(place, f"{time}-{document['id'][:16]}", canonical(document))


def _waiver(finding: Mapping[str, Any]) -> dict[str, Json]:
    return {"rule": finding["rule"], "policy": finding["policy"], **(finding["waiver"] or {})}


def _masked(value: Any, path: Sequence[str]) -> tuple[Any, int]:
    """A copy of `value` in which whatever `path` leads to is hidden, and how many values that were."""
    if not path:
        return MASK, 1
    first, *rest = path
    if isinstance(value, Mapping):
        found = {key: _masked(item, rest) if first in ("*", key) else (item, 0) for key, item in value.items()}
        return {key: item for key, (item, _) in found.items()}, sum(hits for _, hits in found.values())
    if isinstance(value, list):
        items = [_masked(item, rest) if first in ("*", str(at)) else (item, 0) for at, item in enumerate(value)]
        return [item for item, _ in items], sum(hits for _, hits in items)
    return value, 0
