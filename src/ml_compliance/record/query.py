"""Asking the records: DuckDB over the JSON documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.record import store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LARGEST = 1 << 30
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")
_TYPES = {
    "time": "VARCHAR", "id": "VARCHAR", "verdict": "VARCHAR", "project": "VARCHAR", "model": "VARCHAR",
    "version": "VARCHAR", "rules": "VARCHAR[]", "waivers": "JSON", "timings": "JSON", "decision": "JSON",
    "input": "JSON", "masked": "JSON",
}  # fmt: skip
_TABLE = """
CREATE TABLE decisions AS
SELECT time, id, verdict, project, model, version,
       decision->>'engine' AS engine, decision->>'engine_version' AS engine_version,
       decision->>'policy_digest' AS policy_digest, decision->>'law_digest' AS law_digest,
       decision->>'rules_digest' AS rules_digest, decision->>'input_digest' AS input_digest,
       json_array_length(decision, 'violations') AS violations, json_array_length(decision, 'waived') AS waived,
       rules, waivers, timings, decision, input, masked
FROM records
"""
_LISTED = """
SELECT time, id, verdict, project, model, version, engine, violations, waived, rules
FROM decisions
WHERE $model IN ('', model, concat(model, '/', version)) AND $verdict IN ('', verdict)
  AND time >= $since AND left(time, length($until)) <= $until
  AND ($rule = '' OR list_contains(rules, $rule))
ORDER BY time DESC, id
"""


def listed(place: str, filters: Mapping[str, str]) -> list[dict[str, Any]]:
    """The decisions at `place` that fit all `filters` (model, since, until, verdict, rule), the latest first.

    `since` and `until` are days or moments in UTC, both included. Raises UsageError for any other form.
    """
    for name in ("since", "until"):
        if filters[name] and not _MOMENT.fullmatch(filters[name]):
            remedy = "write 2026-11-23, or 2026-11-23T12:00:00Z"
            raise UsageError(f"--{name}: {filters[name]!r} is no moment", remedy=remedy)
    with _table(place) as database:
        return _rows(database, _LISTED, filters)


def shown(place: str, start: str) -> dict[str, Any]:
    """The latest record whose id begins with `start`. Raises UsageError when there is none, or ids differ."""
    import json

    with store.opened(place) as paths:
        documents = [(path, json.loads(path.read_text(encoding="utf-8"))) for path in paths]
    found = [document for _, document in documents if str(document.get("id", "")).startswith(start)]
    if not found or len({document["id"] for document in found}) > 1:
        what = "no decision" if not found else "more than one decision"
        raise UsageError(f"{what} has an id that begins with {start!r}", where=place, remedy="see: decisions list")
    last: dict[str, Any] = found[-1]
    return last


def queried(place: str, sql: str) -> list[dict[str, Any]]:
    """The rows of one SELECT over the table `decisions`; it reads nothing else and changes nothing.

    Raises UsageError for any other statement, and for what DuckDB refuses.
    """
    import duckdb

    with _table(place) as database:
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        try:
            statements = database.extract_statements(sql)
            if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
                raise UsageError("the query is not one SELECT", remedy="write SELECT … FROM decisions")
            return _rows(database, sql, {})
        except duckdb.Error as error:
            raise UsageError(f"the query cannot be answered: {str(error).splitlines()[0]}") from error


@contextmanager
def _table(place: str) -> Iterator[DuckDBPyConnection]:
    """An empty database in memory with all records as its table `decisions`."""
    import duckdb

    with store.opened(place) as paths, duckdb.connect() as database:
        try:
            if paths:
                # DuckDB takes a list, its stubs do not say so.
                files = cast("str", [str(path) for path in paths])
                database.read_json(
                    files, format="unstructured", columns=_TYPES, maximum_object_size=_LARGEST
                ).create_view("records")
            else:
                empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in _TYPES.items())
                database.execute(f"CREATE VIEW records AS SELECT {empty} WHERE false")
            database.execute(_TABLE)
        except duckdb.Error as error:
            raise EvaluationError(f"a record cannot be read: {str(error).splitlines()[0]}", where=place) from error
        yield database


def _rows(database: DuckDBPyConnection, sql: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
    answer = database.execute(sql, dict(values)) if values else database.execute(sql)
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
