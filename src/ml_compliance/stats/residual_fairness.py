"""Group fairness of predicted numbers: whether residuals and losses are alike in every group."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ml_compliance.model import Interval
from ml_compliance.stats import intervals, significance
from ml_compliance.stats.counts import Group
from ml_compliance.stats.fairness import NO_LIMITS, Disparity, Limits, Minimum, Test
from ml_compliance.stats.regression import Mean, Scale, Sums, mean_absolute_error, mean_residual

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

METHOD = "Games–Howell"
DISPARITIES = ("mean_residual_difference", "group_loss_ratio")
COMPARED: Mapping[str, Callable[[Sums, Scale], Mean]] = {"mean_residual": mean_residual, "mae": mean_absolute_error}
"""What the disparities compare, by the names that `regression.estimates` gives."""
_LEAST = 11
"""Rows that a group needs for an interval: the quantile of Student's t below is good from 10 degrees of freedom on."""
_FURTHEST = 6.0


def disparities(
    groups: Mapping[Group, Sums], scale: Scale, minimum: Minimum, limits: Limits = NO_LIMITS
) -> list[Disparity]:
    """Every disparity between `groups`, tested against its `limits`; only the minimum of cases matters, since there
    are no classes.

    `mean_residual_difference` is max − min of the groups' mean residuals, in units of the label. `group_loss_ratio`
    is max / min of their mean absolute errors, at least 1.
    """
    enough = {group: sums for group, sums in groups.items() if sums.n >= max(2, minimum.cases)}
    excluded = tuple(group for group in groups if group not in enough)
    found = []
    for name, spread, mean_of, none in (
        ("mean_residual_difference", _difference, mean_residual, 0.0),
        ("group_loss_ratio", _ratio, mean_absolute_error, 1.0),
    ):
        given = limits.get(name) or (none,)
        every = spread([mean_of(sums, scale) for sums in groups.values()], ())[0]
        if len(enough) < 2:
            reason = "fewer than two groups have enough cases"
            found.append(Disparity(name, None, None, tuple(enough), excluded, every, reason))
            continue
        value, interval, tests = spread([mean_of(sums, scale) for sums in enough.values()], given)
        reason = "" if value is not None else "a group has no loss at all, so the ratio is undefined"
        found.append(Disparity(name, value, interval, tuple(enough), excluded, every, reason, tests))
    return found


_Spread = tuple[float | None, Interval | None, tuple[Test, ...]]


def _difference(means: Sequence[Mean], limits: Sequence[float]) -> _Spread:
    values = [mean.value for mean in means]
    bounds = range_of_means(means)
    interval = Interval(*bounds, intervals.CONFIDENCE, METHOD) if bounds else None
    tests = tuple(Test(limit, range_exceeds(means, limit)) for limit in limits) if bounds else ()
    return max(values) - min(values), interval, tests


def _ratio(means: Sequence[Mean], limits: Sequence[float]) -> _Spread:
    """The range of the logarithms, brought back: a ratio's error is multiplicative."""
    if any(mean.value <= 0 for mean in means):
        return None, None, ()
    values = [mean.value for mean in means]
    value = max(values) / min(values)
    logs = [
        Mean(math.log(mean.value), None if mean.error is None else mean.error / mean.value, mean.n) for mean in means
    ]
    bounds = range_of_means(logs)
    if bounds is None or bounds[1] > math.log(1e300):
        return value, None, ()
    low, high = (math.exp(bound) for bound in bounds)
    tests = tuple(Test(limit, range_exceeds(logs, math.log(limit))) for limit in limits if limit >= 1)
    return value, Interval(low, high, intervals.CONFIDENCE, f"{METHOD}, of logarithms"), tests


def range_of_means(means: Sequence[Mean], confidence: float = intervals.CONFIDENCE) -> tuple[float, float] | None:
    """Bounds for max − min of the true means of at least two groups; None when a group has fewer than 11 rows.

    Games and Howell (1976), J. Educational Statistics 1: for each pair d ± q·√((e₁² + e₂²)/2) with Welch's degrees of
    freedom; all pairs hold together, so the largest lower and the largest upper bound bracket the range. Tukey's q at
    infinite degrees of freedom is carried to Welch's by Student's t (q = √2·t at the probability of q∞/√2), which is
    exact for two groups and a little wide for more.
    """
    if len(means) < 2 or any(mean.n < _LEAST for mean in means):
        return None
    low, high = _pairs(means, intervals.studentized_range_quantile(confidence, len(means)) / math.sqrt(2))
    return max(0.0, low), high


def range_exceeds(means: Sequence[Mean], limit: float) -> float:
    """p-value for "max − min of the true means is at most `limit`", by inverting `range_of_means`.

    The groups must be such that there is an interval. Below the p-value of `_FURTHEST` the expansion of Student's t
    is no longer good, and nothing smaller is said.
    """
    z = significance.largest_z(lambda z: _pairs(means, z)[0] - limit, _FURTHEST)
    return significance.rounded(significance.range_tail(z, len(means)))


def _pairs(means: Sequence[Mean], z: float) -> tuple[float, float]:
    """The largest lower and the largest upper bound of the difference of any two means at the normal quantile `z`."""
    import numpy as np

    value = np.array([mean.value for mean in means])
    square = np.array([mean.error or 0.0 for mean in means])
    # Scaled, so that squares of very large and very small errors stay numbers.
    unit = float(square.max()) or 1.0
    square = (square / unit) ** 2
    freedom = np.array([mean.n - 1.0 for mean in means])
    both = square[:, None] + square[None, :]
    welch = (square**2 / freedom)[:, None] + (square**2 / freedom)[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = np.where(welch > 0, both**2 / welch, np.inf)
    half = student_quantile(z, degrees) * np.sqrt(both) * unit
    difference = value[:, None] - value[None, :]
    low = difference - half
    # A group is not told apart from itself.
    np.fill_diagonal(low, -math.inf)
    return float(low.max()), float((difference + half).max())


def differs_from_rest(means: Sequence[tuple[Mean, Mean]]) -> list[float]:
    """For each (group, rest), the two-sided p-value for "both have the same true mean" by Welch's t test (1947).

    1 where either is a single row. scipy.stats.ttest_ind_from_stats is the reference.
    """
    from scipy.special import stdtr

    found = []
    for group, rest in means:
        if group.error is None or rest.error is None:
            found.append(1.0)
            continue
        both = math.hypot(group.error, rest.error)
        if both == 0:
            found.append(1.0 if group.value == rest.value else 0.0)
            continue
        one, two = (group.error / both) ** 4 / (group.n - 1), (rest.error / both) ** 4 / (rest.n - 1)
        found.append(float(2 * stdtr(1 / (one + two), -abs(group.value - rest.value) / both)))
    return found


def student_quantile(z: float, degrees: NDArray[float64]) -> NDArray[float64]:
    """Student's t at the probability of the normal quantile `z`, for `degrees` of freedom of at least 10.

    The expansion of Fisher and Cornish (Abramowitz and Stegun 26.7.5); within 0.3 % of scipy up to z = 4.5.
    """
    import numpy as np

    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    quantile = np.full(degrees.shape, z)
    for power, term in enumerate(terms, 1):
        quantile += term / degrees**power
    return quantile
