"""Hard limits on predictions: how many rows each is about, and how many break it, in one query on any engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.checks import has_order, known, require_columns
from ml_compliance.engine.classes import names_of
from ml_compliance.engine.judged import positive_of
from ml_compliance.errors import UsageError
from ml_compliance.facts import Column, Task

if TYPE_CHECKING:
    import ibis.expr.types as ir

PREDICTION = "prediction"
SCORE = "score"

_EXAMPLES = 5
_ROW = "ml_compliance_row"

Condition = Mapping[str, Any]
"""Columns, each with the value it has, or with `min`, `max` (both inclusive) or `in`; all of them hold."""


@dataclass(frozen=True)
class Limit:
    """In every row for which `when` holds, `then` must hold; `where` is the place of the law that says so."""

    when: Condition
    then: Condition
    where: str


@dataclass(frozen=True)
class Kept:
    """Of the rows that a limit is about, `selected`, those that break it, and the ids of some of these.

    `undetermined` are rows that lack a value `when` asks for, so that they may be selected, and do not keep `then`.
    """

    selected: int
    broken: int
    undetermined: int
    examples: tuple[str, ...]


def with_decision(table: ir.Table, name: str, prediction: Column, score: str | None, task: Task) -> ir.Table:
    """`table` with the columns `prediction` (0 or 1, the class's name, or the number) and, if there is one, `score`."""
    column = table[prediction.column]
    if task == "binary":
        column = positive_of(column, prediction, PREDICTION, name).cast("int8")
    elif task == "multiclass":
        column = names_of(table, prediction.column, PREDICTION, name)
    return table.mutate(**{PREDICTION: column, **({SCORE: table[score]} if score else {})})


def check_limits(table: ir.Table, name: str, limits: Sequence[Limit], id_column: str | None) -> list[Kept]:
    """How each of `limits` is kept in `table`, which is called `name` in messages.

    A row breaks a limit when `when` holds, and `then` does not or cannot be told. Raises UsageError when a column does
    not exist, or can never have the value that it is compared with.
    """
    sums: dict[str, Any] = {}
    for place, limit in enumerate(limits):
        when, then = _holds(table, limit.when, limit, name), _holds(table, limit.then, limit, name).fill_null(False)
        sums[f"selected_{place}"] = when.fill_null(False).sum()
        sums[f"broken_{place}"] = (when.fill_null(False) & ~then).sum()
        sums[f"undetermined_{place}"] = (when.isnull() & ~then).sum()
    counts = table.aggregate(**sums).to_pyarrow().to_pylist()[0]
    found = []
    for place, limit in enumerate(limits):
        selected, broken, undetermined = (
            int(counts[f"{what}_{place}"] or 0) for what in ("selected", "broken", "undetermined")
        )
        examples = _broken_rows(table, name, limit, id_column) if broken else ()
        found.append(Kept(selected, broken, undetermined, examples))
    return found


def _broken_rows(table: ir.Table, name: str, limit: Limit, id_column: str | None) -> tuple[str, ...]:
    """The first rows that break `limit`, by id or else by number; none where rows have neither."""
    import ibis

    if id_column is None and not has_order(table):
        return ()
    numbered = table.mutate(**{_ROW: ibis.row_number() + 1 if id_column is None else table[id_column]})
    when, then = _holds(numbered, limit.when, limit, name), _holds(numbered, limit.then, limit, name)
    broken = numbered.filter(when.fill_null(False) & ~then.fill_null(False))
    rows = broken.order_by(_ROW).limit(_EXAMPLES).select(_ROW).to_pyarrow()[_ROW].to_pylist()
    return tuple(str(row) for row in rows if row is not None)


def _holds(table: ir.Table, condition: Condition, limit: Limit, name: str) -> Any:
    """Whether `condition` holds in a row; null where a value is missing and no other value decides."""
    require_columns(table, condition, f"{name}, asked for by {limit.where}")
    return reduce(and_, (_compared(known(table[key]), key, wanted, limit) for key, wanted in condition.items()))


def _compared(column: Any, name: str, wanted: Any, limit: Limit) -> Any:
    if not isinstance(wanted, Mapping):
        return column == _fitting(column, name, wanted, limit)
    parts = []
    if "min" in wanted:
        parts.append(column >= _fitting(column, name, wanted["min"], limit))
    if "max" in wanted:
        parts.append(column <= _fitting(column, name, wanted["max"], limit))
    if "in" in wanted:
        parts.append(column.isin([_fitting(column, name, value, limit) for value in wanted["in"]]))
    return reduce(and_, parts)


def _fitting(column: Any, name: str, value: Any, limit: Limit) -> Any:
    """`value`, if the column can have it: a comparison of two kinds would never hold, and the limit be no limit."""
    kind = column.type()
    if isinstance(value, bool):
        fits = kind.is_boolean()
    elif isinstance(value, str):
        fits = kind.is_string()
    else:
        fits = kind.is_numeric() and not kind.is_boolean()
    if not fits:
        raise UsageError(f"the column {name!r} holds {str(kind).lower()}, which is never {value!r}", where=limit.where,
                         remedy="write a value of the column's kind")  # fmt: skip
    return value
