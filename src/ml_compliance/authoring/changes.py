"""What can go wrong with a submission: parts that are gone or of another kind, and values that are other ones.

A change of the first kind takes evidence away: it must never turn a denial into a permission. One of the second kind is
other evidence: it shows which values a verdict rests on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

Path = tuple[str | int, ...]
Edit = tuple[Path, Any]
"""A value at a place; GONE takes the place out."""

GONE = object()
LACKS: tuple[Any, ...] = (GONE, None, "", [], {}, "NaN", True, [7])
"""What stands in the place of evidence: nothing, or something of another kind. JSON writes NaN as null or as text."""

_FAR = 1e9


def paths(value: Any, start: Path = ()) -> Iterator[Path]:
    """The path of every object, array and leaf in `value`, but for itself."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*start, key)
        yield from paths(item, (*start, key))


def at(document: Any, path: Path) -> Any:
    """The value at `path`."""
    for step in path:
        document = document[step]
    return document


def changed(document: Any, edits: Iterable[Edit]) -> Any:
    """`document` after `edits`, one after the other. It is left as it is; parts that are equal are shared."""
    for path, value in edits:
        document = _with(document, path, value)
    return document


def _with(document: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    copied = document.copy()
    if len(path) == 1 and value is GONE:
        del copied[path[0]]
    else:
        copied[path[0]] = _with(document.get(path[0]) if isinstance(document, dict) else document[path[0]],
                                path[1:], value)  # fmt: skip
    return copied


def lacks(value: Any) -> list[Any]:
    """What can stand in the place of `value` without being evidence of its kind.

    Text for text, or one array for another, is other evidence, and not a lack of it; empty for not empty is one.
    """
    return [wrong for wrong in LACKS if wrong is GONE or not _same_kind(value, wrong)]


def _same_kind(value: Any, wrong: Any) -> bool:
    numbers = _is_number(value) and _is_number(wrong)
    return (numbers or type(value) is type(wrong)) and (bool(value) == bool(wrong) or isinstance(value, bool))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def others(value: Any, constants: Iterable[Any] = ()) -> list[Any]:
    """Other values of the kind of the leaf `value`: far away, close by, and those that the policy itself names."""
    if isinstance(value, bool):
        return [not value]
    if _is_number(value):
        named = {near for constant in constants if _is_number(constant) for near in (constant - 1e-9, constant + 1e-9)}
        return [other for other in sorted({-_FAR, _FAR, 0, 1, value - 1, value + 1, *named}) if other != value]
    if isinstance(value, str):
        # Blank text is a lack, and no other value.
        named_texts = sorted({text for text in constants if isinstance(text, str) and text.strip()} - {value})
        return ["another", *named_texts]
    return []


def written(path: Path) -> str:
    """`input.evidence.fairness.measurements[3].value`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "input" + "".join(steps)


def pattern(path: Path) -> Path:
    """The path with every place in an array alike."""
    return tuple(0 if isinstance(step, int) else step for step in path)


def described(value: Any) -> str:
    """A change in words."""
    if value is GONE:
        return "deleted"
    return json.dumps(value, ensure_ascii=False)


def patch(edits: Iterable[Edit]) -> list[dict[str, Any]]:
    """The edits as a JSON Patch (RFC 6902)."""
    found: list[dict[str, Any]] = []
    for path, value in edits:
        place = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
        found.append({"op": "remove", "path": place} if value is GONE else
                     {"op": "replace", "path": place, "value": value})  # fmt: skip
    return found
