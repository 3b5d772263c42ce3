"""Measurements by group, and which of a thousand groups are worth a place: the extreme and the large ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from ml_compliance.model import Evidence, Finding, Measurement, Report
from ml_compliance.publish._view import group_name, mapping, mappings

CHARTED = ("selection_rate", "true_positive_rate", "false_positive_rate")
_RATES_OF = {
    "demographic_parity": ("selection_rate",),
    "equalized_odds": ("true_positive_rate", "false_positive_rate"),
    "equal_opportunity": ("true_positive_rate",),
    "predictive_parity": ("precision",),
    "group_loss": ("mae",),
}
_DISPARITY = re.compile(r"_(difference|ratio)(_mean)?$")
_EXTREMES = 2
_SHOWN = 12
_LISTED = 200


@dataclass(frozen=True)
class Group:
    """One group: its rates by short name, and those for which it is too small to be compared."""

    name: str
    slice: Mapping[str, str]
    n: int
    rates: Mapping[str, Measurement]
    left_out: frozenset[str] = frozenset()

    def value(self, rate: str) -> float | None:
        return self.rates[rate].value if rate in self.rates else None


@dataclass(frozen=True)
class GroupSet:
    """All groups of one attribute or intersection: `shown` in full view, `folded` on demand, the rest counted."""

    attributes: tuple[str, ...]
    groups: tuple[Group, ...]
    shown: tuple[Group, ...]
    folded: tuple[Group, ...]
    omitted: int
    disparities: tuple[Measurement, ...]

    @property
    def name(self) -> str:
        return " × ".join(self.attributes)

    @cached_property
    def rates(self) -> tuple[str, ...]:
        """The rates that at least one group has a value of, charted ones first."""
        present = dict.fromkeys(rate for group in self.groups for rate in group.rates if group.value(rate) is not None)
        return (*(rate for rate in CHARTED if rate in present), *(rate for rate in present if rate not in CHARTED))

    @cached_property
    def without(self) -> Mapping[str, str]:
        """The rates that no group has a value of, with the reasons."""
        rates = dict.fromkeys(rate for group in self.groups for rate in group.rates if rate not in self.rates)
        return {rate: "; ".join(_reasons(self.groups, rate)) for rate in rates}


def _reasons(groups: Iterable[Group], rate: str) -> Iterable[str]:
    found = (group.rates[rate] for group in groups if rate in group.rates)
    return dict.fromkeys(item.reason or item.status.replace("_", " ") for item in found)


def rates_behind(disparity: str) -> tuple[str, ...]:
    """The rates that a disparity compares: `fairness/equalized_odds_ratio` → true and false positive rate."""
    base = _DISPARITY.sub("", disparity.split("/", 1)[-1])
    return _RATES_OF.get(base, (base,))


def group_sets(evidence: Evidence) -> tuple[GroupSet, ...]:
    """The groups in `evidence` by attribute, single attributes before intersections."""
    by_attributes: dict[tuple[str, ...], dict[tuple[str, ...], list[Measurement]]] = {}
    for measurement in evidence.measurements:
        if measurement.slice and not measurement.across:
            attributes = tuple(sorted(measurement.slice))
            key = tuple(measurement.slice[name] for name in attributes)
            by_attributes.setdefault(attributes, {}).setdefault(key, []).append(measurement)
    ranked = sorted(by_attributes.items(), key=lambda item: (len(item[0]), item[0]))
    return tuple(_group_set(attributes, groups.values(), evidence) for attributes, groups in ranked)


def _group_set(attributes: tuple[str, ...], groups: Iterable[list[Measurement]], evidence: Evidence) -> GroupSet:
    disparities = tuple(
        item for item in evidence.measurements if item.across and {*item.across, *item.slice} == set(attributes)
    )
    left_out = _left_out(attributes, disparities)
    every = sorted((_group(found, attributes, left_out) for found in groups), key=_by_rate)
    shown, rest = worst_and_largest(every, _SHOWN)
    folded = sorted(sorted(rest, key=lambda group: -group.n)[:_LISTED], key=_by_rate)
    return GroupSet(
        attributes=attributes,
        groups=tuple(every),
        shown=shown,
        folded=tuple(folded),
        omitted=len(rest) - len(folded),
        disparities=disparities,
    )


def _group(found: Sequence[Measurement], attributes: tuple[str, ...], left_out: Mapping[str, set[str]]) -> Group:
    about = {name: found[0].slice[name] for name in attributes}
    name = group_name(about)
    return Group(
        name=name,
        slice=about,
        n=max((item.n or 0 for item in found), default=0),
        rates={item.name.split("/", 1)[-1]: item for item in found},
        left_out=frozenset(rate for rate, names in left_out.items() if name in names),
    )


def _left_out(attributes: tuple[str, ...], disparities: Iterable[Measurement]) -> dict[str, set[str]]:
    """Rate → the names of the groups that are too small for it."""
    names: dict[str, set[str]] = {}
    for disparity in disparities:
        for excluded in mappings(disparity.method.get("excluded")):
            # With several classes, the disparity's own slice says of which class it is.
            group = {**(mapping(excluded.get("slice")) or excluded), **disparity.slice}
            name = " × ".join(str(group.get(attribute)) for attribute in attributes)
            for rate in rates_behind(disparity.name):
                names.setdefault(rate, set()).add(name)
    return names


def _by_rate(group: Group) -> tuple[bool, float, str]:
    first = next((item.value for rate in (*CHARTED, *group.rates) if (item := group.rates.get(rate))), None)
    return first is None, first or 0.0, group.name


def worst_and_largest(groups: Sequence[Group], limit: int) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """At most `limit` groups, in the order given, and the rest: per rate the lowest and highest, then the largest."""
    if len(groups) <= limit:
        return tuple(groups), ()
    rates = dict.fromkeys(rate for group in groups for rate in group.rates)
    wanted: list[str] = []
    for rate in (*(rate for rate in CHARTED if rate in rates), *(rate for rate in rates if rate not in CHARTED)):
        compared = [group for group in groups if group.value(rate) is not None and rate not in group.left_out]
        ranked = sorted(compared, key=partial(_known, rate))
        wanted += [group.name for group in (*ranked[:_EXTREMES], *ranked[-_EXTREMES:])]
    wanted += [group.name for group in sorted(groups, key=lambda group: -group.n)[:limit]]
    chosen = set(list(dict.fromkeys(wanted))[:limit])
    return (
        tuple(group for group in groups if group.name in chosen),
        tuple(group for group in groups if group.name not in chosen),
    )


def sets_by_module(report: Report) -> dict[str, tuple[GroupSet, ...]]:
    """The groups of every measurement module."""
    return {item.name: group_sets(item) for item in report.evidence}


def _known(rate: str, group: Group) -> float:
    return group.value(rate) or 0.0


def groups_behind(
    sets: Mapping[str, tuple[GroupSet, ...]], finding: Finding, limit: int
) -> tuple[str, tuple[Group, ...], int]:
    """The rate that a disparity finding is about, the groups it compares (at most `limit`), how many more there are."""
    for found in sets.get(finding.measurement.split("/", 1)[0], ()):
        if finding.across and set(found.attributes) == {*finding.across, *finding.slice}:
            about = [group for group in found.groups if finding.slice.items() <= group.slice.items()]
            rate = _widest(about, rates_behind(finding.measurement))
            compared = [group for group in about if rate in group.rates and rate not in group.left_out]
            compared.sort(key=lambda group: (group.value(rate) is None, group.value(rate) or 0.0))
            shown, rest = _ends(compared, limit)
            return rate, shown, len(rest)
    return "", (), 0


def _ends(groups: Sequence[Group], limit: int) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    if len(groups) <= limit:
        return tuple(groups), ()
    low = limit - limit // 2
    high = len(groups) - limit // 2
    return (*groups[:low], *groups[high:]), tuple(groups[low:high])


def _widest(groups: Sequence[Group], rates: Sequence[str]) -> str:
    """The one of `rates` that differs most between groups: an odds disparity is the worse of two."""

    def spread(rate: str) -> float:
        known = [value for group in groups if rate not in group.left_out and (value := group.value(rate)) is not None]
        return max(known) - min(known) if known else -1.0

    return max(rates, key=spread)
