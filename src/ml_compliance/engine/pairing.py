"""Two tables side by side: the columns that both have, brought to one type, and what they hold at a glance."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ml_compliance.engine.profile import kind_of

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir

    Tables = tuple[ir.Table, ir.Table]

Kind = Literal["number", "date", "time stamp", "true/false", "text"]
ORDERED: tuple[Kind, ...] = ("number", "date", "time stamp")
UNITS: Mapping[Kind, str] = {"date": "days", "time stamp": "seconds"}

_KINDS: Mapping[str, Kind] = {
    "whole number": "number", "number": "number", "date": "date", "time stamp": "time stamp",
    "true/false": "true/false", "text": "text",
}  # fmt: skip
# Values that are copied at a time: half a gigabyte of floats.
_BATCH = 2**26
# The square of anything beyond overflows, and an engine may refuse to go on.
SQUARABLE = 1e150


@dataclass(frozen=True)
class Side:
    """One column in one table: `missing` is null or NaN; `low` and `high` are those of finite numbers.

    `below` and `above` count −∞ and +∞. `deviation` is the population's standard deviation, None where there is none.
    All but the counts are None without values, and for columns that are not ordered.
    """

    rows: int
    missing: int
    below: int = 0
    above: int = 0
    low: float | None = None
    high: float | None = None
    deviation: float | None = None

    @property
    def values(self) -> int:
        return self.rows - self.missing

    @property
    def finite(self) -> int:
        return self.values - self.below - self.above


@dataclass(frozen=True)
class Batch:
    """Some ordered columns of the reference and of the current table, under the same `keys` in both.

    They are floats (numbers, days or seconds since 1970) without NaN.
    """

    tables: Tables
    keys: Mapping[str, str]
    sides: Mapping[str, tuple[Side, Side]]


def shared(
    reference: ir.Table, current: ir.Table, ignored: Collection[str] = ()
) -> tuple[dict[str, Kind], dict[str, str]]:
    """The kind of each column that both tables have and that can be compared, and why the others cannot be."""
    here, there = current.schema(), reference.schema()
    both = [name for name in there if name in here and name not in ignored]
    kinds: dict[str, Kind] = {}
    reasons: dict[str, str] = {}
    for name in both:
        one, other = (_KINDS.get(kind_of(schema[name])) for schema in (there, here))
        if one is None or other is None:
            unknown = there[name] if one is None else here[name]
            reasons[name] = f"it holds {str(unknown).lower()}, which is not compared"
        elif one == other:
            kinds[name] = one
        elif {one, other} == {"date", "time stamp"}:
            kinds[name] = "time stamp"
        else:
            reasons[name] = f"it holds {_worded(here[name])} here and {_worded(there[name])} in the reference"
    # A column without a single value has no type to speak of: files read it as text.
    filled = [_filled(table, reasons) for table in (reference, current)]
    for name in list(reasons):
        typed = [
            (_KINDS.get(kind_of(schema[name])), has[name]) for schema, has in zip((there, here), filled, strict=True)
        ]
        known = [kind for kind, has_values in typed if has_values]
        if len(known) == 1 and known[0] is not None:
            kinds[name] = known[0]
            del reasons[name]
    return {name: kinds[name] for name in both if name in kinds}, reasons


def unmatched(
    reference: ir.Table, current: ir.Table, reasons: Mapping[str, str], ignored: Collection[str] = ()
) -> dict[str, str]:
    """The columns that are not in both tables as one type, and why: `reasons` are those that `shared` gave."""
    here, there = current.schema(), reference.schema()
    found = {
        name: reason for name, reason in reasons.items()
        if _KINDS.get(kind_of(here[name])) != _KINDS.get(kind_of(there[name]))
    }  # fmt: skip
    found |= {name: "the evaluation table does not have it" for name in there if name not in here}
    found |= {name: "the reference does not have it" for name in here if name not in there}
    return {name: reason for name, reason in sorted(found.items()) if name not in ignored}


def _worded(dtype: dt.DataType) -> str:
    return {"number": "numbers", "whole number": "numbers", "date": "dates", "time stamp": "time stamps"}.get(
        kind := kind_of(dtype), kind
    )


def _filled(table: ir.Table, names: Collection[str]) -> dict[str, bool]:
    if not names:
        return {}
    wanted = {f"c{place}": table[name].count() for place, name in enumerate(names)}
    (found,) = table.aggregate(**wanted).to_pyarrow().to_pylist()
    return {name: found[f"c{place}"] > 0 for place, name in enumerate(names)}


def counted(tables: Tables) -> tuple[int, int]:
    """How many rows each table has."""
    reference, current = (int(table.count().to_pyarrow().as_py()) for table in tables)
    return reference, current


def batches(tables: Tables, rows: tuple[int, int], kinds: Mapping[str, Kind]) -> Iterator[Batch]:
    """The ordered columns of `kinds` in batches of half a gigabyte, copied so that files are read once."""
    size = max(1, _BATCH // max(sum(rows), 1))
    names = list(kinds)
    for start in range(0, len(names), size):
        with _copied(tables, {name: kinds[name] for name in names[start : start + size]}) as batch:
            yield batch


@contextmanager
def _copied(tables: Tables, kinds: Mapping[str, Kind]) -> Iterator[Batch]:
    keys = {name: f"c{place}" for place, name in enumerate(kinds)}
    copies = [
        table.select(**{keys[name]: plain(table[name], kind).nullif(math.nan) for name, kind in kinds.items()})
        for table in tables
    ]
    with copies[0].cache() as reference, copies[1].cache() as current:
        sides = [_sides(table, keys) for table in (reference, current)]
        together = {name: (sides[0][name], sides[1][name]) for name in kinds}
        yield Batch((reference, current), keys, together)


def plain(column: Any, kind: Kind) -> Any:
    """`column` as a float, which may be NaN, or as text; a column of another type is one without values."""
    import ibis

    own = _KINDS.get(kind_of(column.type()))
    if kind == "number":
        return column.cast("float64") if own == kind else ibis.null("float64")
    if kind == "date":
        return column.epoch_days().cast("float64") if own == kind else ibis.null("float64")
    if kind == "time stamp":
        if own not in ("date", "time stamp"):
            return ibis.null("float64")
        moment = column.cast("timestamp") if own == "date" else column
        # Microseconds as text: not every engine extracts them as a number.
        return moment.truncate("s").epoch_seconds().cast("float64") + moment.strftime("%f").cast("float64") / 1e6
    return column.cast("string")


def _sides(table: ir.Table, keys: Mapping[str, str]) -> dict[str, Side]:
    wanted: dict[str, Any] = {"rows": table.count()}
    for key in keys.values():
        column = table[key]
        wanted |= {f"values_{key}": column.count(), f"low_{key}": column.min(), f"high_{key}": column.max()}
    (found,) = table.aggregate(**wanted).to_pyarrow().to_pylist()
    sides = {}
    for name, key in keys.items():
        low, high, values = (found[f"{what}_{key}"] for what in ("low", "high", "values"))
        side = Side(found["rows"], found["rows"] - values, low=low, high=high)
        infinite = low is not None and (math.isinf(low) or math.isinf(high))
        sides[name] = replace(side, **_without_infinities(table[key])) if infinite else side
    return _with_deviations(table, keys, sides)


def _without_infinities(column: Any) -> dict[str, Any]:
    finite = ~column.isinf()
    wanted = {
        "below": (column.isinf() & (column < 0)).sum(), "above": (column.isinf() & (column > 0)).sum(),
        "low": column.min(where=finite), "high": column.max(where=finite),
    }  # fmt: skip
    (found,) = column.as_table().aggregate(**wanted).to_pyarrow().to_pylist()
    return dict(found)


def _with_deviations(table: ir.Table, keys: Mapping[str, str], sides: Mapping[str, Side]) -> dict[str, Side]:
    able = [
        name for name, side in sides.items()
        if side.low is not None and side.high is not None and side.finite == side.values
        and max(abs(side.low), abs(side.high)) < SQUARABLE
    ]  # fmt: skip
    if not able:
        return dict(sides)
    wanted = {keys[name]: table[keys[name]].std(how="pop") for name in able}
    (found,) = table.aggregate(**wanted).to_pyarrow().to_pylist()
    # Its last digits depend on the order in which an engine adds up rows.
    known = {name: float(f"{found[keys[name]]:.9g}") for name in able}
    return {name: replace(side, deviation=known.get(name)) for name, side in sides.items()}
