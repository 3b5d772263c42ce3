"""Predicted numbers: the judged table of a regression, and one query that sums its residuals exactly."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.checks import (
    check_groups,
    constant,
    found_in,
    group_columns,
    known,
    refuse_missing,
    require_columns,
)
from ml_compliance.engine.judged import Judged
from ml_compliance.errors import EvaluationError
from ml_compliance.stats.counts import Group
from ml_compliance.stats.regression import DECIMALS, ResidualCube, Scale, Sums

if TYPE_CHECKING:
    import ibis.expr.types as ir

# 38 digits, ten of them before the point: terms lie in [−1, 1], so 10 billion rows can be added.
_EXACT = f"decimal(38, {DECIMALS})"
# A label to 14 decimals has a square of 28, which is exact: a group's spread is a difference of such sums.
_LABEL = f"decimal(17, {DECIMALS // 2})"
_LARGEST = 2.0**1000
_DIGITS = Context(prec=60)


def judge_numbers(table: ir.Table, name: str, label: str, prediction: str, sensitive: tuple[str, ...]) -> Judged:
    """Check `table` (called `name` in messages) and give label and prediction as float64.

    Raises UsageError when a column is absent, EvaluationError when its content cannot be judged: no numbers, missing
    or infinite values, the same number in every row, an identifier where a sensitive attribute should be.
    """
    require_columns(table, (label, prediction, *sensitive), name)
    for role, column in (("label", label), ("prediction", prediction)):
        _check_numbers(table, column, role, f"{name}, column {column!r}")
    check_groups(table, sensitive, name)
    judged = table.select(
        label=table[label].cast("float64"),
        prediction=table[prediction].cast("float64"),
        **group_columns(table, sensitive),
    )
    return Judged(judged, sensitive, False, int(judged.count().to_pyarrow().as_py()), name)


def _check_numbers(table: ir.Table, name_of_column: str, role: str, where: str) -> None:
    kind = table[name_of_column].type()
    if not kind.is_numeric() or kind.is_boolean():
        raise EvaluationError(
            f"the {role} holds {str(kind).lower()}, not numbers",
            where=where,
            remedy="a regression predicts numbers; for classes write data.task: multiclass, or leave data.task out",
        )
    column = known(table[name_of_column].cast("float64"))
    refuse_missing(table, column, where, role)
    low, high = table.aggregate(low=column.min(), high=column.max()).to_pyarrow().to_pylist()[0].values()
    if max(abs(low), abs(high)) > _LARGEST:
        beyond = column.abs() > _LARGEST
        raise EvaluationError(
            f"the {role} is infinite, or too large to be squared{found_in(table, beyond)}",
            where=where,
            remedy="look at what makes this value, and write the number that is meant",
        )
    if low == high:
        raise constant(role, f"{low:.6g}", where, "different numbers")


def sum_residuals(judged: Judged) -> ResidualCube:
    """The residual cube over all sensitive attributes of `judged`: one query for the ranges, one for the sums.

    Labels are rounded to 10⁻¹⁴ of their range, and each term of a sum to 10⁻²⁸ of the largest: with that the
    metrics are those of scikit-learn to 1e-9, unless a group's labels or residuals are a millionth of the others'.
    """
    table = judged.table
    scale = _scale(table)
    u = ((table.label - scale.centre) / scale.label).cast(_LABEL)
    v = (table.label - table.prediction) / scale.residual
    rounded = u.cast("float64")
    terms: dict[str, Any] = {
        "absolute": v.abs(),
        "v": v,
        "v_v": v * v,
        "v_4": v * v * v * v,
        "u": u,
        "u_u": u * u,
        "u_3": rounded * rounded * rounded,
        "u_4": rounded * rounded * rounded * rounded,
        "v_v_u": v * v * rounded,
        "v_v_u_u": v * v * rounded * rounded,
    }
    sums = {name: term.cast(_EXACT).sum() for name, term in terms.items()}
    found = table.group_by(judged.keys).agg(n=table.count(), **sums) if judged.keys else None
    rows = (table.aggregate(n=table.count(), **sums) if found is None else found).to_pyarrow().to_pylist()
    cells: dict[Group, Sums] = {}
    for row in rows:
        group = tuple(row[key] for key in judged.keys)
        cells[group] = Sums(n=row["n"], **{name: _units(row[name]) for name in terms})
    return ResidualCube(judged.attributes, scale, cells)


def _units(value: Decimal) -> int:
    """A sum in whole units of 10⁻²⁸; Decimal's own precision of 28 digits would cut it."""
    return int(_DIGITS.scaleb(value, DECIMALS))


def _scale(table: ir.Table) -> Scale:
    """The middle of the labels, and the powers of two that bring labels and residuals into [−1, 1]."""
    residual = (table.label - table.prediction).abs().max()
    low, high, largest = (
        table.aggregate(low=table.label.min(), high=table.label.max(), largest=residual)
        .to_pyarrow()
        .to_pylist()[0]
        .values()
    )
    centre = low / 2 + high / 2
    return Scale(centre, _power_of_two(max(high - centre, centre - low)), _power_of_two(largest))


def _power_of_two(value: float) -> float:
    """The smallest power of two that is not below `value`; 1 for 0."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(1.0, exponent if mantissa > 0.5 else exponent - 1) if value else 1.0
