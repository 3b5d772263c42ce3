"""waivers.yaml: which violations are set aside for a time, up to which ceiling, and who answers for it.

The policy alone says whether a waiver counts (policies/waivers.rego); here it is only read.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from ml_compliance.errors import UsageError
from ml_compliance.law import catalog
from ml_compliance.model import Json
from ml_compliance.yaml_file import YamlFile, check, read_yaml, refuse_disguised

WAIVERS_VERSION = "ml-compliance/waivers/v1"

_TEXT: dict[str, Any] = {"type": "string", "pattern": r"\S"}
_DATE: dict[str, Any] = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_FIELDS: dict[str, Any] = {
    "rule": {**_TEXT, "description": "The rule whose violation is waived, such as fairness.limit_exceeded."},
    "policy": {**_TEXT, "description": "The id of the item of the law that is violated."},
    "model": {**_TEXT, "description": "The model it is for: its name, or name/version for one version."},
    "slice": {
        "description": "The group that the violation names, such as {race: Black}, or the thing, such as "
        "{feature: age}; `any` for every one. Without it, violations about all rows.",
        "anyOf": [{"const": "any"}, {"type": "object", "minProperties": 1, "additionalProperties": _TEXT}],
    },
    "across": {
        "description": "The attributes whose groups the violation compares, such as [race]; `any` for every one.",
        "anyOf": [{"const": "any"}, {"type": "array", "minItems": 1, "uniqueItems": True, "items": _TEXT}],
    },
    "reason": {**_TEXT, "description": "Why the violation is acceptable for now."},
    "owner": {**_TEXT, "description": "Who has to put it right."},
    "approver": {**_TEXT, "description": "Who approved it: somebody else than the owner, of the law's approvers."},
    "created": {**_DATE, "description": "The first day on which it holds, in UTC."},
    "expires": {**_DATE, "description": "The last day on which it holds, in UTC."},
    "ceiling": {"type": "number", "description": "No worse than this; needed where the violation is about a number."},
}
WAIVERS_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": WAIVERS_VERSION,
    "title": "waivers.yaml",
    "type": "object",
    "required": ["waivers"],
    "additionalProperties": False,
    "properties": {
        "waivers": {
            "type": "array",
            "description": "Violations that are set aside for a time.",
            "items": {
                "type": "object",
                "required": ["model", "reason", "owner", "created", "expires"],
                "additionalProperties": False,
                "properties": _FIELDS,
            },
        }
    },
}
_EXTENT: dict[str, Any] = {"anyOf": [{"const": "any"}, {"type": "integer", "minimum": 0}]}
SUBMITTED_SCHEMA: dict[str, Any] = {
    "type": "array",
    "description": "the waivers as they were when the submission was made",
    "items": {
        "type": "object",
        "required": ["model", "slice", "across", "reason", "owner", "created", "expires", "coverage", "location"],
        "additionalProperties": False,
        "properties": {
            **{name: {"type": "string"} for name in ("rule", "policy", "model", "reason", "owner", "approver")},
            "created": _DATE,
            "expires": _DATE,
            "slice": {"anyOf": [{"const": "any"}, {"type": "object", "additionalProperties": _TEXT}]},
            "across": {"anyOf": [{"const": "any"}, {"type": "array", "items": _TEXT}]},
            "ceiling": {"type": ["number", "null"]},
            "coverage": {
                "type": "object",
                "description": "how many attributes `slice` and `across` name",
                "required": ["slice", "across"],
                "additionalProperties": False,
                "properties": {"slice": _EXTENT, "across": _EXTENT},
            },
            "location": {
                "type": "object",
                "required": ["file", "line"],
                "additionalProperties": False,
                "properties": {"file": {"type": "string"}, "line": {"type": "integer", "minimum": 1}},
            },
        },
    },
}


def read_waivers(path: Path, name: str, *, own_rules: bool = False) -> tuple[Mapping[str, Json], ...]:
    """The waivers of a file, as a submission carries them; `name` is how the user wrote the path.

    With `own_rules` the names of rules are not held against the catalogue. Raises UsageError with file, line and
    remedy when something in the file is wrong.
    """
    file = read_yaml(path, name)
    check(file, WAIVERS_SCHEMA)
    items = list(enumerate(file.data["waivers"]))
    for index, item in items:
        _check_dates(index, item, file)
        # Nobody approves their own waiver under a name that only looks like another.
        for key in ("owner", "approver"):
            refuse_disguised(file, ("waivers", index, key))
        if not own_rules:
            _check_rule(index, item, file)
    return tuple(_submitted(item, name, file.line(("waivers", index))) for index, item in items)


def _submitted(item: Mapping[str, Any], file: str, line: int) -> Mapping[str, Json]:
    named = {"slice": item.get("slice", {}), "across": item.get("across", [])}
    return {
        **item,
        **named,
        "ceiling": item.get("ceiling"),
        "coverage": {key: "any" if value == "any" else len(value) for key, value in named.items()},
        "location": {"file": file, "line": line},
    }


def _check_dates(index: int, item: Mapping[str, Any], file: YamlFile) -> None:
    days = {}
    for key in ("created", "expires"):
        try:
            days[key] = date.fromisoformat(item[key])
        except ValueError:
            line = file.line(("waivers", index, key))
            raise UsageError(f"{key}: there is no day {item[key]}", where=f"{file.name}:{line}") from None
    if days["expires"] < days["created"]:
        raise UsageError(
            f"it expires on {days['expires']}, before it is created on {days['created']}",
            where=f"{file.name}:{file.line(('waivers', index, 'expires'))}",
            remedy="put one of the two dates right",
        )


def _check_rule(index: int, item: Mapping[str, Any], file: YamlFile) -> None:
    """A misspelt rule; one with a wildcard is left to the policy, which does not count it and shows it."""
    rule, known = item.get("rule"), catalog()["rules"]
    if rule is None or "*" in rule or rule in known:
        return
    near = difflib.get_close_matches(rule, known, n=1)
    raise UsageError(
        f"there is no rule called {rule!r}",
        where=f"{file.name}:{file.line(('waivers', index, 'rule'))}",
        remedy=f"did you mean {near[0]!r}?" if near else "name it as the report does",
    )
