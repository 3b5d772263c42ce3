"""Asking the records: DuckDB over the JSON documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ml_compliance.documents import validate
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.files import read_json
from ml_compliance.record import store
from ml_compliance.record.decision import RECORD_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

_LARGEST = 1 << 30
_LONGEST = 200
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")
_TYPES = {
    "time": "VARCHAR", "id": "VARCHAR", "verdict": "VARCHAR", "project": "VARCHAR", "model": "VARCHAR",
    "version": "VARCHAR", "rules": "VARCHAR[]", "waivers": "JSON", "timings": "JSON", "decision": "JSON",
    "input": "JSON", "masked": "JSON",
}  # fmt: skip
_TABLE = """
CREATE OR REPLACE TABLE decisions AS
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


@dataclass(frozen=True)
class Answer:
    """What the records at `place` say, and why some of them, by name, cannot be read."""

    found: Any
    place: str
    broken: tuple[str, ...]

    def check(self) -> None:
        """Raises EvaluationError when there are records that cannot be read: what was found is not all there is."""
        if self.broken:
            told = "\n  ".join((f"of the records, {len(self.broken)} cannot be read, and are not in the answer:",
                                *self.broken))  # fmt: skip
            raise EvaluationError(told, where=self.place, remedy="restore them")


def listed(place: str, filters: Mapping[str, str]) -> Answer:
    """The decisions at `place` that fit all `filters` (model, since, until, verdict, rule), the latest first.

    `since` and `until` are days or moments in UTC, both included. Raises UsageError for any other form.
    """
    for name in ("since", "until"):
        if filters[name] and not _MOMENT.fullmatch(filters[name]):
            remedy = "write 2026-11-23, or 2026-11-23T12:00:00Z"
            raise UsageError(f"--{name}: {filters[name]!r} is no moment", remedy=remedy)
    with _table(place) as (database, broken):
        return Answer(_rows(database, _LISTED, filters), place, broken)


def shown(place: str, start: str) -> Answer:
    """The latest record whose id begins with `start`, None if only one that cannot be read may be it.

    Raises UsageError when there is none, or ids differ.
    """
    with store.opened(place) as paths:
        broken = _faults(paths)
        documents = [read_json(path) for path in paths if path not in broken]
    found = [document for document in documents if document["id"].startswith(start)]
    if (not found and not broken) or len({document["id"] for document in found}) > 1:
        what = "no decision" if not found else "more than one decision"
        raise UsageError(f"{what} has an id that begins with {start!r}", where=place, remedy="see: decisions list")
    return Answer(found[-1] if found else None, place, tuple(broken.values()))


def queried(place: str, sql: str) -> Answer:
    """The rows of one SELECT over the table `decisions`; it reads nothing else and changes nothing.

    Raises UsageError for any other statement, and for what DuckDB refuses.
    """
    import duckdb

    with _table(place) as (database, broken):
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        try:
            statements = database.extract_statements(sql)
            if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
                raise UsageError("the query is not one SELECT", remedy="write SELECT … FROM decisions")
            return Answer(_rows(database, sql, {}), place, broken)
        except duckdb.Error as error:
            raise UsageError(f"the query cannot be answered: {str(error).splitlines()[0]}") from error


@contextmanager
def _table(place: str) -> Iterator[tuple[DuckDBPyConnection, tuple[str, ...]]]:
    """A database in memory, its table `decisions` of all records that can be read, and why the others cannot be."""
    import duckdb

    with store.opened(place) as paths, duckdb.connect() as database:
        broken: dict[Path, str] = {}
        try:
            whole = _filled(database, paths)
        except duckdb.Error:
            whole = False
        if not whole:
            # Only now is each file looked at alone, which takes longer.
            broken = _faults(paths)
            try:
                whole = _filled(database, [path for path in paths if path not in broken])
            except duckdb.Error as error:
                raise EvaluationError(f"a record cannot be read: {str(error).splitlines()[0]}", where=place) from error
        if not whole:
            raise EvaluationError("a record cannot be read, though each one is valid by itself", where=place)
        yield database, tuple(broken.values())


def _filled(database: DuckDBPyConnection, paths: Sequence[Path]) -> bool:
    """Make the table, and say whether each file became one decision: an empty one becomes none without an error."""
    if paths:
        # DuckDB takes a list, its stubs do not say so.
        files = cast("str", [str(path) for path in paths])
        database.read_json(files, format="unstructured", columns=_TYPES, maximum_object_size=_LARGEST).create_view(
            "records"
        )
    else:
        empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in _TYPES.items())
        database.execute(f"CREATE OR REPLACE VIEW records AS SELECT {empty} WHERE false")
    database.execute(_TABLE)
    counted = database.execute("SELECT count(*), count(id) FROM decisions").fetchall()
    return counted == [(len(paths), len(paths))]


def _faults(paths: Iterable[Path]) -> dict[Path, str]:
    """What is wrong with each file that is no record."""
    found = {}
    for path in paths:
        try:
            validate(read_json(path), RECORD_SCHEMA, path.name)
        except UsageError as error:
            found[path] = f"{path.name}: {error.message[:_LONGEST]}"
    return found


def _rows(database: DuckDBPyConnection, sql: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
    answer = database.execute(sql, dict(values)) if values else database.execute(sql)
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
