"""YAML files that people write: read with the line of every key, checked against a JSON Schema."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_compliance.errors import UsageError
from ml_compliance.files import read_plain

Place = tuple[str | int, ...]
_WORD = re.compile(r"[^\W\d_]+")
_NAMED = 30
_DEEPEST, _MOST_PLACES, _LARGEST = 100, 100_000, 16 * 1024 * 1024


@dataclass(frozen=True)
class YamlFile:
    """Plain data and, for each path into it, the line (from 1) where that key or item stands."""

    name: str
    data: dict[str, Any]
    lines: Mapping[Place, int]

    def line(self, path: Sequence[str | int]) -> int:
        """The line of `path`, or of its nearest parent that the file holds."""
        for end in range(len(path), 0, -1):
            if tuple(path[:end]) in self.lines:
                return self.lines[tuple(path[:end])]
        return 1

    def line_of(self, value: str) -> int | None:
        """The first line on which `value` stands as the value of a key or as an item; None when it stands nowhere."""
        return min((line for path, line in self.lines.items() if self._at(path) == value), default=None)

    def _at(self, path: Place) -> Any:
        found: Any = self.data
        for part in path:
            found = found[part]
        return found


def read_yaml(path: Path, name: str) -> YamlFile:
    """Read a YAML mapping; `name` is how the user wrote the path.

    Raises UsageError with file and line when it is missing, not YAML, has a key twice, or is not a mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    content = read_plain(path, name, "write it, or name another one", largest=_LARGEST)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError("the file is not UTF-8", where=f"{name}:{line}", remedy="save it as UTF-8") from error
    try:
        reader = YAML(typ="rt")
        # Dates stay text, as they are written: 2026-11-31 is then refused with its line, by whoever asks for a date.
        reader.Constructor = type("WithoutDates", (RoundTripConstructor,), {})
        reader.Constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))
        loaded = reader.load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1
        key = str(error.problem).split('"')[1] if '"' in str(error.problem) else "a key"
        raise UsageError(
            f"{key!r} stands here for the second time", where=f"{name}:{line}", remedy="keep one of the two"
        ) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise UsageError(f"this is not YAML: {error.problem}", where=where) from None
    except RecursionError:
        raise _endless(text, name) from None
    except (YAMLError, ValueError) as error:
        # Python reads no number of more than 4,300 digits.
        raise UsageError(f"this is not YAML: {str(error).splitlines()[0]}", where=name) from None
    lines: dict[Place, int] = {}
    try:
        plain = _plain(loaded, (), lines, name)
    except RecursionError:
        raise _endless(text, name) from None
    if not isinstance(plain, dict):
        raise UsageError("the file does not hold a mapping of names to values", where=f"{name}:1")
    return YamlFile(name, plain, lines)


def _endless(text: str, name: str) -> UsageError:
    """What is wrong with a file that goes on too deep or too long: its own levels, or what its aliases make of them."""
    from ruamel.yaml import YAML
    from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent

    depth = 0
    for event in YAML(typ="rt").parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            where = f"{name}:{event.start_mark.line + 1}"
            return UsageError(f"this is nested more than {_DEEPEST} levels deep", where=where, remedy="nest it less")
    return UsageError("the aliases in it make this file endless", where=name, remedy="write out what they stand for")


def _plain(node: Any, path: Place, lines: dict[Place, int], name: str) -> Any:
    """Built-in types for ruamel's, filling `lines` on the way, but for what `<<` brings in: that has its parent's."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if len(path) > _DEEPEST or len(lines) > _MOST_PLACES:
        raise RecursionError
    if isinstance(node, CommentedMap):
        written = node.lc.data or {}
        lines.update({(*path, str(key)): written[key][0] + 1 for key in node if key in written})
        if len(twins := [str(key) for key in node]) > len(set(twins)):
            twin = next(key for key in twins if twins.count(key) > 1)
            where = f"{name}:{lines.get((*path, twin), 1)}"
            raise UsageError(f"{twin!r} stands here for the second time", where=where, remedy="keep one of the two")
        return {str(key): _plain(value, (*path, str(key)), lines, name) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        written = node.lc.data or {}
        lines.update({(*path, index): place[0] + 1 for index, place in written.items()})
        return [_plain(value, (*path, index), lines, name) for index, value in enumerate(node)]
    if isinstance(node, int | float) and not _finite(node):
        line = next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1)
        shown = f"{node}" if isinstance(node, float) else "beyond every number"
        raise UsageError(f"{_dotted(path)} is {shown}, which is no number to compare with", where=f"{name}:{line}")
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return None if node is None else str(node)


def _finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def refuse_disguised(file: YamlFile, path: Place) -> None:
    """Refuse a person's name that looks like another one: who may not approve must not do so under it.

    That is one with an invisible character, a letter in another form (NFKC), or a word of Latin letters mixed with
    Greek or Cyrillic ones. Raises UsageError with the name's line; a name that is not there is none.
    """
    value: Any = file.data
    for part in path:
        value = value.get(part, "") if isinstance(value, dict) else value[part]
    hidden = [sign for sign in value if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp")]
    formed = [sign for sign in value if unicodedata.normalize("NFKC", sign) != sign]
    if hidden:
        fault, remedy = f"an invisible character, U+{ord(hidden[0]):04X}", "delete it"
    elif formed or unicodedata.normalize("NFC", value) != value:
        fault, remedy = "letters in an unusual form", f"write it as {unicodedata.normalize('NFKC', value)}"
    elif mixed := next((word for word in _WORD.findall(value) if len(_alphabets(word)) > 1), ""):
        fault, remedy = f"letters of several alphabets in {mixed!r}: {', '.join(_alphabets(mixed))}", "use one"
    else:
        return
    where = f"{file.name}:{file.line(path)}"
    raise UsageError(f"{path[-1]}: the name has {fault}", where=where, remedy=remedy)


def _alphabets(word: str) -> list[str]:
    names = {unicodedata.name(sign, "").partition(" ")[0] for sign in word}
    return sorted(names & {"LATIN", "GREEK", "CYRILLIC"})


def check(file: YamlFile, schema: Mapping[str, Any]) -> None:
    """Raise UsageError for the first place where `file` does not fit `schema`, with its line and the nearest name."""
    from jsonschema import Draft202012Validator

    errors = sorted(Draft202012Validator(schema).iter_errors(file.data), key=lambda error: _position(file, error))
    if not errors:
        return
    error = errors[0]
    while error.context:
        # Of several alternatives, speak of the one whose type the author chose.
        chosen = [inner for inner in error.context if not (inner.validator == "type" and not inner.relative_path)]
        if not chosen:
            break
        error = chosen[0]
    path = list(error.absolute_path)
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        raise _unknown_key(file, path, error)
    line = file.line(path)
    raise UsageError(f"{_dotted(path)}: {_say(error)}", where=f"{file.name}:{line}")


def _position(file: YamlFile, error: Any) -> tuple[int, bool]:
    """By line; a key that is misspelt comes before the one that is missing for it."""
    return file.line(list(error.absolute_path)), error.validator != "additionalProperties"


def _unknown_key(file: YamlFile, path: list[str | int], error: Any) -> UsageError:
    known = list(error.schema.get("properties", {}))
    key = next(name for name in error.instance if name not in known)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known) or 'nothing'}"
    inside = f" in {_dotted(path)}" if path else ""
    return UsageError(f"unknown key {key!r}{inside}", where=f"{file.name}:{file.line([*path, key])}", remedy=remedy)


def _say(error: Any) -> str:
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"{', '.join(map(repr, missing))} is missing"
    if error.validator == "type":
        wanted = error.validator_value
        return f"{error.instance!r} is not of type {wanted if isinstance(wanted, str) else ' or '.join(wanted)}"
    if error.validator in ("enum", "const"):
        found = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        values = [str(value) for value in found]
        # In whatever case it is written: letters of the other case are as far apart as any.
        folded = {value.casefold(): value for value in reversed(values)}
        near = difflib.get_close_matches(str(error.instance).casefold(), folded, n=1, cutoff=0.5)
        hint = f"; did you mean {folded[near[0]]!r}?" if near else ""
        told = f"{', '.join(values[:_NAMED])}{', …' if len(values) > _NAMED else ''}"
        return f"{error.instance!r} is none of {told}{hint}"
    if error.context:
        return f"{error.instance!r} is not of type {' or '.join(str(inner.validator_value) for inner in error.context)}"
    return str(error.message)


def _dotted(path: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "the file"
