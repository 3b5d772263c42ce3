"""compliance_policy.yaml: the law. What is required before a model may be released, and on which line it says so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ml_compliance.documents import digest
from ml_compliance.errors import UsageError
from ml_compliance.model import Json, Location
from ml_compliance.resources import policies_folder
from ml_compliance.yaml_file import YamlFile, check, read_yaml

LAW_VERSION = "ml-compliance/policy/v1"
COMMAND_LINE = "command line"
DEFAULT_LAW = "compliance_policy.yaml"
DEFAULT_MINIMUM = {"cases": 30, "positives": 10, "negatives": 10}

_COMMON: dict[str, Any] = {
    "id": {"type": "string", "minLength": 1, "description": "A name that violations cite."},
    "type": {"type": "string", "description": "Which family of rules judges this item."},
    "severity": {"enum": ["critical", "high", "medium", "low"], "description": "How much a violation weighs."},
    "description": {"type": "string", "description": "Why this is required, in the words of whoever requires it."},
}
_WAIVERS: dict[str, Any] = {
    "type": "object",
    "description": "That waivers count, and on which terms. Without it, none does.",
    "additionalProperties": False,
    "properties": {
        "max_days": {"type": "integer", "minimum": 1, "default": 90, "description": "The longest time one may last."},
        "approvers": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "minLength": 1},
            "description": "Who may approve one (default: anybody but its owner).",
        },
    },
}


@dataclass(frozen=True)
class Law:
    """The items of the law, and where each of them, and each of its keys, is written.

    `minimum` is the smallest group that a disparity is judged on: cases, positives and negatives. `waivers` says how
    long a waiver lasts and who approves it; None means that no waiver counts.
    """

    project: str
    minimum: Mapping[str, int]
    policies: tuple[Mapping[str, Any], ...]
    waivers: Mapping[str, Any] | None
    places: Mapping[str, Mapping[str, Location]]

    def document(self) -> dict[str, Json]:
        """What the policy engine reads as `data.mlpolicy.law`: the content, and a digest of it."""
        content: dict[str, Json] = {
            "project": self.project,
            "minimum": dict(self.minimum),
            "policies": [dict(item) for item in self.policies],
        }
        if self.waivers is not None:
            content["waivers"] = dict(self.waivers)
        return {**content, "digest": digest(content)}

    def locate(self, policy: str, key: str) -> Location | None:
        """Where `key` of the item `policy` is written: its line, or else that of the item; None if it is in no file."""
        keys = self.places.get(policy, {})
        return keys.get(key) or keys.get("id")


def items_of(law: Law | None, kind: str) -> tuple[Mapping[str, Any], ...]:
    """The items of the type `kind`; none where there is no law."""
    return tuple(item for item in (law.policies if law else ()) if item["type"] == kind)


def catalog() -> dict[str, Any]:
    """The rules that are shipped and the types of policy they judge, from the annotations in the Rego."""
    loaded: dict[str, Any] = json.loads((policies_folder() / "catalog.json").read_text(encoding="utf-8"))
    return loaded


def law_schema() -> dict[str, Any]:
    """The JSON Schema of compliance_policy.yaml: one branch for each type of policy in the catalogue."""
    types: dict[str, Any] = catalog()["types"]
    branches = [
        {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {
                **kind["parameters"],
                "title": kind["title"],
                "properties": {**_COMMON, **kind["parameters"].get("properties", {})},
                "additionalProperties": False,
            },
        }
        for name, kind in sorted(types.items())
    ]
    item = {
        "type": "object",
        "required": ["id", "type"],
        "properties": {**_COMMON, "type": {**_COMMON["type"], "enum": sorted(types)}},
        "allOf": branches,
    }
    count = {"type": "integer", "minimum": 1}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": LAW_VERSION,
        "title": "compliance_policy.yaml",
        "type": "object",
        "required": ["project", "policies"],
        "additionalProperties": False,
        "properties": {
            "project": {"type": "string", "description": "The project that the law is for."},
            "minimum": {
                "type": "object",
                "description": "The smallest group that a disparity is judged on.",
                "additionalProperties": False,
                "properties": {key: {**count, "default": value} for key, value in DEFAULT_MINIMUM.items()},
            },
            "waivers": _WAIVERS,
            "policies": {"type": "array", "minItems": 1, "items": item, "description": "What is required."},
        },
    }


def read_law(path: Path, name: str) -> Law:
    """Read compliance_policy.yaml. Raises UsageError with file, line and remedy when something in it is wrong."""
    file = read_yaml(path, name)
    check(file, law_schema())
    items: list[dict[str, Any]] = file.data["policies"]
    _refuse_twins(items, file)
    places = {
        item["id"]: {key: Location(name, file.line(("policies", index, key))) for key in item}
        for index, item in enumerate(items)
    }
    minimum = {**DEFAULT_MINIMUM, **file.data.get("minimum", {})}
    return Law(file.data["project"], minimum, tuple(items), file.data.get("waivers"), places)


def with_items(law: Law | None, project: str, items: Sequence[Mapping[str, Any]]) -> Law:
    """`law` and what the command line requires on top of it; a law of the command line alone if there is none."""
    base = law or Law(project, DEFAULT_MINIMUM, (), None, {})
    if taken := {str(item["id"]) for item in items} & base.places.keys():
        raise UsageError(f"the policy id {min(taken)!r} is what the command line calls its own", remedy="rename it")
    places = {str(item["id"]): {"id": Location(COMMAND_LINE, 1)} for item in items}
    return replace(base, policies=(*base.policies, *items), places={**base.places, **places})


def _refuse_twins(items: Sequence[Mapping[str, Any]], file: YamlFile) -> None:
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        line = file.line(("policies", index, "id"))
        if item["id"] in seen:
            raise UsageError(
                f"the policy id {item['id']!r} stands on line {seen[item['id']]} already",
                where=f"{file.name}:{line}",
                remedy="give each policy an id of its own",
            )
        seen[item["id"]] = line
