"""Two estimates from the same rows: intervals for their difference and ratio, and tests of whether they differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ml_compliance.stats.intervals import CONFIDENCE, normal_quantile, wilson

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

Bounds = tuple[float, float]

DRAWS = 2_000
SEED = 19_470_601
ADDED = 0.25
"""Rows that the bootstrap adds to each of the 8 cells: without them, models that never differed in a small sample
would get an interval without width. Agresti and Min (2005, Statistics in Medicine 24:729) add 2 rows in all."""


def difference_bounds(one: float, of_one: Bounds, two: float, of_two: Bounds, correlation: float) -> Bounds:
    """Bounds for θ₁ − θ₂ from the bounds of each and the correlation of their estimates.

    The method of variance estimates recovery (Zou and Donner 2008, Statistics in Medicine 27:1693, eq. 4 and 5).
    """
    low = _combined(one - of_one[0], of_two[1] - two, correlation)
    high = _combined(of_one[1] - one, two - of_two[0], correlation)
    return one - two - low, one - two + high


def _combined(one: float, two: float, correlation: float) -> float:
    # Rounding may push a square that is 0 below it.
    return math.sqrt(max(0.0, one * one - 2 * correlation * one * two + two * two))


def ratio_bounds(one: float, of_one: Bounds, two: float, of_two: Bounds, correlation: float) -> Bounds | None:
    """Bounds for θ₁ / θ₂, both positive: the R at which a bound of θ₁ − R·θ₂ by `difference_bounds` is 0.

    None when the bounds of θ₂ do not keep away from 0, so that the ratio has no bound.
    """
    low = _root(one, one - of_one[0], two, of_two[1] - two, correlation, -1)
    high = _root(one, of_one[1] - one, two, two - of_two[0], correlation, 1)
    return None if low is None or high is None else (max(0.0, low), high)


def _root(one: float, off_one: float, two: float, off_two: float, correlation: float, side: int) -> float | None:
    """Solve (θ₁ − R·θ₂)² = a² − 2ρaRb + R²b² for R, where a and b are how far the bounds are off."""
    square, half = two * two - off_two * off_two, one * two - correlation * off_one * off_two
    discriminant = half * half - square * (one * one - off_one * off_one)
    if square <= 0 or discriminant < 0:
        return None
    return (half + side * math.sqrt(discriminant)) / square


def paired_rates(both: int, first: int, second: int, neither: int, confidence: float = CONFIDENCE) -> Bounds:
    """Bounds for the difference of two rates over the same cases (Newcombe 1998c, Statistics in Medicine 17:2635,
    method 10): Wilson bounds of each rate, and the correlation φ of the two with its continuity correction.

    `both`, `first`, `second` and `neither` are the cases in which both succeed, only one of them, or none.
    """
    n = both + first + second + neither
    z = normal_quantile(confidence)
    one, two = both + first, both + second
    product = math.sqrt(one * (n - one)) * math.sqrt(two * (n - two))
    excess = both * neither - first * second
    corrected = max(excess - n / 2, 0.0) if excess > 0 else float(excess)
    correlation = corrected / product if product else 0.0
    return difference_bounds(one / n, wilson(one, n, z), two / n, wilson(two, n, z), correlation)


def mcnemar(first: int, second: int) -> float:
    """Two-sided exact binomial p-value of McNemar's test from the two discordant counts; 1 when both are 0.

    scipy.stats.binomtest(first, first + second) is the reference.
    """
    n, least = first + second, min(first, second)
    if first == second:
        return 1.0
    term = math.exp(math.lgamma(n + 1) - math.lgamma(least + 1) - math.lgamma(n - least + 1) - n * math.log(2))
    total = 0.0
    # From the largest term down: after some 10·√n terms nothing is added any more.
    for k in range(least, -1, -1):
        total += term
        if term <= total * 1e-17:
            break
        term *= k / (n - k + 1)
    return min(1.0, 2 * total)


def resampled(cells: tuple[int, ...]) -> NDArray[float64]:
    """The paired bootstrap: DRAWS tables like `cells`, the rows being multinomial. Shape (cells, draws).

    Its cost does not depend on the number of rows, and each table gets the same draws whatever others there are.
    """
    import numpy as np

    counts = np.asarray(cells, dtype=float)
    chances = (counts + ADDED) / (counts.sum() + ADDED * len(counts))
    draws = np.random.default_rng(SEED).multinomial(int(counts.sum()), chances, size=DRAWS)
    return draws.T.astype(float)


def percentiles(draws: NDArray[float64], estimate: float, confidence: float = CONFIDENCE) -> Bounds | None:
    """The percentile interval of bootstrap `draws`, made to hold the estimate; None when a draw has no value."""
    import numpy as np

    if not np.isfinite(draws).all():
        return None
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return min(float(low), estimate), max(float(high), estimate)
