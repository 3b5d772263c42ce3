"""Challenger against champion by the metrics that counts tell. Cost does not depend on the number of rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from ml_compliance.model import Json
from ml_compliance.stats import matched
from ml_compliance.stats.paired import Comparison, Confusion, Pairs, challenger, champion, compared

Quotient = Callable[[Confusion], tuple[Any, Any]]


def _balanced_accuracy(table: Confusion) -> tuple[Any, Any]:
    tp, fp, fn, tn = table
    positives, negatives = tp + fn, fp + tn
    return tp * negatives + tn * positives, 2 * positives * negatives


# Numerator and denominator from (tp, fp, fn, tn); scikit-learn is the reference.
_QUOTIENTS: Mapping[str, Quotient] = {
    "accuracy": lambda t: (t[0] + t[3], sum(t)),
    "balanced_accuracy": _balanced_accuracy,
    "precision": lambda t: (t[0], t[0] + t[1]),
    "recall": lambda t: (t[0], t[0] + t[2]),
    "f1": lambda t: (2 * t[0], 2 * t[0] + t[1] + t[2]),
    "selection_rate": lambda t: (t[0] + t[1], sum(t)),
    "true_positive_rate": lambda t: (t[0], t[0] + t[2]),
    "false_positive_rate": lambda t: (t[1], t[1] + t[3]),
}
COUNT_METRICS = tuple(_QUOTIENTS)
_EMPTY = {
    "accuracy": "there are no rows",
    "balanced_accuracy": "one of the classes does not occur",
    "precision": "no row is predicted positive",
    "recall": "there are no positives",
    "f1": "there are neither positives nor rows predicted positive",
    "selection_rate": "there are no rows",
    "true_positive_rate": "there are no positives",
    "false_positive_rate": "there are no negatives",
}
# Rates over the same cases: the cells in which both succeed, the challenger alone, the champion alone, and none.
_POSITIVES = ((7,), (6,), (5,), (4,))
_SAME_CASES = {
    "accuracy": ((7, 0), (6, 1), (5, 2), (4, 3)),
    "selection_rate": ((7, 3), (6, 2), (5, 1), (4, 0)),
    "recall": _POSITIVES,
    "true_positive_rate": _POSITIVES,
    "false_positive_rate": ((3,), (2,), (1,), (0,)),
}


def count_comparisons(pairs: Pairs) -> Iterator[tuple[str, Comparison]]:
    """Every metric by name, for one group.

    Bounds of a difference are Newcombe's for paired rates, and for balanced accuracy half the sum of those over the
    positives and over the negatives. Precision and F1 divide by other rows for each model, so theirs come from the
    paired bootstrap, as do the bounds of every relative difference.
    """
    draws = matched.resampled(pairs.cells)
    for name in COUNT_METRICS:
        yield name, _comparison(name, pairs.cells, draws)


def _comparison(name: str, cells: tuple[int, ...], draws: Any) -> Comparison:
    import numpy as np

    quotient = _QUOTIENTS[name]
    of_one, of_two = quotient(challenger(cells)), quotient(champion(cells))
    if not of_one[1] or not of_two[1]:
        who = "the champion" if of_one[1] else "the challenger" if of_two[1] else "both models"
        return Comparison(reason=f"{who}: {_EMPTY[name]}")
    one, two = Fraction(*of_one), Fraction(*of_two)
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (np.divide(*quotient(model(draws))) for model in (challenger, champion))
        relative = matched.percentiles((first - second) / second, float((one - two) / two)) if two else None
    method: dict[str, Json] = {"bootstrap": _bootstrap()}
    if name in _SAME_CASES:
        found = [sum(cells[place] for place in places) for places in _SAME_CASES[name]]
        method["test"] = {
            "name": "McNemar, exact binomial, two-sided",
            "challenger_only": found[1],
            "champion_only": found[2],
            "p": matched.mcnemar(found[1], found[2]),
        }
        return compared(one, two, matched.paired_rates(*found), "Newcombe 1998c, method 10", relative, method)
    if name == "balanced_accuracy":
        bounds = _half_sum(cells)
        return compared(one, two, bounds, "half sum of Newcombe 1998c, method 10", relative, method)
    of_draws = matched.percentiles(first - second, float(one - two))
    return compared(one, two, of_draws, "paired bootstrap, percentiles", relative, method)


def _half_sum(cells: tuple[int, ...]) -> matched.Bounds:
    """Bounds for the mean of the differences of sensitivity and specificity, which rest on different rows, by
    squaring and adding (Zou and Donner 2008).
    """
    positives, negatives = (cells[7], cells[6], cells[5], cells[4]), (cells[0], cells[1], cells[2], cells[3])
    parts = [((row[1] - row[2]) / sum(row), matched.paired_rates(*row)) for row in (positives, negatives)]
    middle = sum(value for value, _ in parts) / 2
    below = math.hypot(*(value - low for value, (low, _) in parts)) / 2
    above = math.hypot(*(high - value for value, (_, high) in parts)) / 2
    return middle - below, middle + above


def _bootstrap() -> dict[str, Json]:
    import numpy as np

    return {"draws": matched.DRAWS, "seed": matched.SEED, "added_to_each_cell": matched.ADDED, "numpy": np.__version__}
