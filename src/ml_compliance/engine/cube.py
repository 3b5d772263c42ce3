"""One pass over the rows: the counts of every group, and how scores order them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.judged import Judged
from ml_compliance.stats.counts import Counts, Cube, Group, Ranking

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Fixed-point sums are exact, so they are the same in whatever order, and on whatever engine, rows are added.
_EXACT = "decimal(38, 15)"
_EPSILON = 2.0**-52
_CONFUSION = {(1, 1): "tp", (0, 1): "fp", (1, 0): "fn", (0, 0): "tn"}


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
        counts = Counts(**{_CONFUSION[row["label"], row["prediction"]]: row["n"]})
        if judged.has_score:
            brier, log_loss = ((row[name], row[f"{name}_squared"]) for name in ("brier", "log_loss"))
            counts = replace(counts, brier=brier, log_loss=log_loss)
        group = tuple(row[key] for key in keys)
        cells[group] = cells[group] + counts if group in cells else counts
    return Cube(judged.attributes, cells)


def _loss_sums(table: ir.Table) -> dict[str, Any]:
    import ibis

    error = table.score - table.label
    true_class = ibis.ifelse(table.label == 1, table.score, 1 - table.score)
    loss = -true_class.clip(lower=_EPSILON, upper=1 - _EPSILON).ln()
    terms = {"brier": error * error, "log_loss": loss}
    return {
        key: value.cast(_EXACT).sum()
        for name, term in terms.items()
        for key, value in ((name, term), (f"{name}_squared", term * term))
    }


def rankings(judged: Judged, groupings: list[tuple[str, ...]]) -> dict[tuple[str, ...], dict[Group, Ranking]]:
    """How the score orders each group of each grouping (`()` is all rows); nothing without a score.

    Rows are brought to counts by score once; every grouping then ranks those.
    """
    if not judged.has_score:
        return {}
    table = judged.table
    by_score = (
        table.group_by([*judged.keys, "score"])
        .agg(positives=table.label.sum(), negatives=(1 - table.label).sum())
        .cache()
    )
    return {grouping: _rank(by_score, judged.keys_of(grouping)) for grouping in groupings}


def _rank(by_score: ir.Table, keys: list[str]) -> dict[Group, Ranking]:
    import ibis

    scores = by_score.group_by([*keys, "score"]).agg(
        positives=by_score.positives.sum(), negatives=by_score.negatives.sum()
    )
    above = ibis.window(group_by=keys, order_by=ibis.desc("score"), preceding=None, following=0)
    running = scores.mutate(
        true_positives=scores.positives.sum().over(above), false_positives=scores.negatives.sum().over(above)
    )
    # A negative is in order with every positive above it, and half in order with those of its own score.
    pairs = running.negatives * (2 * (running.true_positives - running.positives) + running.positives)
    precision = running.true_positives / (running.true_positives + running.false_positives)
    sums = {"pairs": pairs.sum(), "precision_sum": (running.positives * precision).cast(_EXACT).sum()}
    rows = running.group_by(keys).agg(**sums) if keys else running.aggregate(**sums)
    return {
        tuple(row[key] for key in keys): Ranking(int(row["pairs"]), Decimal(row["precision_sum"]))
        for row in rows.to_pyarrow().to_pylist()
    }
