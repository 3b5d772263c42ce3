"""scikit-learn is the reference for performance; the engine's exact sums are what is tested, through DuckDB."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics as reference

from ml_compliance.engine.cube import count_cube, rankings
from ml_compliance.engine.judged import Judged, judge_table
from ml_compliance.facts import Column
from ml_compliance.stats.counts import Counts
from ml_compliance.stats.performance import METRICS, estimates

REFERENCE = {
    "accuracy": lambda y, p, s: reference.accuracy_score(y, p),
    "balanced_accuracy": lambda y, p, s: reference.balanced_accuracy_score(y, p),
    "precision": lambda y, p, s: reference.precision_score(y, p),
    "recall": lambda y, p, s: reference.recall_score(y, p),
    "f1": lambda y, p, s: reference.f1_score(y, p),
    "roc_auc": lambda y, p, s: reference.roc_auc_score(y, s),
    "average_precision": lambda y, p, s: reference.average_precision_score(y, s),
    "log_loss": lambda y, p, s: reference.log_loss(y, s),
    "brier": lambda y, p, s: reference.brier_score_loss(y, s),
}


def sample(seed: int, n: int = 400) -> dict[str, Any]:
    """Scores with ties, zeros and ones, and three groups."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, n)
    score = np.clip(np.round(label * 0.2 + random.random(n) * 0.9, seed % 4 + 1), 0, 1)
    return {
        "label": label,
        "prediction": (score >= 0.5).astype(int),
        "score": score,
        "race": random.choice(["a", "b", "c"], n),
    }


def judge(data: dict[str, Any]) -> Judged:
    table = ibis.memtable(pa.table(data))
    return judge_table(table, "t", Column("label"), Column("prediction"), "score", ("race",))


@pytest.mark.parametrize("seed", range(8))
def test_every_metric_equals_scikit_learn_overall_and_per_group(seed: int) -> None:
    data = sample(seed)
    judged = judge(data)
    cube, ranked = count_cube(judged), rankings(judged, [(), ("race",)])
    cells: dict[tuple[str, ...], Any] = {(): np.ones(400, bool)} | {(g,): data["race"] == g for g in "abc"}
    for group, mask in cells.items():
        attributes = ("race",) if group else ()
        y, p, s = (data[name][mask] for name in ("label", "prediction", "score"))
        found = dict(estimates(cube.by(attributes)[group], ranked[attributes][group]))
        assert set(found) == set(REFERENCE)
        for name, estimate in found.items():
            assert estimate.value == pytest.approx(REFERENCE[name](y, p, s), abs=1e-12), (name, group)
            if estimate.interval is not None and estimate.value is not None:
                assert estimate.interval.low <= estimate.value <= estimate.interval.high


def test_the_sums_do_not_depend_on_the_order_of_rows() -> None:
    data = sample(3, 5_000)
    order = np.random.default_rng(1).permutation(5_000)
    shuffled = {name: values[order] for name, values in data.items()}
    assert count_cube(judge(data)).by(()) == count_cube(judge(shuffled)).by(())


def test_what_cannot_be_estimated_says_why_and_is_never_zero() -> None:
    nobody_positive = Counts(fp=3, tn=7)
    found = dict(estimates(nobody_positive, None))
    assert set(found) == set(METRICS)
    assert found["recall"].value is None
    assert found["recall"].reason == "there are no positives"
    assert found["roc_auc"].reason == "there is no score column"
    assert found["balanced_accuracy"].reason == "there are no positives"
    assert dict(estimates(Counts(tn=5), None))["f1"].value is None
    assert found["precision"].value == 0.0
