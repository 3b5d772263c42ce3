"""Group fairness from counts. fairlearn is the reference for every definition that both have.

A group without the cases that a rate needs has no rate: it is left out and named, never counted as 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from ml_compliance.model import Interval
from ml_compliance.stats import intervals
from ml_compliance.stats.counts import Counts, Group

Number = TypeVar("Number", float, Fraction)


@dataclass(frozen=True)
class Minimum:
    """The smallest group that is compared: its cases, and the positives and negatives behind a rate of them."""

    cases: int = 30
    positives: int = 10
    negatives: int = 10


@dataclass(frozen=True)
class Rate:
    """A rate of a group: successes among trials, and why there is none when there are no trials."""

    name: str
    successes: int
    trials: int
    empty: str


def selection_rate(counts: Counts) -> Rate:
    return Rate("selection_rate", counts.selected, counts.n, "the group has no rows")


def true_positive_rate(counts: Counts) -> Rate:
    return Rate("true_positive_rate", counts.tp, counts.positives, "the group has no positives")


def false_positive_rate(counts: Counts) -> Rate:
    return Rate("false_positive_rate", counts.fp, counts.negatives, "the group has no negatives")


def precision(counts: Counts) -> Rate:
    return Rate("precision", counts.tp, counts.selected, "no row of the group is predicted positive")


RATES = (selection_rate, true_positive_rate, false_positive_rate, precision)


@dataclass(frozen=True)
class Disparity:
    """How far the groups are apart: `value` is None when fewer than two groups can be compared.

    `compared` and `excluded` are the groups above and below the minimum; `over_every_group` is the same
    statistic over every group that has the rate at all, which is fairlearn's number.
    """

    name: str
    value: float | None
    interval: Interval | None
    compared: tuple[Group, ...]
    excluded: tuple[Group, ...]
    over_every_group: float | None
    reason: str = ""


_DIFFERENCE, _RATIO = "difference", "ratio"
_DEFINITIONS = {
    "demographic_parity": (selection_rate,),
    "equal_opportunity": (true_positive_rate,),
    "predictive_parity": (precision,),
    "equalized_odds": (true_positive_rate, false_positive_rate),
}
DISPARITIES = tuple(
    f"{name}_{kind}{mean}"
    for name, rates in _DEFINITIONS.items()
    for kind in (_DIFFERENCE, _RATIO)
    for mean in (("", "_mean") if len(rates) > 1 else ("",))
)


def disparities(groups: Mapping[Group, Counts], minimum: Minimum) -> list[Disparity]:
    """Every disparity between `groups`.

    Differences are max − min and ratios min / max of the groups' rates. Equalized odds takes the worse of the
    true and the false positive rate's disparity, or with `_mean` their mean (fairlearn's `agg`).
    """
    found: list[Disparity] = []
    for name, rates in _DEFINITIONS.items():
        table = {group: [rate(counts) for rate in rates] for group, counts in groups.items()}
        for kind in (_DIFFERENCE, _RATIO):
            found.append(_disparity(f"{name}_{kind}", kind, False, table, groups, minimum))
            if len(rates) > 1:
                found.append(_disparity(f"{name}_{kind}_mean", kind, True, table, groups, minimum))
    return found


def _disparity(
    name: str,
    kind: str,
    mean: bool,
    table: Mapping[Group, Sequence[Rate]],
    groups: Mapping[Group, Counts],
    minimum: Minimum,
) -> Disparity:
    rates = range(len(next(iter(table.values()))))
    # One set of groups for all rates that are combined: a group that is left out is left out of the whole number.
    lacking = {group: _lacking(row, groups[group], minimum) for group, row in table.items()}
    compared = tuple(group for group in table if lacking[group] is None)
    excluded = tuple(group for group in table if lacking[group] is not None)
    every = [[row[i] for row in table.values() if row[i].trials] for i in rates]
    over_every_group = _rounded(_value(every, kind, mean))
    if len(compared) < 2:
        rate = next((lack for lack in lacking.values() if lack is not None), next(iter(table.values()))[0].name)
        reason = f"fewer than two groups have enough cases for the {rate}"
        return Disparity(name, None, None, compared, excluded, over_every_group, reason)
    parts = [[table[group][i] for group in compared] for i in rates]
    value = _rounded(_value(parts, kind, mean))
    if value is None:
        reason = "every compared rate is 0, so their ratio is undefined"
        return Disparity(name, None, None, compared, excluded, over_every_group, reason)
    return Disparity(name, value, _interval(kind, mean, parts), compared, excluded, over_every_group)


def _lacking(row: Sequence[Rate], counts: Counts, minimum: Minimum) -> str | None:
    """The first rate for which the group has too few cases; None when it has enough for all."""
    needed = {
        "selection_rate": 1,
        "true_positive_rate": minimum.positives,
        "false_positive_rate": minimum.negatives,
        "precision": minimum.positives,
    }
    for rate in row:
        if counts.n < minimum.cases or rate.trials < max(1, needed[rate.name]):
            return rate.name
    return None


def _spread(kind: str, rates: Sequence[Rate]) -> Fraction | None:
    """max − min, or min / max, of the rates; None when there is nothing to compare or all are 0."""
    values = [Fraction(rate.successes, rate.trials) for rate in rates]
    if not values or (kind == _RATIO and max(values) == 0):
        return None
    return max(values) - min(values) if kind == _DIFFERENCE else min(values) / max(values)


def _value(parts: Sequence[Sequence[Rate]], kind: str, mean: bool) -> Fraction | None:
    spreads = [_spread(kind, part) for part in parts]
    known = [spread for spread in spreads if spread is not None]
    return _combine(known, kind, mean) if len(known) == len(spreads) else None


def _rounded(value: Fraction | None) -> float | None:
    """Rounded once, at the end: 80 % − 70 % is the number 0.1, and does not exceed a limit of 0.1."""
    return None if value is None else float(value)


def _combine(parts: Sequence[Number], kind: str, mean: bool) -> Number:
    if mean:
        return sum(parts[1:], parts[0]) / len(parts)
    return max(parts) if kind == _DIFFERENCE else min(parts)


def _interval(kind: str, mean: bool, parts: Sequence[Sequence[Rate]]) -> Interval:
    # Bonferroni over the rates that are combined: then their bounds hold together.
    confidence = 1 - (1 - intervals.CONFIDENCE) / len(parts)
    bounds = intervals.range_of_rates if kind == _DIFFERENCE else intervals.ratio_of_rates
    found = [bounds([(rate.successes, rate.trials) for rate in part], confidence) for part in parts]
    lows, highs = [low for low, _ in found], [high for _, high in found]
    method = "pairwise Newcombe at Tukey's range" if kind == _DIFFERENCE else "simultaneous Wilson"
    return Interval(_combine(lows, kind, mean), _combine(highs, kind, mean), intervals.CONFIDENCE, method)
