"""YAML and JSON as kubectl reads it: every document, aliases and merges resolved, `yes` and `on` as booleans."""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

_BOOLEANS = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_MOST_VALUES = 200_000
_DEEPEST = 200


class Placed(dict[str, Any]):
    """A mapping that knows the line, from 1, on which it begins."""

    line = 0


def documents(text: str) -> list[Any]:
    """Every document. Raises ValueError for what is no plain YAML, or what readers could take for different things."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    reader = YAML(typ="safe", pure=True)
    reader.Constructor = _constructor()
    try:
        return [_written_out(one) for one in reader.load_all(text)]
    except (YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        said = str(error).splitlines() or [type(error).__name__]
        raise ValueError(f"it is no plain YAML: {said[0][:200]}") from error


@cache
def _constructor() -> type[Any]:
    """The differences between YAML 1.2 and what Kubernetes takes it for, which is nearer to 1.1."""
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

    class Kubernetes(SafeConstructor):
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            # A key stays the text that it is: `on` and `y` are names there.
            node.value = [(_as_text(key) if isinstance(key, ScalarNode) else key, value) for key, value in node.value]
            return super().construct_mapping(node, deep=deep)

        def flatten_mapping(self, node: Any) -> Any:
            _refuse_late_merge(node)
            return super().flatten_mapping(node)

        def map(self, node: Any) -> Iterator[Placed]:
            found = Placed()
            found.line = node.start_mark.line + 1
            yield found
            found.update(self.construct_mapping(node))

        def text(self, node: Any) -> Any:
            plain = node.style is None
            return _BOOLEANS.get(node.value, node.value) if plain else node.value

        def binary(self, node: Any) -> str:
            return base64.b64decode(node.value).decode()

        def other(self, node: Any) -> Any:
            """A tag that nobody knows changes nothing."""
            if isinstance(node, MappingNode):
                yield from self.map(node)
            elif isinstance(node, SequenceNode):
                yield from self.construct_yaml_seq(node)
            else:
                yield node.value

    Kubernetes.add_constructor(f"{_TAG}map", Kubernetes.map)
    Kubernetes.add_constructor(f"{_TAG}str", Kubernetes.text)
    Kubernetes.add_constructor(f"{_TAG}binary", Kubernetes.binary)
    for as_written in ("timestamp", "value"):
        Kubernetes.add_constructor(f"{_TAG}{as_written}", lambda _, node: node.value)
    Kubernetes.add_constructor(None, Kubernetes.other)
    return Kubernetes


def _as_text(key: Any) -> Any:
    if key.tag != f"{_TAG}str" or key.style is not None:
        return key
    # The same node may be a value elsewhere, by an alias.
    quoted = copy.copy(key)
    quoted.style = '"'
    return quoted


def _refuse_late_merge(node: Any) -> None:
    """`<<` after a key that it brings in, too: the standard lets the key hold, and what kubectl uses does not."""
    before: set[str] = set()
    for key, value in node.value:
        if key.tag != _MERGE:
            before.add(str(key.value))
        elif late := before & _brought_in(value, 0):
            raise ValueError(f"line {key.start_mark.line + 1}: << comes after {min(late)!r}, which it has as well")


def _brought_in(node: Any, depth: int) -> set[str]:
    if depth > _DEEPEST:
        raise ValueError("its merges are nested too deep")
    if not isinstance(node.value, list):
        return set()
    keys: set[str] = set()
    for entry in node.value:
        if not isinstance(entry, tuple):
            keys |= _brought_in(entry, depth + 1)
        elif entry[0].tag == _MERGE:
            keys |= _brought_in(entry[1], depth + 1)
        else:
            keys.add(str(entry[0].value))
    return keys


def _written_out(value: Any) -> Any:
    """`value` with everything that aliases stand for in its place."""
    left = _MOST_VALUES

    def written(found: Any, depth: int) -> Any:
        nonlocal left
        left -= 1
        if left < 0 or depth > _DEEPEST:
            raise ValueError("it is nested too deep, or its aliases make it endless")
        if isinstance(found, dict):
            copied = Placed({_key(key): written(inner, depth + 1) for key, inner in found.items()})
            copied.line = getattr(found, "line", 0)
            if len(copied) < len(found):
                raise ValueError("a key is there twice")
            return copied
        if isinstance(found, list):
            return [written(inner, depth + 1) for inner in found]
        if found is None or isinstance(found, bool | int | float | str):
            return found
        raise ValueError(f"a value of the kind {type(found).__name__} is unknown to Kubernetes")

    return written(value, 0)


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, str | int | float):
        return str(key)
    raise ValueError("a key is no text")
