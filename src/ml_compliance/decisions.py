"""The published JSON of a decision: versioned, strict, and read back before anyone relies on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_compliance.documents import digest, strict
from ml_compliance.errors import UsageError
from ml_compliance.model import Decision, Finding, Json, LawChange, LawChanges, Location, Waiver

DECISION_VERSION = "ml-compliance/decision/v1"
_LISTS = ("violations", "warnings", "waived", "insufficient")
_NAMES = (
    "engine", "engine_version", "cross_checked", "policy_digest", "policy_revision", "law_digest", "input_digest",
    "id", "time",
)  # fmt: skip

_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": ["number", "null"]}
_SLICE: dict[str, Any] = {"type": "object", "additionalProperties": _TEXT}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_LOCATION = strict({"file": _TEXT, "line": {"type": "integer", "minimum": 1}})
_WAIVER_FIELDS: dict[str, Any] = {
    **dict.fromkeys(("reason", "owner", "approver", "created", "expires"), _TEXT),
    "ceiling": _NUMBER,
    "location": _LOCATION,
}
_WAIVER = strict(_WAIVER_FIELDS)
_FINDING_FIELDS: dict[str, Any] = {
    "rule": {"type": "string", "minLength": 1, "description": "Id in the rule catalogue."},
    "policy": {"type": "string", "description": "Id of the item of the law that was applied."},
    "severity": {"enum": ["critical", "high", "medium", "low"]},
    "title": _TEXT,
    "message": _TEXT,
    "remedy": _TEXT,
    "measurement": _TEXT,
    "slice": _SLICE,
    "across": _TEXTS,
    "value": _NUMBER,
    "interval": {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    "n": {"type": ["integer", "null"], "minimum": 0},
    "limit": _NUMBER,
    "clause": _TEXT,
    "references": _TEXTS,
    "location": {"anyOf": [_LOCATION, {"type": "null"}]},
    "waiver": {"anyOf": [_WAIVER, {"type": "null"}], "description": "What set it aside, if it is waived."},
}
_FINDING = strict(_FINDING_FIELDS)
_CHANGE_FIELDS: dict[str, Any] = {
    **dict.fromkeys(("file", "policy", "key", "old", "new"), _TEXT),
    "effect": {"enum": ["loosened", "tightened", "changed"]},
}
_CHANGE = strict(_CHANGE_FIELDS)
_LAW_CHANGES: dict[str, Any] = {
    "description": "What the change set of the model changes in the law, the policy and the waivers.",
    **strict(
        {
            "base": {**_TEXT, "description": "The commit that was compared with; empty if none was."},
            "changes": {"type": "array", "items": _CHANGE},
            "reason": {**_TEXT, "description": "Why nothing was compared."},
        }
    ),
}
_FIELDS: dict[str, Any] = {
    "schema": {"const": DECISION_VERSION},
    "verdict": {"enum": ["allowed", "denied", "not_evaluated"]},
    "allow": {"type": "boolean"},
    **{name: {"type": "array", "items": {"$ref": "#/$defs/finding"}} for name in _LISTS},
    "errors": _TEXTS,
    **dict.fromkeys(_NAMES, _TEXT),
    # It goes into names and outputs. `$` alone would let a line feed pass.
    "id": {**_TEXT, "pattern": "^[0-9a-f]{64}$", "maxLength": 64, "description": "The digest of all that led to it."},
    "rules_digest": {**_TEXT, "description": "Of policy and law together: what can be agreed on beforehand."},
    "law_changes": _LAW_CHANGES,
}
DECISION_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": DECISION_VERSION,
    "title": "ml-compliance decision",
    **strict(_FIELDS),
    # A file that claims to allow while it lists reasons against it was not written by a decision.
    "if": {"properties": {"verdict": {"const": "allowed"}}},
    "then": {"properties": {"allow": {"const": True}, "violations": {"maxItems": 0}, "errors": {"maxItems": 0}}},
    "else": {"properties": {"allow": {"const": False}}},
    "$defs": {"finding": _FINDING},
}


def rules_digest(policy_digest: str, law_digest: str) -> str:
    """`sha256:…` of all that judges: the policy (Rego), and the law with its limits."""
    return digest({"policy": policy_digest, "law": law_digest})


def finding_document(finding: Finding) -> dict[str, Json]:
    """The JSON of one finding; every field is there."""
    location, waiver = finding.location, finding.waiver
    return {
        **{key: value for key, value in vars(finding).items() if isinstance(value, str | int | float | None)},
        "slice": dict(finding.slice),
        "across": list(finding.across),
        "interval": None if finding.interval is None else list(finding.interval),
        "references": list(finding.references),
        "location": None if location is None else dict(vars(location)),
        "waiver": None if waiver is None else {**vars(waiver), "location": dict(vars(waiver.location))},
    }


def decision_document(decision: Decision) -> dict[str, Json]:
    """The JSON of a decision, valid against `DECISION_SCHEMA`; findings in the order that the decision has."""
    return {
        "schema": DECISION_VERSION,
        "verdict": decision.verdict,
        "allow": decision.allow,
        **{name: [finding_document(item) for item in getattr(decision, name)] for name in _LISTS},
        "errors": list(decision.errors),
        **{name: getattr(decision, name) for name in _NAMES},
        "rules_digest": rules_digest(decision.policy_digest, decision.law_digest),
        "law_changes": {
            "base": decision.law_changes.base,
            "changes": [dict(vars(item)) for item in decision.law_changes.changes],
            "reason": decision.law_changes.reason,
        },
    }


def read_decision(document: object, where: str = "decision.json") -> Decision:
    """The inverse of `decision_document`. Raises UsageError when `document` is not a valid decision."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    problem = best_match(Draft202012Validator(DECISION_SCHEMA).iter_errors(document))
    if problem is not None or not isinstance(document, Mapping):
        place = problem.json_path if problem else "$"
        reason = problem.message[:200] if problem else "it is no object"
        raise UsageError(
            f"not a decision that ml-compliance wrote: {place}: {reason}",
            where=where,
            remedy="make it again: ml-compliance decide",
        )
    fields: dict[str, Any] = {name: document[name] for name in ("verdict", *_NAMES)}
    fields |= {name: tuple(_read_finding(item) for item in document[name]) for name in _LISTS}
    law_changes = document["law_changes"]
    changes = tuple(LawChange(**item) for item in law_changes["changes"])
    return Decision(
        **fields,
        errors=tuple(document["errors"]),
        law_changes=LawChanges(law_changes["base"], changes, law_changes["reason"]),
    )


def read_decision_on(document: object, submission: Mapping[str, Any], law_digest: str) -> Decision:
    """As `read_decision`, for the decision on `submission` by the law with `law_digest`; UsageError for any other."""
    decision = read_decision(document)
    if (decision.input_digest, decision.law_digest) != (digest(submission), law_digest):
        raise UsageError("the decision is on another submission, or by another law", where="decision.json",
                         remedy="run: ml-compliance decide")  # fmt: skip
    return decision


def _read_finding(document: Mapping[str, Any]) -> Finding:
    location, interval, waiver = document["location"], document["interval"], document["waiver"]
    fields = {
        **document,
        "across": tuple(document["across"]),
        "references": tuple(document["references"]),
        "interval": None if interval is None else (interval[0], interval[1]),
        "location": None if location is None else Location(**location),
        "waiver": None if waiver is None else Waiver(**{**waiver, "location": Location(**waiver["location"])}),
    }
    return Finding(**fields)
