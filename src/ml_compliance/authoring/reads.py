"""What a policy reads: the references under `input` in its syntax tree, and the constants it compares with.

Whatever a rule knows of a submission comes through a reference that begins with `input`. A reference to a part is taken
as one to all that is in it, and a variable step as any step, so that no read is overlooked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_compliance.authoring.changes import Path as Place
from ml_compliance.decide import _opa

ANY = None
"""A step of a reference that is a variable."""
Reference = tuple[str | int | None, ...]


@dataclass(frozen=True)
class Rule:
    """A rule of a policy: its full name, where it is written, and the references under `input` in it."""

    name: str
    file: str
    line: int
    reads: tuple[Reference, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.file}:{self.line})"


@dataclass(frozen=True)
class Reads:
    """What the rules of a policy read, and the numbers and texts that stand in it."""

    rules: tuple[Rule, ...]
    constants: tuple[Any, ...]

    def touches(self, place: Place) -> bool:
        """Whether some rule can see a change at `place`."""
        return any(_meets(reference, place) for rule in self.rules for reference in rule.reads)

    def rule_at(self, place: Place) -> Rule | None:
        """The rule that reads most exactly what is at `place`; None if no rule reads it."""
        found = [(len(reference), -index) for index, rule in enumerate(self.rules) for reference in rule.reads
                 if _meets(reference, place)]  # fmt: skip
        return self.rules[-max(found)[1]] if found else None


def _meets(reference: Reference, place: Place) -> bool:
    return all(step is ANY or step == at for step, at in zip(reference, place, strict=False))


def reads_of(files: Iterable[Path], root: Path) -> Reads:
    """What the policy in `files` reads; files below `root` are named relative to it.

    Raises EvaluationError when `opa` is missing or cannot parse a file.
    """
    rules, constants = list[Rule](), set[Any]()
    for path in files:
        parsed = json.loads(_opa.run("parse", "--format", "json", "--json-include", "locations", str(path)))
        package = ".".join(str(step["value"]) for step in parsed["package"]["path"][1:])
        file = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        imports = _imports(parsed.get("imports", []))
        for rule in parsed.get("rules", []):
            head = rule["head"]
            name = head.get("name") or ".".join(str(step["value"]) for step in head["ref"])
            found = tuple(sorted(set(_references(rule, imports)), key=repr))
            rules.append(Rule(f"{package}.{name}", file, rule["location"]["row"], found))
            constants |= set(_constants(rule))
    return Reads(tuple(rules), tuple(sorted(constants, key=repr)))


def _imports(imports: Iterable[dict[str, Any]]) -> dict[str, Reference]:
    """Name in this file → what of `input` it stands for."""
    found = {}
    for each in imports:
        steps = each["path"]["value"]
        if steps[0]["value"] == "input":
            found[each.get("alias") or str(steps[-1]["value"])] = _steps(steps[1:])
    return found


def _references(node: Any, imports: dict[str, Reference]) -> Iterator[Reference]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item, imports)
    elif isinstance(node, dict):
        value = node.get("value")
        steps = value if node.get("type") == "ref" else [node] if node.get("type") == "var" else None
        if steps and steps[0].get("type") == "var":
            name = steps[0]["value"]
            if name == "input" or name in imports:
                yield (*imports.get(name, ()), *_steps(steps[1:]))
                yield from _references(steps[1:], imports)
                return
        for item in node.values():
            yield from _references(item, imports)


def _steps(steps: Iterable[dict[str, Any]]) -> Reference:
    return tuple(step["value"] if step["type"] in ("string", "number") else ANY for step in steps)


def _constants(node: Any) -> Iterator[Any]:
    """Numbers and texts that are terms of their own, not steps of a reference."""
    if isinstance(node, list):
        for item in node:
            yield from _constants(item)
    elif isinstance(node, dict):
        if node.get("type") in ("number", "string"):
            yield node["value"]
        if node.get("type") == "ref":
            yield from (value for step in node["value"] if step["type"] not in ("string", "number")
                        for value in _constants(step))  # fmt: skip
            return
        for item in node.values():
            yield from _constants(item)
