"""The counts of every group, and how scores order them: a scan for each, and small tables from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_compliance.engine.judged import Judged
from ml_compliance.stats.counts import Counts, Cube, Group, Ranking
from ml_compliance.stats.ranking import ScoreCounts, rank

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

# Fixed-point sums are exact, so they are the same in whatever order, and on whatever engine, rows are added. Eighteen
# digits are a machine integer; the digits before the point are those of the largest possible term.
_TERMS = {
    "brier": "decimal(18, 17)",
    "brier_squared": "decimal(18, 17)",
    "log_loss": "decimal(18, 16)",
    "log_loss_squared": "decimal(18, 14)",
}
_EPSILON = 2.0**-52
_CONFUSION = {(1, 1): "tp", (0, 1): "fp", (1, 0): "fn", (0, 0): "tn"}

EXACT_ROWS = 2**18
"""Tables of at most so many rows are ranked by the scores themselves, larger ones by steps of the score."""
_ENTRIES = 2**20
_FEWEST_STEPS, _MOST_STEPS = 2**8, 2**16


def count_cube(judged: Judged) -> Cube:
    """The count cube over all sensitive attributes of `judged`: one query, one scan."""
    keys = judged.keys
    table = judged.table
    sums: dict[str, Any] = {"n": table.count()}
    if judged.has_score:
        sums |= _loss_sums(table)
    rows = table.group_by([*keys, "label", "prediction"]).agg(**sums).to_pyarrow().to_pylist()
    cells: dict[Group, Counts] = {}
    for row in rows:
        told: dict[str, Any] = {_CONFUSION[row["label"], row["prediction"]]: row["n"]}
        if judged.has_score:
            told |= {name: (row[name], row[f"{name}_squared"]) for name in ("brier", "log_loss")}
        counts = Counts(**told)
        group = tuple(row[key] for key in keys)
        cells[group] = cells[group] + counts if group in cells else counts
    return Cube(judged.attributes, cells)


def _loss_sums(table: ir.Table) -> dict[str, Any]:
    import ibis

    error = table.score - table.label
    true_class = ibis.ifelse(table.label == 1, table.score, 1 - table.score)
    loss = -true_class.clip(lower=_EPSILON, upper=1 - _EPSILON).ln()
    brier = error * error
    terms = {"brier": brier, "brier_squared": brier * brier, "log_loss": loss, "log_loss_squared": loss * loss}
    return {name: term.cast(_TERMS[name]).sum() for name, term in terms.items()}


def rankings(judged: Judged, groupings: list[tuple[str, ...]]) -> dict[tuple[str, ...], dict[Group, Ranking]]:
    """How the score orders each group of each grouping (`()` is all rows); nothing without a score.

    Rows are brought to counts by score once; every grouping then ranks those. Above `EXACT_ROWS` rows, scores are
    brought to steps first, and each ranking says how far it may be from the exact one (`StepRanking`).
    """
    if not judged.has_score:
        return {}
    every = judged.attributes
    groups, table = _numbered(judged, every)
    if len(groups) <= _ENTRIES // _FEWEST_STEPS:
        counts = _score_counts(table, groups, judged.rows)
        return {names: rank(counts, [every.index(name) for name in names]) for names in groupings}
    # So many groups that one table would be too coarse for the others, or too large: a scan for each grouping.
    found = {}
    for names in groupings:
        groups, table = _numbered(judged, names)
        found[names] = rank(_score_counts(table, groups, judged.rows), range(len(names)))
    return found


def _score_counts(table: ir.Table, groups: list[Group], rows: int) -> ScoreCounts:
    """Positives and negatives by cell and score, or by step of the score where there are many rows."""
    steps = None if rows <= EXACT_ROWS else _steps(len(groups))
    stepped = table.mutate(step=table.score if steps is None else _step(table.score, steps))
    found = (
        stepped.group_by(["cell", "step"])
        .agg(positives=stepped.label.sum(), n=stepped.count(), low=stepped.score.min(), high=stepped.score.max())
        .to_pyarrow()
    )
    return _highest_first(found, groups, steps)


def _numbered(judged: Judged, attributes: tuple[str, ...]) -> tuple[list[Group], ir.Table]:
    """Every combination of the attributes' values that occurs, and the table with its number in the column `cell`.

    To group by one number instead of several texts takes a third less time and memory.
    """
    import ibis
    import pyarrow as pa

    keys = judged.keys_of(attributes)
    if not keys:
        return [()], judged.table.mutate(cell=0)
    found = judged.table.select(keys).distinct().to_pyarrow()
    groups = list(zip(*(found[key].to_pylist() for key in keys), strict=True))
    cells = ibis.memtable(found.append_column("cell", pa.array(range(len(groups)), pa.int32())))
    return groups, judged.table.join(cells, keys)


def _steps(cells: int) -> int:
    """As many steps as keep cells × steps, the size of the table of counts, within `_ENTRIES`; a power of two."""
    wanted = 1 << max(0, (_ENTRIES // cells).bit_length() - 1)
    return min(_MOST_STEPS, max(_FEWEST_STEPS, wanted))


def _step(score: Any, steps: int) -> Any:
    """The number of the step, 0 to `steps`, that `score` falls on: equal steps of the fourth root of twice the
    distance to the nearer end, so that steps are finest where scores of rare and of near-certain events crowd.

    Every operation is correctly rounded by IEEE 754, so the order of scores is kept and engines agree.
    """
    import ibis

    root = (2 * ibis.least(score, 1 - score)).sqrt().sqrt()
    return (ibis.ifelse(score < 0.5, root, 2 - root) * (steps / 2)).floor().cast("float64")


def _highest_first(found: pa.Table, groups: list[Group], steps: int | None) -> ScoreCounts:
    import numpy as np

    order = np.argsort(-found["step"].to_numpy(), kind="stable")
    cell, step, low, high = (found[name].to_numpy()[order] for name in ("cell", "step", "low", "high"))
    # Some engines add whole numbers up to decimals.
    positives, n = (found[name].to_numpy().astype(np.int64)[order] for name in ("positives", "n"))
    return ScoreCounts(groups, cell.astype(np.int64), step, low, high, positives, n - positives, steps)
