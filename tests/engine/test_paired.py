"""Joint counts and placements, and joins by id, through DuckDB: numpy, scikit-learn and the cube are the reference."""

from __future__ import annotations

from collections import Counter
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from ml_compliance.engine.cube import count_cube, rankings
from ml_compliance.engine.judged import Judged, judge_table
from ml_compliance.engine.matching import judge_predictions, match
from ml_compliance.engine.paired import Paired, joint_counts, score_pairs, side, side_by_side
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.facts import Column
from ml_compliance.model import MISSING_GROUP
from ml_compliance.stats.delong import ScorePairs, covariances
from ml_compliance.stats.rollup import roll_up

N = 300


def sample(seed: int = 4) -> dict[str, Any]:
    """Two scores with ties, and an attribute with missing values."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, N)
    one, two = (np.clip(np.round(label * gain + random.random(N) * 0.8, 2), 0, 1) for gain in (0.2, 0.1))
    return {
        "id": np.arange(N), "label": label, "new": (one >= 0.5).astype(int), "new_score": one,
        "old": np.where(two >= 0.5, "yes", "no"), "old_score": two,
        "race": np.array(["a", "b", None])[random.integers(0, 3, N)],
    }  # fmt: skip


def judged(data: dict[str, Any], table: Any = None) -> Judged:
    table = ibis.memtable(pa.table(data)) if table is None else table
    return judge_table(table, "new.csv", Column("label"), Column("new"), "new_score", ("race",))


def predictions(data: dict[str, Any], **changed: Any) -> Judged:
    names = {"id": "id", "old": "predicted", "old_score": "score"}
    columns = {name: data[key] for key, name in names.items()} | changed
    return judge_predictions(ibis.memtable(pa.table(columns)), "old.csv", Column("predicted", "yes"), "score")


def together(data: dict[str, Any]) -> Paired:
    table = ibis.memtable(pa.table(data))
    champion = judge_table(table, "old", Column("label"), Column("old", "yes"), "old_score", ())
    return side_by_side(judged(data, table), champion)


def shuffled(data: dict[str, Any], seed: int = 1) -> dict[str, Any]:
    order = np.random.default_rng(seed).permutation(len(data["id"]))
    return {name: values[order] for name, values in data.items()}


@pytest.mark.parametrize("pair", [together, lambda data: match(judged(data), predictions(shuffled(data)), "id")])
def test_joint_counts_are_those_of_the_rows(pair: Any) -> None:
    data = sample()
    found = joint_counts(pair(data))
    assert {group for (group,) in found} == {"a", "b", MISSING_GROUP}
    race = np.array([value or MISSING_GROUP for value in data["race"]])
    for (group,), pairs in found.items():
        for cell, n in enumerate(pairs.cells):
            hit = (4 * data["label"] + 2 * data["new"] + (data["old"] == "yes") == cell) & (race == group)
            assert n == hit.sum()


def test_the_challenger_is_the_one_whose_performance_is_measured() -> None:
    data = sample()
    pairs = roll_up(joint_counts(together(data)), ("race",), ())[()]
    counts = count_cube(judged(data)).by(())[()]
    assert (pairs.counts.tp, pairs.counts.fp, pairs.counts.fn, pairs.counts.tn) == (
        counts.tp, counts.fp, counts.fn, counts.tn,
    )  # fmt: skip
    assert counts.log_loss is not None
    assert counts.brier is not None
    assert [float(x) for x in pairs.losses["log_loss"].challenger] == pytest.approx([float(x) for x in counts.log_loss])
    assert [float(x) for x in pairs.losses["brier"].challenger] == pytest.approx([float(x) for x in counts.brier])


def test_sums_do_not_depend_on_the_order_of_rows() -> None:
    data = sample()
    one, two = together(data), together(shuffled(data))
    assert joint_counts(one) == joint_counts(two)
    for here, there in zip(vars(score_pairs(one)).values(), vars(score_pairs(two)).values(), strict=True):
        assert np.array_equal(here, there)


def rows_of(data: dict[str, Any]) -> dict[tuple[Any, ...], int]:
    """How many rows there are of each race, true class and pair of scores."""
    race = [value or MISSING_GROUP for value in data["race"]]
    return dict(Counter(zip(race, data["label"], data["new_score"], data["old_score"], strict=True)))


@pytest.mark.parametrize("seed", range(3))
def test_pairs_of_scores_are_those_of_the_rows(seed: int) -> None:
    data = sample(seed)
    found = score_pairs(together(data))
    names = [found.cells[cell][0] for cell in found.cell]
    entries = zip(names, found.label, found.challenger, found.champion, strict=True)
    assert dict(zip(entries, found.n, strict=True)) == rows_of(data)
    assert found.steps is None
    assert list(found.cells) == sorted(found.cells)


def test_many_rows_are_told_by_steps_of_the_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sample()
    exact = covariances(score_pairs(together(data)), [])[()]
    monkeypatch.setattr("ml_compliance.engine.paired.EXACT_ROWS", N - 1)
    found = score_pairs(together(data))
    assert found.steps == 418  # 3 races × 2 classes × 418² is just below 2²⁰
    assert found.n.sum() == N
    assert covariances(found, [])[()].both == pytest.approx(exact.both, rel=0.02)
    order = np.argsort(data["new_score"], kind="stable")
    entry = dict(zip(*_by_score(together(data), found), strict=True))
    assert np.all(np.diff([entry[score] for score in data["new_score"][order]]) >= 0)


def _by_score(paired: Paired, found: ScorePairs) -> tuple[list[float], list[float]]:
    from ml_compliance.engine.paired import _step

    table = paired.table.select(score="challenger_score", step=_step(paired.table.challenger_score, found.steps or 0))
    rows = table.distinct().to_pyarrow()
    return rows["score"].to_pylist(), rows["step"].to_pylist()


def test_each_side_is_a_judged_table_of_its_own() -> None:
    data = sample()
    paired = together(data)
    for model, score in (("challenger", "new_score"), ("champion", "old_score")):
        ranking = rankings(side(paired, model), [()])[()][()]
        positives, negatives = (data["label"] == 1).sum(), (data["label"] == 0).sum()
        assert ranking.pairs / (2 * positives * negatives) == pytest.approx(roc_auc_score(data["label"], data[score]))


def test_without_a_score_there_are_counts_only() -> None:
    data = sample()
    champion = ibis.memtable(pa.table({"id": data["id"], "predicted": data["old"]}))
    paired = match(judged(data), judge_predictions(champion, "old.csv", Column("predicted", "yes"), None), "id")
    assert not paired.has_scores
    assert all(not pairs.losses for pairs in joint_counts(paired).values())


@pytest.mark.parametrize("kind", [str, "int16", "float64"])
def test_ids_of_two_types_are_the_same_when_they_say_the_same(kind: Any) -> None:
    data = sample()
    other = {**data, "id": data["id"].astype(kind)}
    if kind == "float64":
        with pytest.raises(EvaluationError, match=r"the id '0' of new.csv has no row in old.csv"):
            match(judged(data), predictions(other), "id")
        return
    assert joint_counts(match(judged(data), predictions(other), "id")) == joint_counts(together(data))


def test_rows_without_a_partner_are_named() -> None:
    data = sample()
    fewer = {name: values[3:] for name, values in data.items()}
    with pytest.raises(EvaluationError, match=r"the id 0 of new.csv has no row in old.csv, and so it is with 2 more"):
        match(judged(data), predictions(fewer), "id")
    with pytest.raises(EvaluationError, match=r"the id 0 of old.csv has no row in new.csv, and so it is with 2 more"):
        match(judged(fewer), predictions(data), "id")


def test_an_id_that_stands_twice_is_named() -> None:
    data = sample()
    twice = data["id"].copy()
    twice[7] = 8
    with pytest.raises(EvaluationError, match=r"the id 8 occurs more than once in old.csv\n") as raised:
        match(judged(data), predictions(data, id=twice), "id")
    assert raised.value.where == "old.csv"
    with pytest.raises(EvaluationError, match=r"the id 8 occurs more than once in new.csv\n"):
        match(judged({**data, "id": twice}), predictions(data), "id")


def test_ids_must_be_there() -> None:
    data = sample()
    holes = [None, *data["id"][1:].tolist()]
    with pytest.raises(EvaluationError, match=r"1 row has no id \(the first is row 1\)"):
        match(judged(data), predictions(data, id=holes), "id")
    with pytest.raises(UsageError, match="there is no column 'nr'"):
        match(judged(data), predictions(data), "nr")


def test_a_broken_table_of_predictions_is_told_in_its_own_words() -> None:
    data = sample()
    holes = [None, *data["old"][1:].tolist()]
    with pytest.raises(EvaluationError, match=r"1 row has no prediction \(the first is row 1\)") as raised:
        predictions(data, predicted=holes)
    assert raised.value.where == "old.csv, column 'predicted'"
    beyond = data["old_score"].copy()
    beyond[4] = 1.5
    with pytest.raises(EvaluationError, match=r"outside \[0, 1\] in 1 row \(the first is row 5\)"):
        predictions(data, score=beyond)
