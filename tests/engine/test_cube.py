"""Counts and rankings through DuckDB: exact up to EXACT_ROWS, and above within the error that they state."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from ml_compliance.engine import cube
from ml_compliance.engine.judged import Judged
from ml_compliance.stats.counts import Ranking, groupings
from ml_compliance.stats.ranking import StepRanking, resolution

SHAPES: dict[str, Any] = {
    "even": lambda random, n: random.random(n),
    "rare": lambda random, n: random.random(n) ** 12,
    "certain": lambda random, n: 1 - random.random(n) ** 12 / 2,
    "rounded": lambda random, n: random.random(n).round(1),
    "two values": lambda random, n: random.integers(0, 2, n) * 0.5,
    "ends": lambda random, n: random.choice(
        [0.0, 5e-324, 1e-300, 0.5, np.nextafter(0.5, 0), np.nextafter(1, 0), 1.0], n
    ),
}


def judged(score: Any, label: Any, **attributes: Any) -> Judged:
    """A judged table that is none: only what cube.py reads of it."""
    columns = {
        "label": label,
        "prediction": (np.asarray(score) >= 0.5).astype(int),
        "score": np.asarray(score, float),
        **{f"attribute_{place}": values for place, values in enumerate(attributes.values())},
    }
    return Judged(ibis.memtable(pa.table(columns)), tuple(attributes), True, len(label), "t")


def drawn(shape: str, n: int = 4_000) -> dict[str, Any]:
    random = np.random.default_rng(5)
    score = SHAPES[shape](random, n)
    label = (random.random(n) < 0.1 + 0.8 * np.sqrt(score)).astype(int)
    return {
        "score": score,
        "label": label,
        "race": random.choice(["a", "b", "c"], n),
        "sex": random.choice(["f", "m"], n),
    }


@pytest.mark.parametrize("shape", SHAPES)
def test_steps_stay_within_the_error_that_they_state(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cube, "EXACT_ROWS", 0)
    monkeypatch.setattr(cube, "_MOST_STEPS", 2**8)
    data = drawn(shape)
    table = judged(**data)
    sets = [(), *groupings(("race", "sex"))]
    counted, ranked = cube.count_cube(table), cube.rankings(table, sets)
    assert [len(ranked[names]) for names in sets] == [1, 3, 2, 6]
    for names in sets:
        for group, ranking in ranked[names].items():
            members = np.logical_and.reduce(
                [data[name] == value for name, value in zip(names, group, strict=True)] or [data["label"] >= 0]
            )
            y, s = data["label"][members], data["score"][members]
            counts = counted.by(names)[group]
            auc = ranking.pairs / (2 * counts.positives * counts.negatives)
            ap = float(ranking.precision_sum / counts.positives)
            bounds: dict[str, Any] = {
                name: resolution(ranking, name, counts.positives, counts.negatives).get("error_bound", 0.0)
                for name in ("roc_auc", "average_precision")
            }
            assert abs(auc - reference.roc_auc_score(y, s)) <= bounds["roc_auc"] + 1e-12
            assert abs(ap - reference.average_precision_score(y, s)) <= bounds["average_precision"] + 1e-12
            if shape in ("rounded", "two values"):
                assert bounds == {"roc_auc": 0, "average_precision": 0}, "each step holds one score"
            if shape == "even":
                assert 0 < bounds["roc_auc"] < 0.01
                assert 0 < bounds["average_precision"] < 0.05


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=60), st.sampled_from([None, 2**8]))
def test_any_scores_are_ranked_within_the_error(rows: list[tuple[float, bool]], steps: int | None) -> None:
    score, label = np.array([row[0] for row in rows]), np.array([int(row[1]) for row in rows])
    p, n = int(label.sum()), int(len(label) - label.sum())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cube, "EXACT_ROWS", 10**9 if steps is None else 0)
        patch.setattr(cube, "_MOST_STEPS", steps or 1)
        ranking = cube.rankings(judged(score, label), [()])[()][()]
    errors = (ranking.pairs_error, ranking.precision_error) if isinstance(ranking, StepRanking) else (0, 0.0)
    assert steps or errors == (0, 0.0)
    above = (score[label == 1][:, None] > score[label == 0]).sum() * 2 + (
        score[label == 1][:, None] == score[label == 0]
    ).sum()
    assert abs(ranking.pairs - above) <= errors[0]
    if p:
        expected = reference.average_precision_score(label, score) * p
        assert float(ranking.precision_sum) == pytest.approx(expected, abs=errors[1] + 1e-9)
    assert ranking.pairs == 0 or (p and n)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=40))
def test_steps_keep_the_order_of_scores(scores: list[float]) -> None:
    table = ibis.memtable(pa.table({"score": pa.array(scores, pa.float64())}))
    found = (
        table.select(table.score, step=cube._step(table.score, 2**14))
        .order_by("score")
        .to_pyarrow()["step"]
        .to_pylist()
    )
    assert found == sorted(found)
    assert 0 <= found[0] <= found[-1] <= 2**14


def test_steps_are_finest_at_the_ends() -> None:
    table = ibis.memtable(pa.table({"score": [0.0, 1e-6, 1e-4, 0.5, 1 - 1e-4, 1 - 1e-6, 1.0]}))
    steps = np.diff(table.select(step=cube._step(table.score, 2**10)).to_pyarrow()["step"].to_numpy())
    assert steps.min() >= 18, "a millionth is told from nothing"


def test_many_groups_are_ranked_by_a_scan_for_each_grouping(monkeypatch: pytest.MonkeyPatch) -> None:
    table, sets = judged(**drawn("even")), [(), *groupings(("race", "sex"))]
    together = cube.rankings(table, sets)
    monkeypatch.setattr(cube, "_ENTRIES", 0)
    assert cube.rankings(table, sets) == together


def test_small_tables_are_exact_and_say_nothing_about_steps() -> None:
    ranking = cube.rankings(judged(**drawn("even")), [()])[()][()]
    assert type(ranking) is Ranking
    assert resolution(ranking, "roc_auc", 10, 10) == {}


def test_the_resolution_is_said_of_what_is_ranked_and_nothing_else() -> None:
    ranking = StepRanking(80, 4, 256, 10, 0.5)  # type: ignore[arg-type]
    assert resolution(ranking, "roc_auc", 10, 5) == {"score_steps": 256, "error_bound": 0.1}
    assert resolution(ranking, "average_precision", 10, 5) == {"score_steps": 256, "error_bound": 0.05}
    assert resolution(ranking, "accuracy", 10, 5) == {}
    assert resolution(ranking, "roc_auc", 10, 0) == {}
    assert resolution(None, "roc_auc", 10, 5) == {}


@pytest.mark.parametrize(("cells", "steps"), [(1, 2**16), (40, 2**14), (1_000, 2**10), (10**7, 2**8)])
def test_more_cells_get_fewer_steps(cells: int, steps: int) -> None:
    assert cube._steps(cells) == steps


def test_without_scores_there_are_counts_and_no_rankings() -> None:
    data = drawn("even")
    scored = judged(**data)
    bare = Judged(scored.table.drop("score"), scored.attributes, False, scored.rows, "t")
    assert cube.rankings(bare, [()]) == {}
    assert cube.count_cube(bare).by(())[()].brier is None
    for group, counts in cube.count_cube(bare).by(("sex",)).items():
        members = data["sex"] == group[0]
        predicted = (data["score"] >= 0.5).astype(int)
        found = reference.confusion_matrix(data["label"][members], predicted[members])
        assert [[counts.tn, counts.fp], [counts.fn, counts.tp]] == found.tolist()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_losses_are_sums_to_the_last_digits(rows: list[tuple[float, bool]]) -> None:
    """Also of scores at 0 and 1, where a wrong prediction costs 36, the most there is."""
    score, label = np.array([row[0] for row in rows]), np.array([int(row[1]) for row in rows])
    counts = cube.count_cube(judged(score, label)).by(())[()]
    brier = (score - label) ** 2
    eps = np.finfo(float).eps
    loss = -np.log(np.clip(np.where(label == 1, score, 1 - score), eps, 1 - eps))
    assert counts.brier is not None
    assert counts.log_loss is not None
    assert [float(value) for value in counts.brier] == pytest.approx([brier.sum(), (brier**2).sum()], abs=1e-12)
    assert [float(value) for value in counts.log_loss] == pytest.approx(
        [loss.sum(), (loss**2).sum()], rel=1e-12, abs=1e-12
    )
