"""The small table that everything is computed from: a confusion matrix per group, with sums of the score losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

Group = tuple[str, ...]
"""The values of some attributes, in the order of those attributes."""


@dataclass(frozen=True)
class Counts:
    """Rows of one group by true class and predicted class.

    `brier` and `log_loss` are Σx and Σx² of the per-row losses (None without scores). They are exact decimals,
    so that the order in which an engine adds them up does not show in the last digit.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0
    brier: tuple[Decimal, Decimal] | None = None
    log_loss: tuple[Decimal, Decimal] | None = None

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.tp + other.tp,
            self.fp + other.fp,
            self.fn + other.fn,
            self.tn + other.tn,
            _add(self.brier, other.brier),
            _add(self.log_loss, other.log_loss),
        )

    @property
    def n(self) -> int:
        return self.tp + self.fp + self.fn + self.tn

    @property
    def positives(self) -> int:
        return self.tp + self.fn

    @property
    def negatives(self) -> int:
        return self.fp + self.tn

    @property
    def selected(self) -> int:
        return self.tp + self.fp


def _add(one: tuple[Decimal, Decimal] | None, other: tuple[Decimal, Decimal] | None) -> tuple[Decimal, Decimal] | None:
    if one is None or other is None:
        return one or other
    return one[0] + other[0], one[1] + other[1]


@dataclass(frozen=True)
class Ranking:
    """How scores order one group: `pairs` is twice the number of (positive, negative) pairs in the right order,
    a tie counting half, and `precision_sum` is Σ precision at each positive, ties taken together.
    """

    pairs: int
    precision_sum: Decimal


@dataclass(frozen=True)
class Cube:
    """Counts for every combination of the attributes' values that occurs."""

    attributes: tuple[str, ...]
    cells: Mapping[Group, Counts]

    def by(self, attributes: tuple[str, ...]) -> dict[Group, Counts]:
        """The counts of each group of `attributes`, sorted; with no attributes, of all rows as the group `()`."""
        if attributes == self.attributes:
            return dict(sorted(self.cells.items()))
        places = [self.attributes.index(name) for name in attributes]
        groups: dict[Group, Counts] = {}
        for cell, counts in self.cells.items():
            group = tuple(cell[place] for place in places)
            groups[group] = groups[group] + counts if group in groups else counts
        return dict(sorted(groups.items()))


def groupings(attributes: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Each attribute, then each intersection of two, of three, …"""
    return [subset for size in range(1, len(attributes) + 1) for subset in combinations(attributes, size)]
