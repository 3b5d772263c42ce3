"""The shipped policy, item by item of the law; and the library in it, which other policies may import."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_compliance.authoring.changes import changed
from ml_compliance.authoring.judges import Outcome
from ml_compliance.decide._policy import module_text, rego_files
from ml_compliance.documents import digest
from ml_compliance.resources import policies_folder

_IMPORTED = re.compile(r"\bdata\.mlpolicy\.(lib|integrity|rules)\b")
_HELD = re.compile(r"^package mlpolicy\.(lib|integrity|rules)\b", re.MULTILINE)
_LIBRARY = re.compile(r"^import data\.mlpolicy\.lib\.(\w+)", re.MULTILINE)
_ALL_KINDS = re.compile(r"\bin input\.evidence\b(?!\.)|\binput\.evidence\[_\]|\bwalk\(input\b")


def alone(law: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """For each item of the law, the same law with this item only."""
    for item in law["policies"]:
        content = {key: value for key, value in law.items() if key != "digest"} | {"policies": [item]}
        yield {**content, "digest": digest(content)}


def part_about(item: Mapping[str, Any], content: Any) -> Any:
    """The submission without the kinds of evidence that the rules for `item` do not name: they cannot look at them.

    Nothing is left out where the rules go through all kinds, and of a submission of another shape.
    """
    evidence = content.get("evidence") if isinstance(content, dict) else None
    words = _words(str(item.get("type")))
    if not isinstance(evidence, dict) or words is None:
        return content
    kept = {kind: found for kind, found in evidence.items() if kind in words}
    return changed(content, [(("coverage", "evidence"), list(kept)), (("evidence",), kept)])


def _words(family: str) -> set[str] | None:
    """The words in the rules of a family and in the library that they import; None if these go through all evidence."""
    folder = policies_folder()
    waiting, read, words = [folder / "rules" / f"{family}.rego"], set[Path](), set[str]()
    while waiting:
        path = waiting.pop()
        if path in read or not path.is_file():
            continue
        read.add(path)
        lines = [line for line in path.read_text(encoding="utf-8").split("\n") if not line.startswith("#")]
        text = "\n".join(lines)
        if _ALL_KINDS.search(text):
            return None
        words |= set(re.findall(r"\w+", text))
        waiting += [folder / "lib" / f"{name}.rego" for name in _LIBRARY.findall(text)]
    return words or None


def violates(policies: set[str]) -> Callable[[Outcome], bool]:
    """Whether one of these items of the law is violated; "" stands for what holds whatever the law is."""
    return lambda outcome: not policies.isdisjoint(str(found.get("policy")) for found in outcome.violations)


def with_library(files: Sequence[Path]) -> tuple[Path, ...]:
    """The files, and those parts of the shipped policy that they import and do not hold themselves."""
    shipped = rego_files()
    if set(shipped) <= set(files):
        return tuple(files)
    texts = [module_text(path) for path in files]
    imported = {part for text in texts for part in _IMPORTED.findall(text)}
    held = {part for text in texts for part in _HELD.findall(text)}
    missing = imported - held
    # Rules import the library, and the integrity of the law asks what the rules judged.
    wanted = missing | ({"lib"} if missing else set()) | ({"rules"} if "integrity" in missing else set())
    wanted -= held
    return (*files, *(path for path in shipped if path.relative_to(policies_folder()).parts[0] in wanted))
