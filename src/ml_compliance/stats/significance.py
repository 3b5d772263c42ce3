"""Is a disparity more than chance, and how many of many such findings are false?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ml_compliance.stats import intervals

Rates = Sequence[tuple[int, int]]
"""(successes, trials) of each group."""


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


def range_exceeds(rates: Rates, limit: float) -> float:
    """p-value for "max − min of the true rates is at most `limit`".

    One minus the largest confidence at which the lower bound of `intervals.range_of_rates` lies above `limit`: the
    test that belongs to the interval, valid for any number of groups. 1 when no confidence suffices.
    """
    z = _largest_z(lambda z: intervals.range_bounds(rates, z)[0] > limit)
    return 1 - intervals.studentized_range_cdf(z * math.sqrt(2), len(rates)) if z > 0 else 1.0


def ratio_falls_short(rates: Rates, limit: float) -> float:
    """p-value for "min / max of the true rates is at least `limit`", by inverting `intervals.ratio_of_rates`."""
    z = _largest_z(lambda z: intervals.ratio_bounds(rates, z)[1] < limit)
    return 1 - math.erf(z / math.sqrt(2)) ** len(rates)


def _largest_z(rejects: Callable[[float], bool]) -> float:
    """The largest quantile at which a test still rejects, to 1e-9; 0 when it never does, 20 when it always does."""
    low, high = 0.0, 20.0
    if rejects(high):
        return high
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if rejects(middle) else (low, middle)
    return low if low > 1e-8 else 0.0


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
