"""What a table's columns hold, in one scan: types, missing values, NaN, ranges and an estimate of distinct values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir

Kind = Literal["whole number", "number", "true/false", "text", "date", "time stamp", "time", "other"]


# Below this, a float still tells whole numbers apart.
_EXACT = 2.0**53


@dataclass(frozen=True)
class Column:
    """One column: `values` are neither null nor NaN; `low` and `high` are those of numbers, NaN left aside.

    `distinct` is an estimate (HyperLogLog, a few percent off) for kinds that can be categories, else None.
    """

    name: str
    kind: Kind
    rows: int
    nulls: int
    nans: int = 0
    low: float | None = None
    high: float | None = None
    distinct: int | None = None

    @property
    def values(self) -> int:
        return self.rows - self.missing

    @property
    def missing(self) -> int:
        return self.nulls + self.nans

    @property
    def missing_share(self) -> float:
        """Missing values per row, 0 for a table without rows."""
        return self.missing / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Unseen:
    """Values of a column that are none of the known: how many rows and distinct values, and the commonest."""

    rows: int
    values: int
    examples: tuple[str, ...]


def profile(table: ir.Table) -> dict[str, Column]:
    """The columns of `table` by name, in its order; one scan, whatever their number."""
    import ibis

    kinds = {name: kind_of(dtype) for name, dtype in table.schema().items()}
    wanted: dict[str, Any] = {"rows": table.count()}
    for index, (name, kind) in enumerate(kinds.items()):
        column = table[name]
        wanted[f"nulls{index}"] = column.isnull().sum()
        if kind in ("whole number", "number"):
            floating = column.type().is_floating()
            real = column.isnan().ifelse(ibis.null(), column) if floating else column
            if floating:
                wanted[f"nans{index}"] = column.isnan().sum()
            wanted[f"low{index}"] = real.min().cast("float64")
            wanted[f"high{index}"] = real.max().cast("float64")
        if kind in ("whole number", "text", "true/false"):
            wanted[f"distinct{index}"] = column.approx_nunique()
    (found,) = table.aggregate(**wanted).to_pyarrow().to_pylist()
    return {
        name: Column(
            name, kind, found["rows"],
            nulls=found[f"nulls{index}"] or 0,
            nans=found.get(f"nans{index}") or 0,
            low=found.get(f"low{index}"),
            high=found.get(f"high{index}"),
            distinct=found.get(f"distinct{index}"),
        )
        for index, (name, kind) in enumerate(kinds.items())
    }  # fmt: skip


def kind_of(dtype: dt.DataType) -> Kind:
    """The kind of an Ibis type: what is a change of type to a person, and not how many bits it takes."""
    tests: tuple[tuple[bool, Kind], ...] = (
        (dtype.is_integer(), "whole number"),
        (dtype.is_floating() or dtype.is_decimal(), "number"),
        (dtype.is_boolean(), "true/false"),
        (dtype.is_string(), "text"),
        (dtype.is_date(), "date"),
        (dtype.is_timestamp(), "time stamp"),
        (dtype.is_time(), "time"),
    )
    return next((kind for matches, kind in tests if matches), "other")


def categories(table: ir.Table, columns: Collection[str]) -> dict[str, dict[str, int]]:
    """The values of each of `columns`, as text, and their rows; one scan. Meant for columns of few values."""
    counts: dict[str, dict[str, int]] = {name: {} for name in columns}
    if counts:
        for row in _value_counts(table, columns).to_pyarrow().to_pylist():
            counts[row["column"]][row["value"]] = row["rows"]
    return counts


def unseen(table: ir.Table, known: Mapping[str, Collection[str]], examples: int) -> dict[str, Unseen]:
    """The columns of `known` with values that are none of the known, given as text; one scan.

    However many values there are, at most `examples` of each column are read, the commonest first.
    """
    import ibis

    if not known:
        return {}
    counts = _value_counts(table, list(known))
    seen = [(counts.column == name) & counts.value.isin(sorted(values)) for name, values in known.items() if values]
    new = counts.filter(~ibis.or_(*seen)) if seen else counts
    order = [new.rows.desc(), new.value]
    ranked = new.mutate(
        rank=ibis.row_number().over(group_by=new.column, order_by=order),
        all_rows=new.rows.sum().over(group_by=new.column),
        all_values=new.count().over(group_by=new.column),
    )
    kept = ranked.filter(ranked["rank"] < examples).order_by("column", "rank").to_pyarrow().to_pylist()
    return {
        name: Unseen(group[0]["all_rows"], group[0]["all_values"], tuple(row["value"] for row in group))
        for name in known
        if (group := [row for row in kept if row["column"] == name])
    }


def outside(table: ir.Table, ranges: Mapping[str, tuple[float, float]]) -> dict[str, int]:
    """How many rows of each column lie outside its range (low, high; both inclusive); one scan. NaN is inside."""
    if not ranges:
        return {}
    wanted: dict[str, Any] = {}
    for index, (name, (low, high)) in enumerate(ranges.items()):
        column = table[name]
        beyond = (column < low) | (column > high)
        wanted[f"rows{index}"] = (beyond & ~column.isnan() if column.type().is_floating() else beyond).sum()
    (found,) = table.aggregate(**wanted).to_pyarrow().to_pylist()
    return {name: found[f"rows{index}"] or 0 for index, name in enumerate(ranges)}


def _value_counts(table: ir.Table, columns: Collection[str]) -> Any:
    import ibis

    text = table.select(**{name: table[name].cast("string") for name in columns})
    long = text.pivot_longer(list(columns), names_to="column", values_to="value").filter(ibis._.value.notnull())
    return long.group_by("column", "value").aggregate(rows=ibis._.count())


def number(value: float) -> str:
    """A number for people: whole ones without a point, others with up to six digits."""
    return f"{value:.0f}" if abs(value) < _EXACT and value == int(value) else f"{value:.6g}"
