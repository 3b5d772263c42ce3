"""How sure two areas under the ROC curve are, and how much they go together, on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_compliance.stats.counts import Group

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ScorePairs:
    """Rows by cell, true class and the scores of both models; all arrays have one entry for each combination.

    `cell` is an index into `cells`, the values of the attributes. Scores are brought to `steps`, if that is a number.
    """

    cells: Sequence[Group]
    cell: NDArray[int64]
    label: NDArray[int64]
    challenger: NDArray[float64]
    champion: NDArray[float64]
    n: NDArray[int64]
    steps: int | None


@dataclass(frozen=True)
class Covariance:
    """The variances of the challenger's and the champion's area, and their covariance."""

    challenger: float
    champion: float
    both: float
    steps: int | None = None


def covariances(pairs: ScorePairs, places: Sequence[int]) -> dict[Group, Covariance]:
    """The covariance of both areas in each group of the attributes at `places` (none: of all rows) that has two rows
    of each class; fewer give no variance.

    DeLong, DeLong and Clarke-Pearson (1988, Biometrics 44:837): a row's placement is the share of the rows of the other
    class that its score puts in order with it, ties counting half. The covariance of the areas is the sum, over both
    classes, of the sample covariance of the placements divided by the number of rows of the class.
    """
    import numpy as np

    keys = [tuple(cell[place] for place in places) for cell in pairs.cells]
    groups = sorted(set(keys))
    number = {group: index for index, group in enumerate(groups)}
    group = np.array([number[key] for key in keys])[pairs.cell]
    half = 2 * group + pairs.label
    rows = np.bincount(half, pairs.n, minlength=2 * len(groups))
    one, two = (_centred(_placements(pairs, group, rows, score), half, pairs.n, rows)
                for score in (pairs.challenger, pairs.champion))  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [
            np.bincount(half, pairs.n * product, minlength=len(rows)) / ((rows - 1) * rows)
            for product in (one * one, two * two, one * two)
        ]
    sums = [(part[0::2] + part[1::2]).tolist() for part in parts]
    enough = np.minimum(rows[0::2], rows[1::2]) >= 2
    return {
        name: Covariance(sums[0][index], sums[1][index], sums[2][index], pairs.steps)
        for index, name in enumerate(groups)
        if enough[index]
    }


def _placements(pairs: ScorePairs, group: Any, rows: Any, score: Any) -> Any:
    """The placement of each entry by `score`; `rows` are those of each group's negatives and positives, in turns."""
    import numpy as np

    distinct, rank = np.unique(score, return_inverse=True)
    ties, tie = np.unique(group * len(distinct) + rank, return_inverse=True)
    owner = ties // len(distinct)
    positives, negatives = (np.bincount(tie, pairs.n * (pairs.label == label)) for label in (1, 0))
    below = np.cumsum(negatives) - negatives / 2 - (np.cumsum(rows[0::2]) - rows[0::2])[owner]
    above = np.cumsum(rows[1::2])[owner] - np.cumsum(positives) + positives / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pairs.label == 1, (below / rows[0::2][owner])[tie], (above / rows[1::2][owner])[tie])


def _centred(placement: Any, half: Any, n: Any, rows: Any) -> Any:
    """Placements less the mean of their class in their group. Where the other class is empty, none is finite."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.bincount(half, n * placement, minlength=len(rows)) / rows
    return placement - means[half]
