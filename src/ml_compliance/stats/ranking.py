"""How scores order the members of many groups, from one small table of counts by score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ml_compliance.model import Json
from ml_compliance.stats.counts import Group, Ranking

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ScoreCounts:
    """Cases by cell and step of the score, from the highest step down; all arrays have one entry for each pair.

    `cell` is an index into `cells`, the values of the attributes. `step` is the score itself, or the number of the
    step when scores were brought to `steps` of them; `low` and `high` are the least and the greatest score in it.
    """

    cells: Sequence[Group]
    cell: NDArray[int64]
    step: NDArray[float64]
    low: NDArray[float64]
    high: NDArray[float64]
    positives: NDArray[int64]
    negatives: NDArray[int64]
    steps: int | None


@dataclass(frozen=True)
class StepRanking(Ranking):
    """A ranking by `steps` of the score, within which different scores count as ties.

    By the scores themselves, `pairs` and `precision_sum` would differ from these by no more than their errors.
    """

    steps: int = 0
    pairs_error: int = 0
    precision_error: float = 0.0


def resolution(ranking: Ranking | None, metric: str, positives: int, negatives: int) -> dict[str, Json]:
    """What the `method` of roc_auc and average_precision says; nothing when the ranking is exact.

    `error_bound` is how far the number may be from the one that the scores themselves would give.
    """
    if not isinstance(ranking, StepRanking) or not positives or not negatives:
        return {}
    bounds = {
        "roc_auc": ranking.pairs_error / (2 * positives * negatives),
        "average_precision": ranking.precision_error / positives,
    }
    if metric not in bounds:
        return {}
    return {"score_steps": ranking.steps, "error_bound": bounds[metric]}


def rank(table: ScoreCounts, places: Sequence[int]) -> dict[Group, Ranking]:
    """The ranking of each group, which is made of the values of the attributes at `places` (none: of all rows)."""
    import numpy as np

    keys = [tuple(cell[place] for place in places) for cell in table.cells]
    groups = sorted(set(keys))
    number = {group: index for index, group in enumerate(groups)}
    # Small integers are sorted by radix, in one pass for each byte.
    kind = np.uint16 if len(groups) <= np.iinfo(np.uint16).max else np.int64
    member = np.array([number[key] for key in keys], kind)[table.cell]
    order = np.argsort(member, kind="stable")
    member, step = member[order], table.step[order]
    first = np.flatnonzero(np.r_[True, (member[1:] != member[:-1]) | (step[1:] != step[:-1])])
    member = member[first]
    start = np.flatnonzero(np.r_[True, member[1:] != member[:-1]])
    p, n = (np.add.reduceat(counts[order], first) for counts in (table.positives, table.negatives))
    spread = np.minimum.reduceat(table.low[order], first) < np.maximum.reduceat(table.high[order], first)
    return dict(zip(groups, _rankings(p, n, spread, start, table.steps), strict=True))


def _rankings(p: Any, n: Any, spread: Any, start: Any, steps: int | None) -> list[Ranking]:
    """`p` positives and `n` negatives by step, group after group; `start` is where each group begins.

    `spread` says which steps hold different scores. Within such a step, every (positive, negative) pair may be in
    order or out of it; the precision at its positives is least when its negatives come first, where it sums to
    Σⱼ (a + j) / (a + j + f) ≥ p − f·ln((a + f + p) / (a + f)), and never above the one with no negatives of the step.
    """
    import numpy as np

    tp, fp = _running(p, start), _running(n, start)
    # A negative is in order with every positive above it, and half in order with those of its own step.
    pairs = np.add.reduceat(n * (2 * (tp - p) + p), start)
    precision = p * (tp / (tp + fp))
    above = tp - p + fp
    least = p - fp * np.log1p(p / np.maximum(above, 1))
    most = p * (tp / np.maximum(tp + fp - n, 1))
    pairs_error = np.add.reduceat(np.where(spread, p * n, 0), start)
    under, over = (
        np.add.reduceat(np.where(spread, error, 0.0), start) for error in (precision - least, most - precision)
    )
    listed, bounds = precision.tolist(), [*start.tolist(), len(precision)]
    sums = [math.fsum(listed[begin:end]) for begin, end in pairwise(bounds)]
    found: list[Ranking] = []
    for index, total in enumerate(sums):
        ranking = int(pairs[index]), Decimal(total)
        errors = int(pairs_error[index]), float(max(under[index], over[index]))
        found.append(Ranking(*ranking) if steps is None or not any(errors) else StepRanking(*ranking, steps, *errors))
    return found


def _running(counts: Any, start: Any) -> Any:
    """Cumulative sums of `counts` that begin anew at every `start`."""
    import numpy as np

    total = np.cumsum(counts)
    lengths = np.diff(np.r_[start, len(counts)])
    return total - np.repeat(total[start] - counts[start], lengths)
