"""Confidence intervals from counts, and the simultaneous ones that a maximum over many groups needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from ml_compliance.model import Interval

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

CONFIDENCE = 0.95
# More than what rounding can add up to in a difference of rates.
_ROUNDING = 1e-12


@lru_cache(maxsize=1024)
def normal_quantile(confidence: float) -> float:
    """z such that a standard normal lies in [−z, z] with probability `confidence`."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(successes: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's score interval for a proportion (Wilson 1927; Newcombe 1998a, method 3). `n` must be positive."""
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # At 0 and n the bound is the estimate itself; rounding must not push it past.
    return min(max(0.0, centre - half), p), max(min(1.0, centre + half), p)


def rate_interval(successes: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's interval for one rate."""
    low, high = wilson(successes, n, normal_quantile(confidence))
    return Interval(low, high, confidence, "Wilson")


def studentized_range_cdf(q: float, k: int) -> float:
    """P(range ≤ q) for `k` ≥ 2 independent standard normals (Tukey's studentised range with infinite df).

    k ∫ φ(x) [Φ(x) − Φ(x − q)]^(k−1) dx, by Gauss–Legendre on [−8, 8]. scipy.stats.studentized_range is the
    reference; importing it takes longer than a whole gate may.
    """
    import numpy as np

    x, weights, below = _nodes()
    # The largest of the k is at x, so every other one lies within q below it.
    return float(k * np.sum(weights * (below - _normal_cdf(x - q)) ** (k - 1)))


@lru_cache(maxsize=256)
def studentized_range_quantile(confidence: float, k: int) -> float:
    """The `confidence` quantile of the range of `k` ≥ 2 independent standard normals, to 1e-10."""
    low, high = 0.0, 20.0
    while high - low > 1e-10:
        middle = (low + high) / 2
        low, high = (middle, high) if studentized_range_cdf(middle, k) < confidence else (low, middle)
    return (low + high) / 2


@lru_cache(maxsize=1)
def _nodes() -> tuple[NDArray[float64], NDArray[float64], NDArray[float64]]:
    """Where the integrand is evaluated: x, weight times the normal density, and Φ(x)."""
    import numpy as np

    nodes, weights = np.polynomial.legendre.leggauss(400)
    x = 8 * nodes
    return x, 8 * weights * np.exp(-x * x / 2) / math.sqrt(2 * math.pi), _normal_cdf(x)


def _normal_cdf(x: NDArray[float64]) -> NDArray[float64]:
    import numpy as np

    return np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in x])


def range_of_rates(rates: Sequence[tuple[int, int]], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Bounds for max − min of the true rates behind `rates`, a list of (successes, n) of at least two groups.

    Newcombe's interval (1998b, method 10) for the difference of each pair, made simultaneous over all pairs by
    Tukey's studentised range; the largest lower and the largest upper bound then bracket the range. A percentile
    bootstrap does not cover here, because the maximum of noisy rates is biased upward.
    """
    return range_bounds(rates, studentized_range_quantile(confidence, len(rates)) / math.sqrt(2))


def range_bounds(rates: Sequence[tuple[int, int]], z: float) -> tuple[float, float]:
    """Newcombe's bounds for the difference of each pair at the quantile `z`: the largest lower, the largest upper."""
    import numpy as np

    p, low, high = _wilsons(rates, z)
    upper = p[:, None] - p[None, :] + np.sqrt((high - p)[:, None] ** 2 + (p - low)[None, :] ** 2)
    return max(0.0, _furthest(p, p - low, high - p)), min(1.0, float(upper.max()))


def furthest_pair(rates: Sequence[tuple[int, int]], z: float) -> float:
    """The largest lower bound of any pair at the quantile `z`; below 0 where no pair is told apart."""
    p, low, high = _wilsons(rates, z)
    return _furthest(p, p - low, high - p)


def _wilsons(rates: Sequence[tuple[int, int]], z: float) -> tuple[NDArray[float64], ...]:
    """Each rate and the bounds of `wilson` for it: as there, and for all groups at once."""
    import numpy as np

    successes, n = np.asarray(rates, float).T
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return p, np.minimum(np.maximum(0.0, centre - half), p), np.maximum(np.minimum(1.0, centre + half), p)


def _furthest(p: NDArray[float64], below: NDArray[float64], above: NDArray[float64]) -> float:
    """max over pairs i ≠ j of pᵢ − pⱼ − √(belowᵢ² + aboveⱼ²).

    The root is between (belowᵢ + aboveⱼ) / √2 and their sum, which leaves few of many groups that the maximum can be
    of: a thousand groups have a million pairs.
    """
    import numpy as np

    half = math.sqrt(0.5)
    most_i, most_j = p - half * below, p + half * above
    # The pairs that are best by either bound are likely to be the furthest, or near it.
    likely = ((p - below).argmax(), (p + above).argmin()), (most_i.argmax(), most_j.argmin())
    known = max((p[i] - p[j] - math.hypot(below[i], above[j]) for i, j in likely if i != j), default=-math.inf)
    known -= _ROUNDING
    some = np.flatnonzero(most_i - most_j.min() >= known)
    others = np.flatnonzero(most_i.max() - most_j >= known)
    gaps = p[some, None] - p[None, others] - np.sqrt(below[some, None] ** 2 + above[None, others] ** 2)
    gaps[some[:, None] == others[None, :]] = -math.inf
    return float(gaps.max())


def ratio_of_rates(rates: Sequence[tuple[int, int]], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Bounds for min / max of the true rates: Wilson intervals that hold together for all groups (Šidák 1967)."""
    return ratio_bounds(rates, normal_quantile(confidence ** (1 / len(rates))))


def ratio_bounds(rates: Sequence[tuple[int, int]], z: float) -> tuple[float, float]:
    """What min / max can be when every rate lies in its Wilson interval at the quantile `z`."""
    _, low, high = _wilsons(rates, z)
    return float(low.min() / high.max()), min(1.0, highest_ratio(rates, z))


def highest_ratio(rates: Sequence[tuple[int, int]], z: float) -> float:
    """The upper bound of `ratio_bounds` before it is held at 1, which no ratio of a minimum to a maximum exceeds."""
    _, low, high = _wilsons(rates, z)
    largest_low, smallest_high = float(low.max()), float(high.min())
    return smallest_high / largest_low if largest_low else math.inf


def mean_interval(total: float, squares: float, n: int, confidence: float = CONFIDENCE) -> Interval | None:
    """The normal interval of a mean from Σx and Σx² over `n` rows; None for a single row. Not below 0."""
    if n < 2:
        return None
    variance = max(0.0, (squares - total * total / n) / (n - 1))
    half = normal_quantile(confidence) * math.sqrt(variance / n)
    return Interval(max(0.0, total / n - half), total / n + half, confidence, "normal, of a mean")


def half_sum_interval(rates: Sequence[tuple[int, int]], confidence: float = CONFIDENCE) -> Interval:
    """Bounds for the mean of two independent rates, by squaring and adding (Newcombe 1998b; Zou and Donner 2008)."""
    z = normal_quantile(confidence)
    p = [successes / n for successes, n in rates]
    bounds = [wilson(successes, n, z) for successes, n in rates]
    below = math.sqrt(sum((rate - low) ** 2 for rate, (low, _) in zip(p, bounds, strict=True))) / 2
    above = math.sqrt(sum((high - rate) ** 2 for rate, (_, high) in zip(p, bounds, strict=True))) / 2
    mean = sum(p) / 2
    return Interval(max(0.0, mean - below), min(1.0, mean + above), confidence, "squaring and adding of Wilson")


def auc_interval(auc: float, positives: int, negatives: int, confidence: float = CONFIDENCE) -> Interval:
    """Bounds for the area under the ROC curve (Newcombe 2006, method 5): |θ − auc| = z·√V(θ).

    V is Hanley and McNeil's variance with both class sizes replaced by their mean in the numerator.
    """
    z = normal_quantile(confidence)
    mean, factor = (positives + negatives) / 2 - 1, z * z / (positives * negatives)
    low = 0.0 if auc == 0 else _auc_bound(auc, -1, mean, factor)
    high = 1.0 if auc == 1 else _auc_bound(auc, 1, mean, factor)
    return Interval(low, high, confidence, "Newcombe 2006, method 5")


def _auc_bound(auc: float, sign: int, mean: float, factor: float) -> float:
    """The θ below (`sign` −1) or above `auc` at which (θ − auc)² = z²·V(θ), with `factor` = z² / (positives·negatives).

    V(θ) is θ·(1 − θ) times something that hardly changes with θ. For that held fixed the equation is Wilson's, and its
    answer gives the next.
    """
    theta = auc
    for _ in range(100):
        scale = factor * (1 + mean * ((1 - theta) / (2 - theta) + theta / (1 + theta)))
        half = math.sqrt(scale * (auc * (1 - auc) + scale / 4))
        last, theta = theta, (auc + scale / 2 + sign * half) / (1 + scale)
        if abs(theta - last) < 2e-16:
            break
    return theta


def average_precision_interval(value: float, positives: int, confidence: float = CONFIDENCE) -> Interval | None:
    """The logit interval for average precision (Boyd, Eng and Page 2013); None at 0 and 1, where it is undefined."""
    if not 0 < value < 1:
        return None
    centre = math.log(value / (1 - value))
    half = normal_quantile(confidence) / math.sqrt(positives * value * (1 - value))
    low, high = (1 / (1 + math.exp(-x)) for x in (centre - half, centre + half))
    return Interval(low, high, confidence, "logit (Boyd, Eng and Page 2013)")
