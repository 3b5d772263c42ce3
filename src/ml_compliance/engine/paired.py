"""Challenger and champion side by side: joint counts of every group, and how both scores order them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.judged import Judged
from ml_compliance.stats.counts import Group
from ml_compliance.stats.delong import ScorePairs
from ml_compliance.stats.paired import Losses, Pairs

if TYPE_CHECKING:
    import ibis.expr.types as ir

MODELS = ("challenger", "champion")
CHALLENGER, CHALLENGER_SCORE = "ml_compliance_challenger", "ml_compliance_challenger_score"
"""Where the challenger's own predictions are put while the champion predicts."""
# As in the cube, fixed-point sums of machine integers do not depend on the order of rows: the type of a term, and of a
# product of two.
_TERMS = {"brier": ("decimal(18, 17)", "decimal(18, 17)"), "log_loss": ("decimal(18, 16)", "decimal(18, 14)")}
EXACT_ROWS = 2**18
"""Up to so many rows, how the two scores go together is told by the scores themselves."""
_ENTRIES = 2**20
_FEWEST_STEPS = 16
_EPSILON = 2.0**-52


@dataclass(frozen=True)
class Paired:
    """`table` has the columns label, challenger and champion (0 or 1), if `has_scores` challenger_score and
    champion_score, and the attributes' columns of `judged`, which is the challenger's judged table.
    """

    table: ir.Table
    judged: Judged
    has_scores: bool


def columns_of(judged: Judged, model: str) -> tuple[ir.Table, dict[str, Any]]:
    """The table that `judged` was made from, and its checked columns as expressions on that table, with prediction
    and score under the name of `model`, so that columns that were not kept can stand beside them.
    """
    made: Any = judged.table.op()
    names = {"prediction": model, "score": f"{model}_score"}
    columns = {names.get(name, name): value.to_expr() for name, value in made.values.items()}
    return made.parent.to_expr(), columns


def side_by_side(challenger: Judged, champion: Judged) -> Paired:
    """Pair two judged tables that were made from one table."""
    source, columns = columns_of(challenger, "challenger")
    _, more = columns_of(champion, "champion")
    return Paired(source.select(**{**more, **columns}), challenger, challenger.has_score and champion.has_score)


def joint_counts(paired: Paired) -> dict[Group, Pairs]:
    """The joint counts of every combination of the attributes' values that occurs: one query, one scan."""
    table, keys = paired.table, paired.judged.keys
    sums = {"n": table.count()} | (_loss_sums(table) if paired.has_scores else {})
    rows = table.group_by([*keys, "label", *MODELS]).agg(**sums).to_pyarrow().to_pylist()
    cells: dict[Group, Pairs] = {}
    for row in rows:
        counts = [0] * 8
        counts[4 * row["label"] + 2 * row["challenger"] + row["champion"]] = row["n"]
        losses = {name: _losses(row, name) for name in ("log_loss", "brier")} if paired.has_scores else {}
        pairs = Pairs(tuple(counts), losses)
        group = tuple(row[key] for key in keys)
        cells[group] = cells[group] + pairs if group in cells else pairs
    return cells


def _losses(row: Mapping[str, Decimal], name: str) -> Losses:
    one, two = ((row[f"{name}_{model}"], row[f"{name}_{model}_squared"]) for model in MODELS)
    return Losses(one, two, row[f"{name}_product"])


def _loss_sums(table: ir.Table) -> dict[str, Any]:
    terms: dict[str, dict[str, Any]] = {"brier": {}, "log_loss": {}}
    for model in MODELS:
        score = table[f"{model}_score"]
        terms["brier"][model] = (score - table.label) * (score - table.label)
        of_true_class = (table.label == 1).ifelse(score, 1 - score)
        terms["log_loss"][model] = -of_true_class.clip(lower=_EPSILON, upper=1 - _EPSILON).ln()
    sums = {}
    for name, of in terms.items():
        term, product = _TERMS[name]
        for model in MODELS:
            sums[f"{name}_{model}"] = of[model].cast(term).sum()
            sums[f"{name}_{model}_squared"] = (of[model] * of[model]).cast(product).sum()
        sums[f"{name}_product"] = (of["challenger"] * of["champion"]).cast(product).sum()
    return sums


def side(paired: Paired, model: str) -> Judged:
    """The judged table of one of the two models, over the rows of both."""
    table = paired.table
    columns = {"label": table.label, "prediction": table[model], **{key: table[key] for key in paired.judged.keys}}
    if paired.has_scores:
        columns["score"] = table[f"{model}_score"]
    return replace(paired.judged, table=table.select(**columns), has_score=paired.has_scores)


def score_pairs(paired: Paired) -> ScorePairs:
    """Rows by cell, true class and both scores: a small table. Above `EXACT_ROWS` rows, by steps of the scores.

    What it is for, how the two scores go together, is no less known by some hundred steps of each.
    """
    import numpy as np

    keys = paired.judged.keys
    scores = {model: paired.table[f"{model}_score"] for model in MODELS}
    steps = None if paired.judged.rows <= EXACT_ROWS else _steps(paired)
    if steps is not None:
        scores = {model: _step(score, steps) for model, score in scores.items()}
    stepped = paired.table.select(*keys, "label", **scores)
    found = stepped.group_by([*keys, "label", *MODELS]).agg(n=stepped.count()).to_pyarrow()
    cells, cell = _numbered([found[key].combine_chunks().dictionary_encode() for key in keys], found.num_rows)
    columns = [cell, *(found[name].to_numpy() for name in ("label", *MODELS, "n"))]
    # In whatever order an engine answers, sums are added in this one.
    order = np.lexsort(columns)
    number, label, one, two, n = (column[order] for column in columns)
    return ScorePairs(cells, number, label.astype(np.int64), one, two, n.astype(np.int64), steps)


def _numbered(columns: list[Any], rows: int) -> tuple[list[Group], Any]:
    """The combinations of values that occur in dictionary-encoded `columns`, sorted, and the number of each row's."""
    import numpy as np

    if not columns:
        return [()], np.zeros(rows, np.int64)
    codes = np.stack([column.indices.to_numpy() for column in columns])
    places, cell = np.unique(codes, axis=1, return_inverse=True)
    values = [column.dictionary.to_pylist() for column in columns]
    groups = [tuple(of[code] for of, code in zip(values, place, strict=True)) for place in places.T.tolist()]
    # Codes go by first appearance, which depends on the engine.
    order = sorted(range(len(groups)), key=groups.__getitem__)
    return [groups[old] for old in order], np.argsort(order)[cell.reshape(-1)]


def _steps(paired: Paired) -> int:
    """As many steps as keep cells × classes × steps², the size of the table, within `_ENTRIES`."""
    keys = paired.judged.keys
    cells = paired.table.select(keys).distinct().count().to_pyarrow().as_py() if keys else 1
    return max(_FEWEST_STEPS, math.isqrt(_ENTRIES // (2 * cells)))


def _step(score: Any, steps: int) -> Any:
    """The number of the step that `score` falls on; steps are finest at both ends, where scores of rare and of
    near-certain events crowd.
    """
    root = (2 * (score < 0.5).ifelse(score, 1 - score)).sqrt().sqrt()
    return ((score < 0.5).ifelse(root, 2 - root) * (steps / 2)).floor().cast("float64")
