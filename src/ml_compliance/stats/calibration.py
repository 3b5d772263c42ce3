"""Whether scores are probabilities, from counts by bins of the score; and what other cut-offs would do."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ml_compliance.model import Interval, Json
from ml_compliance.stats import intervals
from ml_compliance.stats.counts import Group

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Bin:
    """Cases whose score falls into one bin: how many, how many of them positive, and the exact sum of their scores."""

    n: int
    positives: int
    score: Decimal

    def __add__(self, other: Bin) -> Bin:
        return Bin(self.n + other.n, self.positives + other.positives, self.score + other.score)

    @property
    def mean_score(self) -> float:
        return float(self.score / self.n)

    @property
    def rate(self) -> float:
        return self.positives / self.n

    @property
    def gap(self) -> Decimal:
        """Σ score − positives: `n` times the calibration error of the bin, with its sign."""
        return self.score - self.positives


def added(parts: Collection[Bin]) -> Bin:
    """All cases of `parts`."""
    if len(parts) == 1:
        return next(iter(parts))
    n, positives = sum([part.n for part in parts]), sum([part.positives for part in parts])
    return Bin(n, positives, sum([part.score for part in parts], Decimal(0)))


@dataclass(frozen=True)
class Reliability:
    """The bins of one group by number, from the lowest score; bins without cases are not there."""

    bins: Mapping[int, Bin]

    def __add__(self, other: Reliability) -> Reliability:
        mine, theirs = self.bins, other.bins
        both = {number: mine[number] + theirs[number] for number in mine.keys() & theirs.keys()}
        return Reliability(dict(sorted({**mine, **theirs, **both}.items())))

    @cached_property
    def total(self) -> Bin:
        return added(self.bins.values())

    def coarser(self, factor: int, bins: int) -> Reliability:
        """The same cases in `bins` bins, each made of `factor` of these; what lies above joins the last one."""
        found: dict[int, list[Bin]] = {}
        for number, part in self.bins.items():
            found.setdefault(min(number // factor, bins - 1), []).append(part)
        return Reliability({number: added(parts) for number, parts in found.items()})


@dataclass(frozen=True)
class Calibration:
    """A number about calibration with its interval, or None with a reason; `method` is what else is to be said."""

    name: str
    value: float | None
    interval: Interval | None = None
    reason: str = ""
    method: Mapping[str, Json] = field(default_factory=dict)


NAMES = ("expected_calibration_error", "maximum_calibration_error", "mean_score_minus_rate")


def calibrations(reliability: Reliability, least: int) -> tuple[Calibration, ...]:
    """Every number about the calibration of one group, in the order of `NAMES`. `least` is as below."""
    return (
        expected_calibration_error(reliability),
        maximum_calibration_error(reliability, least),
        mean_score_minus_rate(reliability),
    )


def expected_calibration_error(reliability: Reliability, confidence: float = intervals.CONFIDENCE) -> Calibration:
    """ECE = Σ nᵢ/n · |mean scoreᵢ − rateᵢ| over the bins (Naeini, Cooper and Hauskrecht 2015), between 0 and 1.

    By the triangle inequality the estimate is no further from the truth than S = Σ nᵢ/n · |rateᵢ − true rateᵢ|, so
    that ± the `confidence` quantile of S is an interval that holds also where the true ECE is 0. A bootstrap does not:
    the estimate is biased upward, and resampling adds the bias a second time. S is taken as a sum of half-normals; its
    quantile is that of Cornish and Fisher. `of_a_calibrated_model` is the mean ECE that these scores and numbers of
    cases give when every score is true.
    """
    total = reliability.total
    value = float(sum((abs(part.gap) for part in reliability.bins.values()), Decimal(0)) / total.n)
    bins = reliability.bins.values()
    half = _half_normal_quantile([_spread(part.positives + 2, part.n + 4, part.n) / total.n for part in bins])
    expected = sum(math.sqrt(part.n * score * (1 - score)) for part in bins for score in [part.mean_score]) / total.n
    return Calibration(
        NAMES[0],
        value,
        Interval(max(0.0, value - half), min(1.0, value + half), confidence, "triangle inequality, half-normal sum"),
        method={"of_a_calibrated_model": expected * math.sqrt(2 / math.pi)},
    )


def maximum_calibration_error(
    reliability: Reliability, least: int, confidence: float = intervals.CONFIDENCE
) -> Calibration:
    """MCE = maxᵢ |mean scoreᵢ − rateᵢ| over the bins of at least `least` cases, between 0 and 1.

    A bin with one case in it is hardly ever off by less than its score, so small bins are counted in `over_every_bin`
    only. The interval is that of the largest |mean scoreᵢ − rateᵢ| when all rates lie in their Wilson intervals, made
    simultaneous by Bonferroni's correction.
    """
    every = max(abs(float(part.gap)) / part.n for part in reliability.bins.values())
    compared = {number: part for number, part in reliability.bins.items() if part.n >= least}
    method: dict[str, Json] = {
        "least_cases": least,
        "excluded_bins": len(reliability.bins) - len(compared),
        "over_every_bin": every,
    }
    if not compared:
        return Calibration(NAMES[1], None, reason=f"no bin has {least} cases", method=method)
    z = intervals.normal_quantile(1 - (1 - confidence) / len(compared))
    bounds = [_gap_bounds(part, z) for part in compared.values()]
    low = max(0.0 if low <= 0 <= high else min(abs(low), abs(high)) for low, high in bounds)
    high = max(max(-low, high) for low, high in bounds)
    errors = {number: abs(float(part.gap)) / part.n for number, part in compared.items()}
    worst = max(errors, key=lambda number: errors[number])
    value = errors[worst]
    # At a rate of 0 or 1 a bound is the estimate itself; rounding must not push it past.
    interval = Interval(min(low, value), max(high, value), confidence, "simultaneous Wilson")
    return Calibration(NAMES[1], value, interval, method={**method, "bin": worst, "cases": compared[worst].n})


def mean_score_minus_rate(reliability: Reliability, confidence: float = intervals.CONFIDENCE) -> Calibration:
    """Calibration in the large: mean score − rate of positives, between −1 and 1; above 0 the scores promise too much.

    The interval takes the scores as they are and the rate by Wilson, which is on the safe side: outcomes with
    different probabilities vary less than as many with their mean.
    """
    total = reliability.total
    low, high = _gap_bounds(total, intervals.normal_quantile(confidence))
    value = float(total.gap / total.n)
    interval = Interval(min(low, value), max(high, value), confidence, "Wilson, of the rate")
    return Calibration(NAMES[2], value, interval)


def _gap_bounds(part: Bin, z: float) -> tuple[float, float]:
    low, high = intervals.wilson(part.positives, part.n, z)
    return part.mean_score - high, part.mean_score - low


def _spread(successes: float, trials: float, n: int) -> float:
    """Standard deviation of a number of positives out of `n`, at the rate successes / trials."""
    rate = successes / trials
    return math.sqrt(n * rate * (1 - rate))


def _half_normal_quantile(scales: Sequence[float], confidence: float = intervals.CONFIDENCE) -> float:
    """The `confidence` quantile of Σ cᵢ|Zᵢ| for independent standard normals Zᵢ, by Cornish and Fisher (1938).

    The cumulants of |Z| are those of the half-normal distribution. One term gives 1.94 where 1.96 is right; with
    more terms the error vanishes.
    """
    mean = math.sqrt(2 / math.pi)
    cumulants = (mean, 1 - mean**2, 2 * mean**3 - mean, 4 * mean**2 - 6 * mean**4)
    k1, k2, k3, k4 = (k * sum(scale**power for scale in scales) for power, k in enumerate(cumulants, 1))
    z = intervals.normal_quantile(2 * confidence - 1)
    skewness, excess = k3 / k2**1.5, k4 / k2**2
    z += skewness * (z * z - 1) / 6 + excess * (z**3 - 3 * z) / 24 - skewness**2 * (2 * z**3 - 5 * z) / 36
    return float(k1 + z * math.sqrt(k2))


def cutoffs(reliability: Reliability, steps: int) -> Cutoffs:
    """What a group gets at the cut-offs 0, 1/steps, …, 1, from its bins of that width; bin `steps` is the score 1."""
    import numpy as np

    counts = np.zeros((2, steps + 1), np.int64)
    parts = reliability.bins.values()
    counts[:, list(reliability.bins)] = [part.positives for part in parts], [part.n - part.positives for part in parts]
    from_above = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    return Cutoffs(from_above[0], from_above[1])


@dataclass(frozen=True)
class Cutoffs:
    """What one group would get at each cut-off k / steps, for k = 0 … steps: selected are scores of at least that.

    `true_positives` and `false_positives` are the selected cases of either class, one number for each cut-off.
    """

    true_positives: NDArray[int64]
    false_positives: NDArray[int64]

    def __add__(self, other: Cutoffs) -> Cutoffs:
        return Cutoffs(self.true_positives + other.true_positives, self.false_positives + other.false_positives)

    @property
    def steps(self) -> int:
        return len(self.true_positives) - 1

    @property
    def positives(self) -> int:
        return int(self.true_positives[0])

    @property
    def n(self) -> int:
        return self.positives + int(self.false_positives[0])

    @property
    def selection_rate(self) -> NDArray[float64]:
        rate: NDArray[float64] = (self.true_positives + self.false_positives) / self.n
        return rate

    def at(self, k: int) -> dict[str, Json]:
        """Accuracy, precision, recall and selection rate at the cut-off k / steps; null where there are no cases."""
        tp, fp = int(self.true_positives[k]), int(self.false_positives[k])
        negatives = self.n - self.positives
        return {
            "cutoff": k / self.steps,
            "accuracy": (tp + negatives - fp) / self.n,
            "precision": tp / (tp + fp) if tp + fp else None,
            "recall": tp / self.positives if self.positives else None,
            "selection_rate": (tp + fp) / self.n,
        }


def parity_by_cutoff(groups: Mapping[Group, Cutoffs], least: int) -> NDArray[float64] | None:
    """The demographic parity difference (max − min selection rate) at each cut-off, between the groups of at least
    `least` cases; None when there are fewer than two of them.
    """
    import numpy as np

    rates = [group.selection_rate for group in groups.values() if group.n >= least]
    if len(rates) < 2:
        return None
    difference: NDArray[float64] = np.ptp(np.array(rates), axis=0)
    return difference


def cutoff_for(limit: float, difference: NDArray[Any], selection_rate: NDArray[Any], current: float) -> int | None:
    """The cut-off nearest to `current` at which the demographic parity difference does not exceed `limit`.

    It is the k of k / steps; of two equally near ones the lower. `selection_rate` is that of all cases: selecting
    everybody, or nobody, treats groups alike and is no answer. None if there is no such cut-off.
    """
    import numpy as np

    fits = np.flatnonzero((difference <= limit) & (selection_rate > 0) & (selection_rate < 1))
    if not len(fits):
        return None
    return int(fits[np.argmin(np.abs(fits - current * (len(difference) - 1)))])
