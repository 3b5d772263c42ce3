"""Schema drift: how a table's columns differ from a reference table's, by the kinds of anomaly that TFDV has."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ml_compliance.engine.profile import Column, Unseen, categories, number, outside, profile, unseen

if TYPE_CHECKING:
    import ibis.expr.types as ir

AnomalyKind = Literal[
    "missing_column", "new_column", "retyped_column", "new_category", "out_of_range", "missing_values", "nan_values"
]
EXAMPLES = 5
_ALWAYS_FEW = 10
_SHOWN = 40


@dataclass(frozen=True)
class Anomaly:
    """One difference; `rows` are those of the table that it concerns, None when it concerns the whole column."""

    kind: AnomalyKind
    column: str
    detail: str
    rows: int | None = None


@dataclass(frozen=True)
class Drift:
    """The anomalies in the order of the reference's columns, and what was compared.

    `many_valued` are columns of text whose values were not compared, because the reference has too many of them.
    """

    anomalies: tuple[Anomaly, ...]
    compared: tuple[str, ...]
    many_valued: tuple[str, ...]
    reference_rows: int


def compare(
    table: ir.Table,
    reference: ir.Table,
    *,
    tolerance: float,
    limit: int,
    identifiers: Collection[str] = (),
    outputs: Collection[str] = (),
) -> Drift:
    """Compare the columns of `table` with those of `reference`.

    `tolerance` is how far the share of missing values may exceed the reference's, between 0 and 1. `limit` is how
    many distinct values a categorical column of the reference has at most. Of `identifiers` the values are not
    compared. `outputs` are columns that a reference need not have, such as the label and the prediction.
    """
    here, there = profile(table), profile(reference)
    both = [name for name in there if name in here and _same_kind(here[name], there[name])]
    valued = [name for name in both if name not in identifiers]
    known = _categories(reference, [there[name] for name in valued], limit)
    new = unseen(table, known, EXAMPLES)
    ranges = {name: _range(there[name]) for name in valued if name not in known}
    beyond = outside(table, {n: (low, high) for n, (low, high) in ranges.items() if _leaves(here[n], low, high)})
    anomalies: list[Anomaly] = []
    for name, column in there.items():
        if name not in here:
            if name not in outputs:
                anomalies.append(Anomaly("missing_column", name, "the reference has this column, the data has not"))
            continue
        anomalies += _type_and_missing(here[name], column, tolerance)
        if name in new:
            anomalies.append(Anomaly("new_category", name, _unseen(new[name]), new[name].rows))
        if beyond.get(name):
            anomalies.append(Anomaly("out_of_range", name, _beyond(here[name], column, beyond[name]), beyond[name]))
    anomalies += [
        Anomaly("new_column", name, "the data has this column, the reference has not")
        for name in here
        if name not in there and name not in outputs and name not in identifiers
    ]
    many = tuple(name for name in valued if there[name].kind == "text" and name not in known and there[name].values)
    rows = next(iter(there.values())).rows if there else 0
    return Drift(tuple(anomalies), tuple(there), many, rows)


def _same_kind(here: Column, there: Column) -> bool:
    """Whole numbers in a column of numbers are no change of type: a file without fractions reads like that."""
    return here.kind == there.kind or (here.kind == "whole number" and there.kind == "number")


def _categories(reference: ir.Table, columns: list[Column], limit: int) -> Mapping[str, Collection[str]]:
    """The values of the categorical columns: booleans, and text and whole numbers of few values that repeat.

    The estimate chooses whom to count, the count decides.
    """
    chosen = [column for column in columns if column.distinct is not None and 0 < column.distinct <= 2 * limit]
    counts = categories(reference, [column.name for column in chosen])
    return {
        column.name: tuple(counts[column.name])
        for column in chosen
        if _is_categorical(column, len(counts[column.name]), limit)
    }


def _is_categorical(column: Column, distinct: int, limit: int) -> bool:
    if column.kind == "true/false":
        return True
    if column.kind == "text":
        return distinct <= limit and (distinct <= _ALWAYS_FEW or 2 * distinct <= column.values)
    # A whole number may be a quantity; codes repeat.
    return distinct <= limit and 10 * distinct <= column.values


def _range(column: Column) -> tuple[float, float]:
    """Its low and high; everything, when it has none."""
    if column.low is None or column.high is None:
        return -math.inf, math.inf
    return column.low, column.high


def _leaves(column: Column, low: float, high: float) -> bool:
    own_low, own_high = column.low, column.high
    return own_low is not None and own_high is not None and (own_low < low or own_high > high)


def _type_and_missing(here: Column, there: Column, tolerance: float) -> Iterator[Anomaly]:
    # A column without a single value has no type to speak of: files read it as text.
    if here.values and there.values and not _same_kind(here, there):
        yield Anomaly("retyped_column", here.name, f"{here.kind} here, {there.kind} in the reference")
    if here.missing_share > there.missing_share + tolerance:
        detail = f"{here.missing_share:.1%} of the values are missing, {there.missing_share:.1%} in the reference"
        yield Anomaly("missing_values", here.name, detail, here.missing)
    if here.nans and not there.nans:
        detail = f"NaN in {_rows(here.nans)}, none in the reference"
        yield Anomaly("nan_values", here.name, detail, here.nans)


def _unseen(new: Unseen) -> str:
    shown = ", ".join(value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…" for value in new.examples)
    more = new.values - len(new.examples)
    verb = "is" if new.values == 1 else "are"
    return f"{shown}{f' and {more} more' if more else ''} ({_rows(new.rows)}) {verb} not in the reference"


def _beyond(here: Column, there: Column, rows: int) -> str:
    return f"{_rows(rows)} outside {_span(there)} of the reference; here {_span(here)}"


def _span(column: Column) -> str:
    low, high = _range(column)
    return f"{number(low)} to {number(high)}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
