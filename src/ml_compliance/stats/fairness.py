"""Group fairness from counts. fairlearn is the reference for every definition that both have.

A group without the cases that a rate needs has no rate: it is left out and named, never counted as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from ml_compliance.model import Interval
from ml_compliance.stats import intervals, significance
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
class Test:
    """`p` is the p-value for "the true disparity does not go beyond `limit`"."""

    limit: float
    p: float


Limits = Mapping[str, Sequence[float]]
"""The limits that a disparity is tested against, by its name; where none is said, that there is no disparity."""
NO_LIMITS: Limits = {}


@dataclass(frozen=True)
class Disparity:
    """How far the groups are apart: `value` is None when fewer than two groups can be compared.

    `compared` and `excluded` are the groups above and below the minimum; `over_every_group` is the same
    statistic over every group that has the rate at all, which is fairlearn's number. `tests` say whether it is
    more than chance.
    """

    name: str
    value: float | None
    interval: Interval | None
    compared: tuple[Group, ...]
    excluded: tuple[Group, ...]
    over_every_group: float | None
    reason: str = ""
    tests: tuple[Test, ...] = ()


_DIFFERENCE, _RATIO = "difference", "ratio"
_NO_DISPARITY = {_DIFFERENCE: 0.0, _RATIO: 1.0}
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


def disparities(groups: Mapping[Group, Counts], minimum: Minimum, limits: Limits = NO_LIMITS) -> list[Disparity]:
    """Every disparity between `groups`, tested against its `limits`.

    Differences are max − min and ratios min / max of the groups' rates. Equalized odds takes the worse of the
    true and the false positive rate's disparity, or with `_mean` their mean (fairlearn's `agg`).
    """
    found: list[Disparity] = []
    for name, rates in _DEFINITIONS.items():
        table = {group: [rate(counts) for rate in rates] for group, counts in groups.items()}
        # One set of groups for all rates that are combined: a group that is left out is left out of the whole number.
        lacking = {group: _lacking(row, groups[group], minimum) for group, row in table.items()}
        for kind in (_DIFFERENCE, _RATIO):
            for mean in (False, True) if len(rates) > 1 else (False,):
                called = f"{name}_{kind}{'_mean' if mean else ''}"
                given = limits.get(called) or (_NO_DISPARITY[kind],)
                found.append(_disparity(_Statistic(called, kind, mean, tuple(given)), table, lacking))
    return found


def _disparity(
    statistic: _Statistic, table: Mapping[Group, Sequence[Rate]], lacking: Mapping[Group, str | None]
) -> Disparity:
    """`lacking` is the rate for which a group has too few cases; None for the groups that are compared."""
    name = statistic.name
    rates = range(len(next(iter(table.values()))))
    compared = tuple(group for group in table if lacking[group] is None)
    excluded = tuple(group for group in table if lacking[group] is not None)
    every = [[row[i] for row in table.values() if row[i].trials] for i in rates]
    over_every_group = _rounded(statistic.value(every))
    if len(compared) < 2:
        rate = next((lack for lack in lacking.values() if lack is not None), next(iter(table.values()))[0].name)
        reason = f"fewer than two groups have enough cases for the {rate}"
        return Disparity(name, None, None, compared, excluded, over_every_group, reason)
    parts = [[table[group][i] for group in compared] for i in rates]
    value = _rounded(statistic.value(parts))
    if value is None:
        reason = "every compared rate is 0, so their ratio is undefined"
        return Disparity(name, None, None, compared, excluded, over_every_group, reason)
    pairs = [[(rate.successes, rate.trials) for rate in part] for part in parts]
    interval, tests = statistic.interval(pairs), statistic.tests(pairs)
    return Disparity(name, value, interval, compared, excluded, over_every_group, tests=tests)


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


@dataclass(frozen=True)
class _Statistic:
    """A disparity: the difference or the ratio of rates, or of several kinds of rates their worst or `mean`."""

    name: str
    kind: str
    mean: bool
    limits: tuple[float, ...]

    def value(self, parts: Sequence[Sequence[Rate]]) -> Fraction | None:
        spreads = [_spread(self.kind, part) for part in parts]
        known = [spread for spread in spreads if spread is not None]
        return self.combine(known) if len(known) == len(spreads) else None

    def combine(self, parts: Sequence[Number]) -> Number:
        if self.mean:
            return sum(parts[1:], parts[0]) / len(parts)
        return max(parts) if self.kind == _DIFFERENCE else min(parts)

    def interval(self, parts: Sequence[significance.Rates]) -> Interval:
        # Bonferroni over the rates that are combined: then their bounds hold together.
        confidence = 1 - (1 - intervals.CONFIDENCE) / len(parts)
        bounds = intervals.range_of_rates if self.kind == _DIFFERENCE else intervals.ratio_of_rates
        lows, highs = zip(*(bounds(part, confidence) for part in parts), strict=True)
        method = "pairwise Newcombe at Tukey's range" if self.kind == _DIFFERENCE else "simultaneous Wilson"
        return Interval(self.combine(lows), self.combine(highs), intervals.CONFIDENCE, method)

    def tests(self, parts: Sequence[significance.Rates]) -> tuple[Test, ...]:
        p_of = significance.range_exceeds if self.kind == _DIFFERENCE else significance.ratio_falls_short
        return tuple(Test(limit, p_of(parts, limit, self.combine)) for limit in self.limits)


def _spread(kind: str, rates: Sequence[Rate]) -> Fraction | None:
    """max − min, or min / max, of the rates; None when there is nothing to compare or all are 0."""
    if not rates:
        return None
    least, most = _extreme(min, rates), _extreme(max, rates)
    if kind == _DIFFERENCE:
        return most - least
    return least / most if most else None


def _extreme(choose: Callable[[Iterable[Any]], Any], rates: Sequence[Rate]) -> Fraction:
    """The least or the greatest rate: a division rounds, but never changes the order, so few have to be compared."""
    rounded = [rate.successes / rate.trials for rate in rates]
    nearest = choose(rounded)
    same = {(rate.successes, rate.trials) for rate, value in zip(rates, rounded, strict=True) if value == nearest}
    extreme: Fraction = choose(Fraction(*pair) for pair in same)
    return extreme


def _rounded(value: Fraction | None) -> float | None:
    """Rounded once, at the end: 80 % − 70 % is the number 0.1, and does not exceed a limit of 0.1."""
    return None if value is None else float(value)
