"""Reads expectations: suite files as Great Expectations 0.18 and 1.x write them, and the short form of YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_compliance.engine.expectations import Expectation
from ml_compliance.errors import UsageError
from ml_compliance.files import read_plain, strict_json

# What 0.18 stored among the arguments, though it says how to run and not what to expect.
_HOW_TO_RUN = ("result_format", "catch_exceptions", "include_config", "batch_id", "auto", "profiler_config")


@dataclass(frozen=True)
class Suite:
    name: str
    expectations: tuple[Expectation, ...]


def read_suite(path: Path, written: str) -> Suite:
    """The suite in the JSON file `path`, called `written` in messages. Raises UsageError when it is none."""
    content = read_plain(path, written, "put its path right in compliance.yaml")
    try:
        document = strict_json(content)
    except json.JSONDecodeError as error:
        raise UsageError(f"no JSON: {error.msg}", where=f"{written}:{error.lineno}",
                         remedy="write it as Great Expectations does") from error  # fmt: skip
    except ValueError as error:
        raise UsageError(f"no JSON: {error}", where=written, remedy="write it as UTF-8 JSON") from error
    entries = document.get("expectations") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise UsageError("the file is no suite: it has no list `expectations`", where=written,
                         remedy="save it with Great Expectations, or expect inline, in compliance.yaml")  # fmt: skip
    name = document.get("name") or document.get("expectation_suite_name") or path.stem
    return Suite(str(name), read_entries(entries, written, "expectations"))


def read_entries(entries: Sequence[Any], file: str, key: str) -> tuple[Expectation, ...]:
    """The expectations of the list `key` in `file`. Raises UsageError naming the entry that is none."""
    return tuple(_read_entry(entry, f"{file}: {key}[{index}]") for index, entry in enumerate(entries))


def _read_entry(entry: Any, where: str) -> Expectation:
    if not isinstance(entry, Mapping):
        raise _no_expectation(where)
    kind = entry.get("type", entry.get("expectation_type"))
    if kind is None and len(entry) == 1:
        ((kind, kwargs),) = entry.items()
    else:
        kwargs = entry.get("kwargs", {})
    if not isinstance(kind, str) or not isinstance(kwargs or {}, Mapping):
        raise _no_expectation(where)
    arguments = {name: value for name, value in (kwargs or {}).items() if name not in _HOW_TO_RUN}
    for name, value in arguments.items():
        if isinstance(value, Mapping) and "$PARAMETER" in value:
            raise UsageError(f"{name} is the parameter {value['$PARAMETER']!r}, which nobody sets here", where=where,
                             remedy="write its value")  # fmt: skip
    return Expectation(kind, arguments, where)


def _no_expectation(where: str) -> UsageError:
    return UsageError(
        "this is no expectation", where=where,
        remedy="write {type: expect_column_values_to_not_be_null, kwargs: {column: NAME}}",
    )  # fmt: skip
