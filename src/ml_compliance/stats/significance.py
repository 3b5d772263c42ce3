"""Is a disparity more than chance, and how many of many such findings are false?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ml_compliance.stats import intervals

Rates = Sequence[tuple[int, int]]
"""(successes, trials) of each group."""
Combine = Callable[[Sequence[float]], float]
"""How several disparities make one: their maximum, minimum or mean."""

LEVEL = 1 - intervals.CONFIDENCE
"""Adjusted p-values up to this are called findings."""
_FURTHEST = 20.0
_DIGITS = 6


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given (Benjamini and Hochberg 1995).

    Calling those at most q significant keeps the expected share of false findings at q, for tests that are
    independent or positively dependent. scipy.stats.false_discovery_control is the reference.
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place], reverse=True)
    adjusted = [1.0] * len(p_values)
    least = 1.0
    for rank, place in enumerate(order):
        least = min(least, p_values[place] * len(p_values) / (len(p_values) - rank))
        adjusted[place] = least
    return adjusted


def range_exceeds(parts: Sequence[Rates], limit: float, combine: Combine) -> float:
    """p-value for "max − min of the true rates is at most `limit`", where `combine` makes one number of several parts.

    One minus the largest confidence at which the lower bound of `intervals.range_of_rates` lies above `limit`: the
    test that belongs to the interval, valid for any number of groups. All parts have the same groups; each is held at
    its share of the error (Bonferroni), as in the interval.
    """

    def lower(rates: Rates, z: float) -> float:
        low = intervals.furthest_pair(rates, z)
        # One part's doubt is not to be set off against another's finding: no range is below 0.
        return max(0.0, low) if len(parts) > 1 else low

    arrays = _arrays(parts)
    z = largest_z(lambda z: combine([lower(rates, z) for rates in arrays]) - limit)
    return rounded(len(parts) * range_tail(z, len(parts[0])))


def ratio_falls_short(parts: Sequence[Rates], limit: float, combine: Combine) -> float:
    """p-value for "min / max of the true rates is at least `limit`", by inverting `intervals.ratio_of_rates`."""

    def upper(rates: Rates, z: float) -> float:
        high = intervals.highest_ratio(rates, z)
        return min(1.0, high) if len(parts) > 1 else high

    arrays = _arrays(parts)
    z = largest_z(lambda z: limit - combine([upper(rates, z) for rates in arrays]))
    # 1 − erf^k, without losing the digits of a small one.
    return rounded(-len(parts) * math.expm1(len(parts[0]) * math.log1p(-math.erfc(z / math.sqrt(2)))) if z else 1.0)


def _arrays(parts: Sequence[Rates]) -> list[Any]:
    """The rates as arrays, once for all quantiles that are tried."""
    import numpy as np

    return [np.asarray(rates, float) for rates in parts]


def range_tail(z: float, k: int) -> float:
    """P(the range of `k` independent standard normals exceeds √2·z); below 1e-9 the bound that all pairs add up to."""
    tail = 1 - intervals.studentized_range_cdf(z * math.sqrt(2), k)
    return tail if tail > 1e-9 else k * (k - 1) / 2 * math.erfc(z / math.sqrt(2))


def largest_z(excess: Callable[[float], float], furthest: float = _FURTHEST) -> float:
    """Where `excess`, which falls with the quantile z, becomes 0; 0 if it never is above, `furthest` if it stays so.

    By regula falsi with the Illinois rule, to 1e-9; by halves where `excess` stays at 0.
    """
    low, high = 0.0, furthest
    above, below = excess(low), excess(high)
    if not above > 0:
        return 0.0
    if below > 0:
        return furthest
    for _ in range(100):
        if high - low < 1e-9:
            break
        middle = low + (high - low) * above / (above - below)
        if below == 0 or not low < middle < high:
            middle = (low + high) / 2
        found = excess(middle)
        if found > 0:
            low, above, below = middle, found, below / 2
        else:
            high, above, below = middle, above / 2, found
    return high


def rounded(p: float) -> float:
    """At most 1, to six digits: more say nothing, and would differ between machines."""
    return min(1.0, float(f"{p:.{_DIGITS}g}"))


def differs_from_rest(rates: Rates) -> list[float]:
    """For each group, the two-sided p-value for "its rate is that of all other groups together".

    The χ² test of the 2×2 table with Yates's correction, which stays on the safe side of Fisher's exact test;
    1 where a margin of the table is empty. scipy.stats.chi2_contingency is the reference.
    """
    successes, trials = (sum(column) for column in zip(*rates, strict=True)) if rates else (0, 0)
    return [_yates(x, n, successes - x, trials - n) for x, n in rates]


def _yates(x: int, n: int, others: int, rest: int) -> float:
    total, hits = n + rest, x + others
    if 0 in (n, rest, hits, total - hits):
        return 1.0
    gap = abs(x * (rest - others) - others * (n - x))
    corrected = max(0.0, gap - total / 2)
    statistic = total * corrected**2 / (n * rest * hits * (total - hits))
    return math.erfc(math.sqrt(statistic / 2))
