"""Performance of predicted numbers, from exact sums over the rows of a group. scikit-learn is the reference.

A residual is label − prediction: a positive mean residual means that predictions are too low.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from fractions import Fraction

from ml_compliance.model import Interval
from ml_compliance.stats import intervals
from ml_compliance.stats.counts import Group
from ml_compliance.stats.performance import Estimate
from ml_compliance.stats.rollup import roll_up

DECIMALS = 28
"""The sums are whole numbers of 10⁻²⁸, so they do not depend on the order in which rows are added."""
METRICS = ("mae", "rmse", "r2", "mean_residual")


@dataclass(frozen=True)
class Sums:
    """Sums over the rows of a group, in units of 10⁻²⁸. v is the residual and u the label, each moved and scaled
    into [−1, 1] (see `Scale`): `v_v_u` is Σ v²·u.
    """

    n: int
    absolute: int
    v: int
    v_v: int
    v_4: int
    u: int
    u_u: int
    u_3: int
    u_4: int
    v_v_u: int
    v_v_u_u: int

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Sums) -> Sums:
        return Sums(*(one - two for one, two in zip(astuple(self), astuple(other), strict=True)))

    def mean(self, name: str) -> Fraction:
        """The mean over the rows of the term that is summed as `name`."""
        return Fraction(getattr(self, name), self.n * 10**DECIMALS)


@dataclass(frozen=True)
class Scale:
    """u = (label − centre) / label and v = residual / residual, with powers of two as divisors."""

    centre: float
    label: float
    residual: float


@dataclass(frozen=True)
class ResidualCube:
    """Sums for every combination of the attributes' values that occurs."""

    attributes: tuple[str, ...]
    scale: Scale
    cells: Mapping[Group, Sums]

    def by(self, attributes: tuple[str, ...]) -> dict[Group, Sums]:
        """The sums of each group of `attributes`, sorted; with no attributes, of all rows as the group `()`."""
        return roll_up(self.cells, self.attributes, attributes)


@dataclass(frozen=True)
class Mean:
    """The mean of a group, its standard error (None for a single row), and the group's rows."""

    value: float
    error: float | None
    n: int


def mean_residual(sums: Sums, scale: Scale) -> Mean:
    """The mean of label − prediction, in units of the label."""
    return _mean(sums.mean("v"), sums.mean("v_v"), sums.n, scale.residual)


def mean_absolute_error(sums: Sums, scale: Scale) -> Mean:
    """The mean of |label − prediction|, in units of the label."""
    return _mean(sums.mean("absolute"), sums.mean("v_v"), sums.n, scale.residual)


def _mean(mean: Fraction, mean_square: Fraction, n: int, unit: float) -> Mean:
    error = None
    if n > 1:
        # Squares are rounded to 10⁻²⁸, so the difference of equal numbers may come out below 0.
        error = math.sqrt(max(0.0, float((mean_square - mean * mean) / (n - 1)))) * unit
    return Mean(float(mean) * unit, error, n)


def _normal(mean: Mean, least: float = -math.inf) -> Estimate:
    if mean.error is None:
        return Estimate(mean.value)
    half = intervals.normal_quantile(intervals.CONFIDENCE) * mean.error
    interval = Interval(max(least, mean.value - half), mean.value + half, intervals.CONFIDENCE, "normal, of a mean")
    return Estimate(mean.value, interval)


def mae(sums: Sums, scale: Scale) -> Estimate:
    """Mean absolute error, in units of the label."""
    return _normal(mean_absolute_error(sums, scale), 0.0)


def rmse(sums: Sums, scale: Scale) -> Estimate:
    """Root mean squared error, in units of the label. Its interval is the mean square's, with the root taken."""
    square = _normal(_mean(sums.mean("v_v"), sums.mean("v_4"), sums.n, 1.0), 0.0)
    value = math.sqrt(square.value or 0.0) * scale.residual
    if square.interval is None:
        return Estimate(value)
    low, high = (math.sqrt(bound) * scale.residual for bound in (square.interval.low, square.interval.high))
    return Estimate(value, Interval(low, high, intervals.CONFIDENCE, "normal, of the mean square"))


def r2(sums: Sums, scale: Scale) -> Estimate:
    """1 − Σ(label − prediction)² / Σ(label − mean label)², at most 1.

    Its interval is normal by the delta method: R² moves with the mean of v² − q·(u − ū)², where q is the ratio of the
    two mean squares.
    """
    m = {name: sums.mean(name) for name in ("v_v", "v_4", "u", "u_u", "u_3", "u_4", "v_v_u", "v_v_u_u")}
    centre = m["u"]
    spread = m["u_u"] - centre * centre
    if sums.n < 2 or spread <= 0:
        return Estimate(None, reason="every label is the same" if sums.n > 1 else "one row has no spread")
    q = m["v_v"] / spread
    unit = (scale.residual / scale.label) ** 2
    value = 1 - float(q) * unit
    crossed = m["v_v_u_u"] - 2 * centre * m["v_v_u"] + centre**2 * m["v_v"]
    fourth = m["u_4"] - 4 * centre * m["u_3"] + 6 * centre**2 * m["u_u"] - 3 * centre**4
    variance = float((m["v_4"] - 2 * q * crossed + q * q * fourth) / (spread * spread) / (sums.n - 1))
    half = intervals.normal_quantile(intervals.CONFIDENCE) * math.sqrt(max(0.0, variance)) * unit
    return Estimate(value, Interval(value - half, min(1.0, value + half), intervals.CONFIDENCE, "normal, delta method"))


def estimates(sums: Sums, scale: Scale) -> Iterator[tuple[str, Estimate]]:
    """Every metric by name, for one group of at least one row."""
    yield "mae", mae(sums, scale)
    yield "rmse", rmse(sums, scale)
    yield "r2", r2(sums, scale)
    yield "mean_residual", _normal(mean_residual(sums, scale))
