"""Whether the data has drifted: PSI, Kolmogorov–Smirnov, Jensen–Shannon, Wasserstein, chi² and missing, by column."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_compliance.engine import distributions, pairing, samples
from ml_compliance.engine.categories import categories
from ml_compliance.errors import UsageError
from ml_compliance.facts import Column
from ml_compliance.model import Evidence, Json, Measurement
from ml_compliance.stats import drift
from ml_compliance.stats.apart import Apart, Bins

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.engine.categories import Counts
    from ml_compliance.engine.pairing import Kind, Side, Tables

MAX_CATEGORIES = 1_000
"""Text of more values than this is not categories, but names or sentences: its distribution tells nothing."""
BINNED = ("psi", "jensen_shannon", "chi_squared")
ORDERED = ("kolmogorov_smirnov", "wasserstein", "wasserstein_normalised")
_IGNORED = "left out in compliance.yaml"
_ROW_ID = "it names the rows (data.id)"
_NO_VALUES = "it has no values in either table"
_BY_QUANTILES = "quantiles of the reference; ties collapsed; open ends; upper edge inside; missing values are a bin"
_BY_VALUE = "one bin for each value; missing values are a bin"


@dataclass(frozen=True)
class Settings:
    """How the evaluation table is compared with the reference table."""

    __pydantic_config__ = {"extra": "forbid", "use_attribute_docstrings": True}  # noqa: RUF012

    bins: int = 10
    """Into how many bins of equal frequency in the reference a column of numbers or dates is divided."""
    floor: float = 1e-4
    """The share that an emptier bin counts as in the PSI."""
    log: drift.Log = "e"
    """The base of logarithms in PSI and Jensen–Shannon distance."""
    ignore: tuple[str, ...] = ()
    """Columns that are not compared, besides data.id. A law that judges every column has to leave these out, too."""


@dataclass(frozen=True)
class Compared:
    """One column: its bins, the values of numbers or dates in both tables, or why there is nothing to compare."""

    name: str
    kind: Kind
    sides: tuple[Side, Side]
    bins: Bins | None = None
    values: tuple[str, ...] = ()
    numbers: Apart | None = None
    reason: str = ""


def measure(context: Context, settings: Settings) -> Evidence:
    """Compare every column that both tables have. Raises UsageError when a setting cannot be."""
    if context.reference is None:
        return Evidence("drift", "missing", reason="no reference table is named: write data.reference: FILE in "
                        "compliance.yaml")  # fmt: skip
    _check(context, settings)
    tables = context.reference, context.evaluation
    ignored = _ignored(context, settings)
    kinds, reasons = pairing.shared(*tables, ignored)
    unmatched = pairing.unmatched(*tables, reasons, ignored)
    measurements: list[Measurement] = []
    columns: dict[str, Json] = {}
    rows = pairing.counted(tables)
    compared: dict[str, Compared] = {}
    with context.progress("drift", len(kinds)) as advance:
        for column in _columns(tables, rows, kinds, settings.bins):
            compared[column.name] = column
            advance(1)
    for column in (compared[name] for name in kinds):
        measurements.append(_missing_share(column))
        if column.bins is None:
            reasons[column.name] = column.reason
            continue
        columns[column.name] = _fact(column, column.bins)
        measurements += _binned(column, column.bins, settings)
        if column.kind in pairing.ORDERED:
            measurements += _ordered(column)
    for name, reason in {**reasons, **unmatched}.items():
        measurements += _none(name, BINNED, reason)
    apart = {name: reason for name, reason in reasons.items() if name not in unmatched}
    left_out: dict[str, Json] = {**dict(sorted(ignored.items())), **dict(sorted(apart.items()))}
    facts: dict[str, Json] = {
        "columns": columns,
        "compared": len(columns),
        "left_out": left_out,
        "left_out_columns": len(left_out),
        "unmatched": unmatched,
        "unmatched_columns": len(unmatched),
        "outputs": {role: name for role, name in _outputs(context).items() if name in columns},
    }
    if not columns:
        reason = "the evaluation and the reference table have no column that can be compared"
        return Evidence("drift", "not_estimable", tuple(measurements), facts, rows=rows[1], reason=reason)
    return Evidence("drift", "measured", tuple(measurements), facts, rows=rows[1])


def _check(context: Context, settings: Settings) -> None:
    where = "compliance.yaml: measure.drift"
    if not 2 <= settings.bins <= 1_000:
        raise UsageError(f"bins is {settings.bins}", where=where, remedy="write a whole number from 2 to 1000")
    if not 0 < settings.floor < 1:
        raise UsageError(f"floor is {settings.floor}", where=where, remedy="write a share such as 1e-4")
    known = _known(context)
    for name in settings.ignore:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise UsageError(f"ignore names {name!r}, which neither table has", where=where,
                             remedy=f"did you mean {near[0]!r}?" if near else "take it out")  # fmt: skip


def _known(context: Context) -> set[str]:
    return {*context.evaluation.columns, *(context.reference.columns if context.reference is not None else ())}


def _ignored(context: Context, settings: Settings) -> dict[str, str]:
    """The columns that compliance.yaml takes out of the comparison, and why: the law has to take them out as well."""
    found = dict.fromkeys(settings.ignore, _IGNORED)
    row_id = context.facts.data.id
    return {row_id: _ROW_ID, **found} if row_id and row_id in _known(context) else found


def _columns(tables: Tables, rows: tuple[int, int], kinds: Mapping[str, Kind], bins: int) -> Iterator[Compared]:
    """Every column: those with an order, and then those that hold categories."""
    ordered = {name: kind for name, kind in kinds.items() if kind in pairing.ORDERED}
    in_memory = sum(rows) <= samples.FEW
    for name, sides, numbers in (samples if in_memory else distributions).ordered(tables, rows, ordered, bins):
        yield _of_numbers(name, kinds[name], sides, numbers)
    others = {name: kind for name, kind in kinds.items() if name not in ordered}
    for name, sides, counts in categories(tables, rows, others, MAX_CATEGORIES):
        yield _of_categories(name, kinds[name], sides, counts)


def _of_numbers(name: str, kind: Kind, sides: tuple[Side, Side], numbers: Apart | None) -> Compared:
    missing = sides[0].missing, sides[1].missing
    if not any(side.values for side in sides):
        return Compared(name, kind, sides, reason=_NO_VALUES)
    if numbers:
        return Compared(name, kind, sides, numbers.binned(missing), numbers=numbers)
    # Only one table has values: one bin of them, and one of what is missing.
    return Compared(name, kind, sides, Bins((), *((side.values, side.missing) for side in sides)))


def _of_categories(name: str, kind: Kind, sides: tuple[Side, Side], counts: Counts | None) -> Compared:
    if not any(side.values for side in sides):
        return Compared(name, kind, sides, reason=_NO_VALUES)
    if counts is None:
        reason = f"it holds more than {MAX_CATEGORIES} different texts: group them, or let the law leave it out"
        return Compared(name, kind, sides, reason=reason)
    values = tuple(sorted({*counts[0], *counts[1]}))
    reference, current = (
        (*(rows.get(value, 0) for value in values), side.missing) for rows, side in zip(counts, sides, strict=True)
    )
    return Compared(name, kind, sides, Bins((), reference, current), values)


def _fact(column: Compared, bins: Bins) -> dict[str, Json]:
    where: dict[str, Json] = (
        {"edges": list(bins.edges)} if column.kind in pairing.ORDERED else {"values": list(column.values)}
    )
    return {"kind": column.kind, **where, "reference": list(bins.reference), "current": list(bins.current)}


def _missing_share(column: Compared) -> Measurement:
    reference, current = (side.missing / side.rows for side in column.sides)
    method: dict[str, Json] = {"reference": reference, "current": current}
    return _found(column, "missing_share", abs(current - reference), method=method)


def _binned(column: Compared, bins: Bins, settings: Settings) -> Iterator[Measurement]:
    ordered = column.kind in pairing.ORDERED
    method: dict[str, Json] = {"binning": _BY_QUANTILES if ordered else _BY_VALUE}
    if ordered:
        method = {**method, "bins": settings.bins, "edges": list(bins.edges), **_unit(column)}
    log: dict[str, Json] = {"log": settings.log}
    counts = bins.reference, bins.current
    yield _found(column, "psi", drift.psi(*counts, settings.floor, settings.log),
                 method={**method, **log, "floor": settings.floor})  # fmt: skip
    yield _found(column, "jensen_shannon", drift.jensen_shannon(*counts, settings.log), method={**method, **log})
    test = drift.chi_squared(*counts)
    yield _found(column, "chi_squared", test.statistic, method={**method, "dof": test.dof, "p": test.p})


def _ordered(column: Compared) -> Iterator[Measurement]:
    if column.numbers is None:
        empty = "reference" if not column.sides[0].values else "evaluation"
        yield from _none(column.name, ORDERED, f"the {empty} table has no values in it")
        return
    n, m = column.numbers.rows
    distance = column.numbers.kolmogorov_smirnov
    p: dict[str, Json] = {"p": drift.kolmogorov_p(distance, n, m), "p_method": "Kolmogorov's limit"}
    yield _found(column, "kolmogorov_smirnov", distance, m, {"reference_n": n, **p})
    area = column.numbers.wasserstein
    deviation = column.sides[0].deviation
    if not math.isfinite(area):
        infinite = any(side.below or side.above for side in column.sides)
        reason = "it holds infinite values" if infinite else "its values exceed what a float can hold"
        yield from _none(column.name, ORDERED[1:], reason)
        return
    yield _found(column, "wasserstein", area, m, {"reference_n": n, **_unit(column)})
    if not deviation or not math.isfinite(area / deviation):
        reason = "the reference has no standard deviation" if deviation is None else "the reference does not vary"
        yield from _none(column.name, ORDERED[2:], reason)
        return
    method: dict[str, Json] = {"reference_n": n, "reference_deviation": deviation}
    yield _found(column, "wasserstein_normalised", area / deviation, m, method)


def _unit(column: Compared) -> dict[str, Json]:
    return {"unit": pairing.UNITS[column.kind]} if column.kind in pairing.UNITS else {}


def _found(
    column: Compared, name: str, value: float, n: int | None = None, method: Mapping[str, Json] | None = None
) -> Measurement:
    reference, current = column.sides
    return Measurement(
        f"drift/{name}",
        value,
        slice={"column": column.name},
        n=current.rows if n is None else n,
        method={"reference_rows": reference.rows, **(method or {})},
    )


def _none(column: str, names: tuple[str, ...], reason: str) -> Iterator[Measurement]:
    for name in names:
        yield Measurement(f"drift/{name}", None, "not_estimable", slice={"column": column}, reason=reason)


def _outputs(context: Context) -> dict[str, str]:
    """The columns that hold what the model should say, and what it says."""
    data = context.facts.data
    named = {"label": data.label, "prediction": data.prediction, "score": data.score}
    names = {role: told.column if isinstance(told, Column) else told for role, told in named.items()}
    return {role: name for role, name in names.items() if name}
