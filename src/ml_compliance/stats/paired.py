"""Challenger and champion on the same rows: joint counts of a group, and what comparing them on a metric gives.

Estimates are fractions until the end, so that 0.84 − 0.80 is the float nearest to 0.04, which is what a law that says
0.04 means as well. In floats it would be 0.039999999999999925.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ml_compliance.model import Interval, Json
from ml_compliance.stats import intervals, matched
from ml_compliance.stats.counts import Counts

Confusion = tuple[Any, Any, Any, Any]
"""tp, fp, fn and tn: whole numbers, or arrays of them with one element for each draw of a bootstrap."""


@dataclass(frozen=True)
class Losses:
    """Exact sums of a loss over rows: Σ and Σ of squares of the challenger's and of the champion's, Σ of products."""

    challenger: tuple[Decimal, Decimal]
    champion: tuple[Decimal, Decimal]
    products: Decimal

    def __add__(self, other: Losses) -> Losses:
        return Losses(
            (self.challenger[0] + other.challenger[0], self.challenger[1] + other.challenger[1]),
            (self.champion[0] + other.champion[0], self.champion[1] + other.champion[1]),
            self.products + other.products,
        )


@dataclass(frozen=True)
class Pairs:
    """Rows of one group by true class and both predictions: `cells[4 * label + 2 * challenger + champion]`.

    `losses` holds log_loss and brier, or nothing when one of the models gives no score.
    """

    cells: tuple[int, ...]
    losses: Mapping[str, Losses] = field(default_factory=dict)

    def __add__(self, other: Pairs) -> Pairs:
        cells = tuple(one + two for one, two in zip(self.cells, other.cells, strict=True))
        return Pairs(cells, {name: loss + other.losses[name] for name, loss in self.losses.items()})

    @property
    def counts(self) -> Counts:
        """The challenger's confusion matrix."""
        return Counts(*challenger(self.cells))


@dataclass(frozen=True)
class Comparison:
    """One metric of both models, and by how much the challenger's exceeds the champion's; None is not estimable.

    `relative` is the difference divided by the size of the champion's value; `method` is what repeats the interval.
    """

    challenger: float | None = None
    champion: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    relative: float | None = None
    relative_bounds: matched.Bounds | None = None
    method: Mapping[str, Json] = field(default_factory=dict)
    reason: str = ""


def challenger(cells: Sequence[Any]) -> Confusion:
    """The challenger's confusion matrix from joint counts (numbers, or arrays of draws)."""
    return cells[6] + cells[7], cells[2] + cells[3], cells[4] + cells[5], cells[0] + cells[1]


def champion(cells: Sequence[Any]) -> Confusion:
    """The champion's confusion matrix from joint counts (numbers, or arrays of draws)."""
    return cells[5] + cells[7], cells[1] + cells[3], cells[4] + cells[6], cells[0] + cells[2]


def compared(
    one: Fraction,
    two: Fraction,
    bounds: matched.Bounds | None,
    formula: str,
    relative: matched.Bounds | None,
    method: Mapping[str, Json],
) -> Comparison:
    """Challenger's `one` against champion's `two`. Each float is rounded once, from the exact fraction."""
    return Comparison(
        challenger=float(one),
        champion=float(two),
        difference=float(one - two),
        interval=None if bounds is None else Interval(*bounds, intervals.CONFIDENCE, formula),
        relative=float((one - two) / abs(two)) if two else None,
        relative_bounds=relative if two else None,
        method=method,
    )
