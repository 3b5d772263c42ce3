"""Performance over several classes, from counts of (true class, predicted class). scikit-learn is the reference.

What scikit-learn calls 0 because nobody was counted (its `zero_division`) has no value here, and says why. Averages
are over the classes that occur in the group, as label or as prediction.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ml_compliance.model import Interval
from ml_compliance.stats import intervals, performance
from ml_compliance.stats.counts import Counts, Group
from ml_compliance.stats.performance import Estimate
from ml_compliance.stats.rollup import roll_up

PER_CLASS = ("precision", "recall", "f1")
AVERAGES = ("macro", "weighted")
METRICS = ("accuracy", "balanced_accuracy", *(f"{average}_{name}" for name in PER_CLASS for average in AVERAGES))


@dataclass(frozen=True)
class ClassCounts:
    """Rows of one group by (true class, predicted class); pairs that do not occur are left out."""

    pairs: Mapping[tuple[str, str], int]

    def __add__(self, other: ClassCounts) -> ClassCounts:
        return ClassCounts(Counter(self.pairs) + Counter(other.pairs))

    @cached_property
    def n(self) -> int:
        return sum(self.pairs.values())

    @cached_property
    def labelled(self) -> Counter[str]:
        """Rows by true class."""
        return self._by(0)

    @cached_property
    def predicted(self) -> Counter[str]:
        """Rows by predicted class."""
        return self._by(1)

    def _by(self, side: int) -> Counter[str]:
        rows: Counter[str] = Counter()
        for pair, n in self.pairs.items():
            rows[pair[side]] += n
        return rows

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes that occur here, as label or as prediction."""
        return tuple(sorted({*self.labelled, *self.predicted}))

    def against_rest(self, name: str) -> Counts:
        """The counts of two classes: `name` is the positive one, every other the negative one."""
        tp = self.pairs.get((name, name), 0)
        fp, fn = self.predicted[name] - tp, self.labelled[name] - tp
        return Counts(tp=tp, fp=fp, fn=fn, tn=self.n - tp - fp - fn)


@dataclass(frozen=True)
class ClassCube:
    """Counts for every combination of the attributes' values that occurs, and all classes by name."""

    attributes: tuple[str, ...]
    classes: tuple[str, ...]
    cells: Mapping[Group, ClassCounts]

    def by(self, attributes: tuple[str, ...]) -> dict[Group, ClassCounts]:
        """The counts of each group of `attributes`, sorted; with no attributes, of all rows as the group `()`."""
        return roll_up(self.cells, self.attributes, attributes)


def class_estimates(counts: ClassCounts, name: str) -> Iterator[tuple[str, Estimate]]:
    """Precision, recall and F1 of the class `name` against the rest."""
    rest = counts.against_rest(name)
    yield "precision", _named(performance.precision(rest), f"no row is predicted {name!r}")
    yield "recall", _named(performance.recall(rest), f"no row has the label {name!r}")
    yield "f1", _named(performance.f1(rest), f"no row has the label or the prediction {name!r}")


def _named(estimate: Estimate, reason: str) -> Estimate:
    return replace(estimate, reason=reason) if estimate.value is None else estimate


def estimates(counts: ClassCounts) -> Iterator[tuple[str, Estimate]]:
    """Every metric over all classes by name, for one group of at least one row."""
    right = sum(counts.pairs.get((name, name), 0) for name in counts.classes)
    accuracy = Estimate(right / counts.n, intervals.rate_interval(right, counts.n))
    yield "accuracy", accuracy
    yield "balanced_accuracy", _balanced_accuracy(counts)
    by_class = {name: dict(class_estimates(counts, name)) for name in counts.classes}
    related = _related(counts)
    # Macro: every class counts the same. Weighted: by its share of the labels, so without labels not at all.
    macro = dict.fromkeys(counts.classes, 1 / len(counts.classes))
    weighted = {name: rows / counts.n for name, rows in counts.labelled.items()}
    for metric in PER_CLASS:
        parts = {name: each[metric] for name, each in by_class.items()}
        correlations = related if metric == "f1" else {}
        yield f"macro_{metric}", _average(parts, macro, correlations)
        # Recalls weighted by their labels are the share of rows that is right.
        yield (
            f"weighted_{metric}",
            accuracy if metric == "recall" else _average(parts, weighted, correlations, counts.n),
        )


def _balanced_accuracy(counts: ClassCounts) -> Estimate:
    """Mean recall of the classes that occur as label (scikit-learn: `balanced_accuracy_score`)."""
    if len(counts.labelled) < 2:
        return Estimate(None, reason="every row has the same label")
    parts = {name: performance.recall(counts.against_rest(name)) for name in counts.labelled}
    return _average(parts, dict.fromkeys(parts, 1 / len(parts)), {})


_Correlations = Mapping[tuple[str, str], float]


def _average(
    parts: Mapping[str, Estimate], weights: Mapping[str, float], correlations: _Correlations, n: int = 0
) -> Estimate:
    """Σ w·x over the classes. Its interval is made of theirs by squaring and adding (MOVER: Zou and Donner 2008,
    Statistics in Medicine 27), with `correlations`, to which each order of a pair may contribute.

    Weights that are shares of `n` rows vary with them, which adds (Σ w·x² − (Σ w·x)²)/n to the variance.
    """
    terms, below, above, square = [], {}, {}, 0.0
    for name in sorted(weights):
        part = parts[name]
        if part.value is None or part.interval is None:
            return Estimate(None, reason=part.reason)
        terms.append(weights[name] * part.value)
        square += weights[name] * part.value**2
        below[name] = weights[name] * (part.value - part.interval.low)
        above[name] = weights[name] * (part.interval.high - part.value)
    # To 15 digits, so that a mean of 80 % is the number 0.8 and reaches a limit of 0.8.
    value = min(float(f"{math.fsum(terms):.15g}"), 1.0)
    of_weights = intervals.normal_quantile(intervals.CONFIDENCE) ** 2 * max(0.0, square - value**2) / n if n else 0.0
    low = min(max(0.0, value - math.sqrt(_squares(below, correlations) + of_weights)), value)
    high = max(min(1.0, value + math.sqrt(_squares(above, correlations) + of_weights)), value)
    return Estimate(value, Interval(low, high, intervals.CONFIDENCE, "squaring and adding over classes"))


def _squares(distances: Mapping[str, float], correlations: _Correlations) -> float:
    alone = math.fsum(distance * distance for distance in distances.values())
    both = math.fsum(distances.get(one, 0) * distances.get(two, 0) * r for (one, two), r in correlations.items())
    return alone + 2 * both


def _related(counts: ClassCounts) -> _Correlations:
    """What each kind of mistake adds to the correlation of two classes' F1: it lowers both.

    By the delta method on multinomial counts, with t rows right and s = labels + predictions of a class:
    var(F1) ∝ t·(2 − 2·F1)²/s² + (s − 2t)·F1²/s², and cov ∝ F1·F1'/(s·s') for each row of the one that is taken for
    the other.
    """
    size = {name: counts.labelled[name] + counts.predicted[name] for name in counts.classes}
    right = {name: counts.pairs.get((name, name), 0) for name in counts.classes}
    score = {name: 2 * right[name] / size[name] for name in counts.classes}
    deviation = {
        name: math.sqrt(right[name] * (2 - 2 * score[name]) ** 2 + (size[name] - 2 * right[name]) * score[name] ** 2)
        for name in counts.classes
    }
    return {
        (one, two): confused * score[one] * score[two] / (deviation[one] * deviation[two])
        for (one, two), confused in counts.pairs.items()
        if one != two and score[one] and score[two]
    }
