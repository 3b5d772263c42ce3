"""Columns of text, and of true and false, of two tables: how many rows hold each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ml_compliance.engine.pairing import Kind, Side, plain

if TYPE_CHECKING:
    from ml_compliance.engine.pairing import Tables

Counts = tuple[Mapping[str, int], Mapping[str, int]]

# Rows that are looked at before all are counted: most names and sentences show by then that they are no categories.
_FIRST = 2**16


def categories(
    tables: Tables, rows: tuple[int, int], kinds: Mapping[str, Kind], limit: int
) -> Iterator[tuple[str, tuple[Side, Side], Counts | None]]:
    """Each column of `kinds`: how many values are missing, and the rows by value in the reference and in the current
    table, which have `rows`; None if there are more than `limit` different values.
    """
    many = _many(tables, [name for name, kind in kinds.items() if kind == "text"], limit)
    for name, kind in kinds.items():
        found = None if name in many else _counted(tables, name, kind, limit)
        missing = _missing(tables, name) if found is None else [values.pop(None, 0) for values in found]
        sides = Side(rows[0], missing[0]), Side(rows[1], missing[1])
        yield name, sides, None if found is None else (_named(found[0]), _named(found[1]))


def _many(tables: Tables, names: list[str], limit: int) -> set[str]:
    """The columns of which the first rows hold so many values that an estimate, a few percent off, is certain of it."""
    if not names:
        return set()
    found: set[str] = set()
    for table in tables:
        wanted = {f"c{place}": table[name].approx_nunique() for place, name in enumerate(names)}
        (row,) = table.select(names).limit(_FIRST).aggregate(**wanted).to_pyarrow().to_pylist()
        found |= {name for place, name in enumerate(names) if row[f"c{place}"] > 2 * limit}
    return found


def _counted(tables: Tables, name: str, kind: Kind, limit: int) -> tuple[dict[str | None, int], ...] | None:
    """The rows by value, None for those that have none."""
    import ibis

    parts = []
    for side, table in enumerate(tables):
        values = table.select(value=plain(table[name], kind))
        parts.append(values.group_by("value").agg(rows=values.count()).mutate(side=ibis.literal(side, "int8")))
    # Each table may hold `limit` values, and rows without one.
    counts = ibis.union(*parts).limit(2 * limit + 3).to_pyarrow().to_pylist()
    found: tuple[dict[str | None, int], ...] = ({}, {})
    for row in counts:
        found[row["side"]][row["value"]] = row["rows"]
    return found if len({*found[0], *found[1]} - {None}) <= limit else None


def _missing(tables: Tables, name: str) -> list[int]:
    return [int(table[name].isnull().sum().to_pyarrow().as_py()) for table in tables]


def _named(values: Mapping[str | None, int]) -> dict[str, int]:
    return {value: count for value, count in values.items() if value is not None}
