"""The published JSON of evidence: versioned, canonical, and a type of its own.

`*_document` writes, `read_*` reads back; both sides are held together by a round-trip property test.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ml_compliance.errors import UsageError
from ml_compliance.model import Evidence, FileDigest, Interval, Json, Measurement

EVIDENCE_VERSION = "ml-compliance/evidence/v1"


def strict(properties: Mapping[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """The JSON Schema of an object with `properties` and no others, all required but the `optional` ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_STATUS = {"enum": ["measured", "not_estimable", "declared", "missing", "error"]}
MEASUREMENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name", "value", "status"],
    "additionalProperties": False,
    "properties": {
        "name": {**_TEXT, "pattern": "^[^/]+/", "description": "measurement module / number"},
        "value": {"type": ["number", "null"], "description": "null unless the status is measured or declared"},
        "status": _STATUS,
        "slice": {"type": "object", "additionalProperties": _TEXT, "description": "the group: attribute → value"},
        "across": {"type": "array", "items": _TEXT, "description": "the attributes whose groups are compared"},
        "interval": {
            "type": "object",
            "required": ["low", "high", "confidence", "method"],
            "additionalProperties": False,
            "properties": {
                "low": {"type": "number"},
                "high": {"type": "number"},
                "confidence": {"type": "number"},
                "method": _TEXT,
            },
        },
        "n": {**_COUNT, "description": "cases"},
        "positives": _COUNT,
        "negatives": _COUNT,
        "reason": {**_TEXT, "description": "why there is no value"},
        "method": {"type": "object", "description": "all that is needed to repeat it"},
    },
    "if": {"properties": {"status": {"enum": ["measured", "declared"]}}},
    "else": {"properties": {"value": {"type": "null"}}, "required": ["reason"]},
}
EVIDENCE_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": EVIDENCE_VERSION,
    "title": "What one measurement module found",
    "type": "object",
    "required": ["schema", "name", "status", "reason", "rows", "coverage", "measurements", "facts", "files"],
    "additionalProperties": False,
    "properties": {
        "schema": {"const": EVIDENCE_VERSION},
        "name": _TEXT,
        "status": _STATUS,
        "reason": {**_TEXT, "description": "why it is not measured"},
        "rows": {"type": ["integer", "null"], "minimum": 0},
        "coverage": {
            "type": "object",
            "required": ["measurements"],
            "additionalProperties": False,
            "properties": {"measurements": _COUNT},
        },
        "measurements": {"type": "array", "items": MEASUREMENT_SCHEMA},
        "facts": {"type": "object", "description": "findings that are not numbers"},
        "files": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "sha256", "size"],
                "additionalProperties": False,
                "properties": {"path": _TEXT, "sha256": {**_TEXT, "pattern": "^[0-9a-f]{64}$"}, "size": _COUNT},
            },
        },
    },
}


def canonical(document: Json) -> str:
    """JSON text with sorted keys, two-space indent and a final newline: the same bytes for the same content.

    Half of a surrogate pair, which UTF-8 cannot carry, is escaped. Raises ValueError on NaN and infinities, which JSON
    cannot carry.
    """
    text = json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode(errors="backslashreplace").decode()


def digest(document: Json) -> str:
    """`sha256:…` of the canonical text."""
    return "sha256:" + hashlib.sha256(canonical(document).encode()).hexdigest()


def measurement_document(measurement: Measurement) -> dict[str, Json]:
    """The JSON of one measurement. `value` is always there, null unless measured; empty fields are left out."""
    interval = measurement.interval
    document: dict[str, Json] = {
        "slice": dict(measurement.slice),
        "across": list(measurement.across),
        "interval": None if interval is None else dict(vars(interval)),
        "n": measurement.n,
        "positives": measurement.positives,
        "negatives": measurement.negatives,
        "reason": measurement.reason,
        "method": dict(measurement.method),
    }
    kept = {key: value for key, value in document.items() if value not in (None, "", {}, [])}
    return {"name": measurement.name, "value": measurement.value, "status": measurement.status, **kept}


def evidence_document(evidence: Evidence) -> dict[str, Json]:
    """The JSON of one module's evidence, measurements in canonical order.

    `coverage` states how many measurements there are, so that one that was taken out is noticed.
    """
    measurements = sorted(evidence.measurements, key=_order)
    return {
        "schema": EVIDENCE_VERSION,
        "name": evidence.name,
        "status": evidence.status,
        "reason": evidence.reason,
        "rows": evidence.rows,
        "coverage": {"measurements": len(measurements)},
        "measurements": [measurement_document(measurement) for measurement in measurements],
        "facts": dict(evidence.facts),
        "files": [dict(vars(file)) for file in sorted(evidence.files, key=lambda file: file.path)],
    }


def _order(measurement: Measurement) -> tuple[Any, ...]:
    return measurement.name, measurement.across, sorted(measurement.slice.items())


def validate(document: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> None:
    """Raise UsageError when a document that was read, or is to be written, does not fit its schema."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema).iter_errors(document))
    if error is not None:
        raise UsageError(f"{error.json_path}: {error.message}", where=where, remedy="make the file anew")


def read_measurement(document: Mapping[str, Any]) -> Measurement:
    """The inverse of `measurement_document`."""
    fields = dict(document)
    interval = fields.pop("interval", None)
    across = tuple(fields.pop("across", ()))
    return Measurement(**fields, across=across, interval=None if interval is None else Interval(**interval))


def read_evidence(document: Mapping[str, Any]) -> Evidence:
    """The inverse of `evidence_document`."""
    return Evidence(
        name=document["name"],
        status=document["status"],
        measurements=tuple(read_measurement(item) for item in document["measurements"]),
        facts=document["facts"],
        files=tuple(FileDigest(**file) for file in document["files"]),
        rows=document["rows"],
        reason=document["reason"],
    )
