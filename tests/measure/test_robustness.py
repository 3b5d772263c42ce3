"""Robustness: a perturbation costs what scikit-learn says it costs; what cannot be disturbed has no number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from ml_compliance.context import Context
from ml_compliance.engine.perturbation import noise, perturbed, shuffle
from ml_compliance.errors import UsageError
from ml_compliance.facts import Column, Data, Facts, Model
from ml_compliance.law import DEFAULT_MINIMUM, Law
from ml_compliance.measure.robustness import METRICS, Settings, _drops, measure
from ml_compliance.model import Evidence
from tests.mlflow_store import rows, store

pytestmark = pytest.mark.filterwarnings("ignore:fetch_:DeprecationWarning")


def law(**perturbations: float) -> Law:
    item = {"id": "r", "type": "robustness", "metric": "accuracy", "max_drop": 0.1, "perturbations": perturbations}
    return Law("loans", DEFAULT_MINIMUM, (item,), None, {})


def disturbed(folder: Path, model: str, sample: int = 2_000, label: str | Column = "y", **asked: float) -> Evidence:
    rows().assign(words=rows()["y"].map({1: "approve", 0: "refuse"})).to_parquet(folder / "test.parquet")
    facts = Facts("loans", Data("test.parquet", label), Model(uri=f"models:/{model}/1", tracking_uri=store().uri))
    context = Context(facts, law(**asked), folder, folder / "out")
    try:
        return measure(context, Settings(sample))
    finally:
        context.close()


def by_name(evidence: Evidence) -> dict[tuple[str, str], Any]:
    return {(item.name.split("/")[1], item.slice["perturbation"]): item for item in evidence.measurements}


def test_noise_costs_what_scikit_learn_says(tmp_path: Path) -> None:
    found = by_name(disturbed(tmp_path, "linear", noise=1.0))
    assert {name for name, _ in found} == {f"{metric}_drop" for metric in METRICS["binary"]}
    drop = found["accuracy_drop", "noise"]
    assert drop.n == 300
    assert drop.value > 0.02
    assert drop.interval.low <= drop.value <= drop.interval.high
    assert drop.method["columns"] == ["a", "b", "c"]
    assert drop.slice == {"perturbation": "noise", "strength": "1.0"}


def test_no_noise_costs_nothing_and_it_is_the_same_every_time(tmp_path: Path) -> None:
    faint = by_name(disturbed(tmp_path, "linear", noise=1e-12))
    assert {item.value for item in faint.values()} == {0.0}
    assert by_name(disturbed(tmp_path, "linear", noise=1.0)) == by_name(disturbed(tmp_path, "linear", noise=1.0))


def test_classes_that_are_words(tmp_path: Path) -> None:
    words = by_name(disturbed(tmp_path, "words", label=Column("words", positive="approve"), noise=1.0))
    numbers = by_name(disturbed(tmp_path, "linear", noise=1.0))
    assert {key: item.value for key, item in words.items()} == {key: item.value for key, item in numbers.items()}


def test_categories_change_places_where_there_are_some(tmp_path: Path) -> None:
    found = by_name(disturbed(tmp_path, "pipeline", shuffle=1.0))
    assert found["accuracy_drop", "shuffle"].method["columns"] == ["d"]
    assert found["accuracy_drop", "shuffle"].value != 0
    none = by_name(disturbed(tmp_path, "linear", shuffle=0.5))["accuracy_drop", "shuffle"]
    assert (none.value, none.status) == (None, "not_estimable")
    assert none.reason == "the model has no feature to which shuffle applies"


def test_a_model_that_refuses_missing_values_has_a_reason(tmp_path: Path) -> None:
    found = by_name(disturbed(tmp_path, "linear", missing=0.2, noise=0.1))
    assert found["accuracy_drop", "missing"].status == "not_estimable"
    assert "NaN" in found["accuracy_drop", "missing"].reason
    assert found["accuracy_drop", "noise"].status == "measured"


def test_a_sample_is_bounded(tmp_path: Path) -> None:
    assert {item.n for item in disturbed(tmp_path, "linear", sample=40, noise=0.1).measurements} == {40}
    with pytest.raises(UsageError, match="at least 1"):
        disturbed(tmp_path, "linear", sample=0, noise=0.1)


def test_what_is_not_asked_for_is_missing(tmp_path: Path) -> None:
    facts = Facts("loans", Data("test.parquet", "y"))
    for asked, reason in ((None, "no item of the law"), (law(noise=0.1), "no model is named")):
        evidence = measure(Context(facts, asked, tmp_path, tmp_path / "out"), Settings())
        assert (evidence.status, evidence.measurements) == ("missing", ())
        assert reason in evidence.reason


def test_drops_of_every_task_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth, before, after = (random.integers(0, 2, 200).astype(bool) for _ in range(3))
    found = _drops("binary", truth, before, after)
    for name in METRICS["binary"]:
        score = getattr(reference, f"{name}_score")
        assert found[name].value == pytest.approx(score(truth, before) - score(truth, after), abs=1e-12)
    truth, before, after = (random.choice(["a", "b", "c"], 200).astype(object) for _ in range(3))
    drop = _drops("multiclass", truth, before, after)["accuracy"].value
    assert drop == pytest.approx(reference.accuracy_score(truth, before) - reference.accuracy_score(truth, after))
    truth, before, after = (random.normal(size=200) for _ in range(3))
    rise = _drops("regression", truth, before, after)["mae"]
    error = reference.mean_absolute_error
    assert rise.value == pytest.approx(error(truth, after) - error(truth, before))
    assert rise.interval is not None
    assert rise.interval.low < (rise.value or 0) < rise.interval.high


def test_perturbations_do_what_they_say() -> None:
    frame = pd.DataFrame({"n": np.arange(1000.0), "w": np.arange(1000), "c": ["a", "b"] * 500, "same": 1.0})
    noisy, _ = noise(frame.copy(), 0.5, np.random.default_rng(1))
    assert (noisy["n"] - frame["n"]).std() == pytest.approx(0.5 * frame["n"].std(), rel=0.1)
    assert noisy["w"].dtype == frame["w"].dtype
    assert (noisy["same"] == 1.0).all()
    assert (noisy["c"] == frame["c"]).all()
    exchanged, columns = shuffle(frame.copy(), 0.1, np.random.default_rng(1))
    assert columns == ["c"]
    assert sorted(exchanged["c"]) == sorted(frame["c"])
    assert 0 < (exchanged["c"] != frame["c"]).sum() <= 100
    holes, columns = perturbed(frame, "missing", 0.3)
    assert columns == list(frame.columns)
    assert holes.isna().to_numpy().mean() == pytest.approx(0.3, abs=0.03)
    assert not frame.isna().to_numpy().any()
