"""Challenger against champion by what scores tell: the area under the ROC curve, and mean losses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction

from ml_compliance.model import Json
from ml_compliance.stats import intervals, matched
from ml_compliance.stats.counts import Counts, Ranking
from ml_compliance.stats.delong import Covariance
from ml_compliance.stats.paired import Comparison, Losses, Pairs, compared
from ml_compliance.stats.ranking import resolution

SCORE_METRICS = ("roc_auc", "log_loss", "brier")


def score_comparisons(
    pairs: Pairs, rankings: tuple[Ranking, Ranking], covariance: Covariance | None
) -> Iterator[tuple[str, Comparison]]:
    """Every metric by name, for one group whose rows all have both scores.

    `rankings` are by the challenger's and by the champion's score; `covariance` is that of both areas under the ROC
    curve, None when one of the classes has fewer than two rows.
    """
    yield "roc_auc", _roc_auc(pairs.counts, rankings, covariance)
    for name, losses in pairs.losses.items():
        yield name, _mean_loss(losses, pairs.counts.n)


def _roc_auc(counts: Counts, rankings: tuple[Ranking, Ranking], covariance: Covariance | None) -> Comparison:
    """Share of (positive, negative) pairs in order. Newcombe's limits of each area and DeLong's correlation of both
    keep the bounds inside [−1, 1], and wide where both models are perfect, which the usual normal interval does not:
    it covers less than 95 % in small groups, this one more where models are nearly alike.
    """
    positives, negatives = counts.positives, counts.negatives
    if not positives or not negatives:
        return Comparison(reason="one of the classes does not occur")
    one, two = (Fraction(ranking.pairs, 2 * positives * negatives) for ranking in rankings)
    limits = [intervals.auc_interval(float(area), positives, negatives) for area in (one, two)]
    correlation, method = 0.0, dict[str, Json]()
    if covariance is not None:
        first, second, both = covariance.challenger, covariance.champion, covariance.both
        correlation = _correlation(first, second, both)
        spread = math.sqrt(max(0.0, first + second - 2 * both))
        p = math.erfc(abs(one - two) / spread / math.sqrt(2)) if spread else float(one == two)
        method = {"correlation": correlation, "test": {"name": "DeLong, two-sided", "p": p}}
        if covariance.steps is not None:
            method["correlation_by_score_steps"] = covariance.steps
    steps = [resolution(ranking, "roc_auc", positives, negatives) for ranking in rankings]
    if any(steps):
        method["score_steps"] = dict(zip(("challenger", "champion"), steps, strict=True))
    # By the scores themselves, each area may be off by its error bound.
    of_one, of_two = (
        (found.low - error, found.high + error) for found, error in zip(limits, map(_error, steps), strict=True)
    )
    formula = "variance recovery from Newcombe 2006, method 5, with DeLong's correlation"
    return _recovered(one, of_one, two, of_two, correlation, formula, method)


def _error(step: Mapping[str, Json]) -> float:
    bound = step.get("error_bound", 0.0)
    return float(bound) if isinstance(bound, int | float) else 0.0


def _mean_loss(losses: Losses, n: int) -> Comparison:
    """Means over the same rows. With normal limits of both and their correlation, variance recovery is the normal
    interval of the mean of the rows' differences.
    """
    one, two = (Fraction(sums[0]) / n for sums in (losses.challenger, losses.champion))
    if n < 2:
        return compared(one, two, None, "", None, {})
    first, second = _variance(losses.challenger, n), _variance(losses.champion, n)
    both = (Fraction(losses.products) / n - one * two) / (n - 1)
    z = intervals.normal_quantile(intervals.CONFIDENCE)
    of_one, of_two = (
        (float(mean) - z * math.sqrt(variance), float(mean) + z * math.sqrt(variance))
        for mean, variance in ((one, first), (two, second))
    )
    formula = "normal, of the mean of paired differences"
    return _recovered(one, of_one, two, of_two, _correlation(first, second, both), formula, {})


def _variance(sums: tuple[Decimal, Decimal], n: int) -> Fraction:
    """Of the mean. Terms are rounded at their 15th decimal, so that one that is 0 may come out below it."""
    return max(Fraction(0), (Fraction(sums[1]) / n - (Fraction(sums[0]) / n) ** 2) / (n - 1))


def _correlation(first: Fraction | float, second: Fraction | float, both: Fraction | float) -> float:
    if first <= 0 or second <= 0:
        return 0.0
    return min(1.0, max(-1.0, float(both) / (math.sqrt(first) * math.sqrt(second))))


def _recovered(
    one: Fraction,
    of_one: matched.Bounds,
    two: Fraction,
    of_two: matched.Bounds,
    correlation: float,
    formula: str,
    method: dict[str, Json],
) -> Comparison:
    given = float(one), of_one, float(two), of_two, correlation
    ratio = matched.ratio_bounds(*given)
    relative = None if ratio is None else (ratio[0] - 1, ratio[1] - 1)
    return compared(one, two, matched.difference_bounds(*given), formula, relative, method)
