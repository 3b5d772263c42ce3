"""Performance of a binary classifier from its counts. scikit-learn is the reference for every definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ml_compliance.model import Interval
from ml_compliance.stats import intervals
from ml_compliance.stats.counts import Counts, Ranking


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, or None with the reason why it cannot be estimated."""

    value: float | None
    interval: Interval | None = None
    reason: str = ""


Metric = Callable[[Counts, Ranking | None], Estimate]

_NO_SCORE = Estimate(None, reason="there is no score column")


def _rate(successes: int, n: int, empty: str) -> Estimate:
    if n == 0:
        return Estimate(None, reason=empty)
    return Estimate(successes / n, intervals.rate_interval(successes, n))


def accuracy(counts: Counts, _: Ranking | None = None) -> Estimate:
    return _rate(counts.tp + counts.tn, counts.n, "there are no rows")


def precision(counts: Counts, _: Ranking | None = None) -> Estimate:
    return _rate(counts.tp, counts.selected, "no row is predicted positive")


def recall(counts: Counts, _: Ranking | None = None) -> Estimate:
    return _rate(counts.tp, counts.positives, "there are no positives")


def balanced_accuracy(counts: Counts, _: Ranking | None = None) -> Estimate:
    """Mean of the true positive and the true negative rate."""
    if not counts.positives or not counts.negatives:
        return Estimate(None, reason=_one_class(counts))
    value = float((Fraction(counts.tp, counts.positives) + Fraction(counts.tn, counts.negatives)) / 2)
    rates = [(counts.tp, counts.positives), (counts.tn, counts.negatives)]
    return Estimate(value, intervals.half_sum_interval(rates))


def f1(counts: Counts, _: Ranking | None = None) -> Estimate:
    """2·tp / (2·tp + fp + fn). Its interval is Wilson's for the Jaccard index J, mapped by F1 = 2J / (1 + J)."""
    n = counts.tp + counts.fp + counts.fn
    if n == 0:
        return Estimate(None, reason="there are neither positives nor rows predicted positive")
    jaccard = intervals.rate_interval(counts.tp, n)
    low, high = (2 * bound / (1 + bound) for bound in (jaccard.low, jaccard.high))
    interval = Interval(low, high, jaccard.confidence, "Wilson, of the Jaccard index")
    return Estimate(2 * counts.tp / (2 * counts.tp + counts.fp + counts.fn), interval)


def roc_auc(counts: Counts, ranking: Ranking | None) -> Estimate:
    """Share of (positive, negative) pairs that the score puts in order, ties counting half (Mann–Whitney)."""
    if ranking is None:
        return _NO_SCORE
    if not counts.positives or not counts.negatives:
        return Estimate(None, reason=_one_class(counts))
    value = ranking.pairs / (2 * counts.positives * counts.negatives)
    return Estimate(value, intervals.auc_interval(value, counts.positives, counts.negatives))


def average_precision(counts: Counts, ranking: Ranking | None) -> Estimate:
    """Σ (Rₙ − Rₙ₋₁)·Pₙ over the distinct scores, from the highest."""
    if ranking is None:
        return _NO_SCORE
    if not counts.positives:
        return Estimate(None, reason="there are no positives")
    value = float(ranking.precision_sum / counts.positives)
    return Estimate(value, intervals.average_precision_interval(value, counts.positives))


def log_loss(counts: Counts, _: Ranking | None = None) -> Estimate:
    """Mean of −ln of the probability given to the true class, probabilities clipped at the float epsilon."""
    return _mean(counts.log_loss, counts.n)


def brier(counts: Counts, _: Ranking | None = None) -> Estimate:
    """Mean squared difference between score and true class (0 or 1)."""
    return _mean(counts.brier, counts.n)


def _mean(sums: tuple[Decimal, Decimal] | None, n: int) -> Estimate:
    if sums is None:
        return _NO_SCORE
    total, squares = sums
    return Estimate(float(total / n), intervals.mean_interval(float(total), float(squares), n))


def _one_class(counts: Counts) -> str:
    return "there are no positives" if not counts.positives else "there are no negatives"


METRICS: Mapping[str, Metric] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier,
}

NEED_SCORE = ("roc_auc", "average_precision", "log_loss", "brier")


def estimates(counts: Counts, ranking: Ranking | None) -> Iterator[tuple[str, Estimate]]:
    """Every metric by name, for one group."""
    for name, metric in METRICS.items():
        yield name, metric(counts, ranking)
