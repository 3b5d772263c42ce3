"""Counts by bins of the score, with the exact sum of the scores in each: one scan."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ml_compliance.engine.judged import Judged
from ml_compliance.stats.calibration import Bin, Reliability
from ml_compliance.stats.counts import Group

# Exact in any order of addition; a score has one digit before the point.
_SCORE = "decimal(18, 17)"


def score_bins(judged: Judged, attributes: tuple[str, ...], bins: int) -> dict[Group, Reliability]:
    """The bins of each group of `attributes`: bin i holds i/bins ≤ score < (i + 1)/bins, and bin `bins` the score 1.

    `judged` must have scores.
    """
    table, keys = judged.table, judged.keys_of(attributes)
    binned = table.mutate(bin=_bin(table.score, bins))
    found = (
        binned.group_by([*keys, "bin"])
        .agg(n=binned.count(), positives=binned.label.sum(), score=binned.score.cast(_SCORE).sum())
        .to_pyarrow()
    )
    groups: defaultdict[Group, dict[int, Bin]] = defaultdict(dict)
    columns = (found[name].to_pylist() for name in (*keys, "bin", "n", "positives", "score"))
    for *group, number, n, positives, score in zip(*columns, strict=True):
        groups[tuple(group)][number] = Bin(n, int(positives), score)
    return {group: Reliability(dict(sorted(bins_of.items()))) for group, bins_of in groups.items()}


def cutoff_in_use(judged: Judged) -> float | None:
    """The least score that is predicted positive, if no row with that score or a higher one is predicted negative.

    None when the predictions are no cut of the scores.
    """
    table = judged.table
    found = table.aggregate(
        selected=table.score.min(where=table.prediction == 1), rejected=table.score.max(where=table.prediction == 0)
    )
    row = found.to_pyarrow().to_pylist()[0]
    return float(row["selected"]) if row["rejected"] < row["selected"] else None


def _bin(score: Any, bins: int) -> Any:
    """The greatest i with i/bins ≤ `score`, where i/bins is rounded as Python rounds it.

    The floor of score · bins may be one off, since the product is rounded: 0.29 · 100 is 28.999…. The nearest whole
    number is i or i + 1, and a comparison tells which.
    """
    near = (score * bins).round()
    return near.cast("int32") - (score < near / bins).cast("int32")
