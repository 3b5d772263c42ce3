"""Explanations that add up, repeat byte for byte, and say so when there is none."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import html5lib
import numpy as np
import pandas as pd
import pytest

from ml_compliance.context import Context
from ml_compliance.documents import canonical, evidence_document
from ml_compliance.errors import UsageError
from ml_compliance.facts import Column, Data, Facts, Model
from ml_compliance.measure.explainability import Settings, measure
from ml_compliance.model import Evidence
from tests.mlflow_store import rows, store

pytestmark = pytest.mark.filterwarnings("ignore:fetch_:DeprecationWarning")


def explained(
    name: str, tmp_path: Path, sample: int = 20, label: Column | str = "y", reference: pd.DataFrame | None = None,
    evaluation: pd.DataFrame | None = None,
) -> Evidence:  # fmt: skip
    (rows() if evaluation is None else evaluation).to_parquet(tmp_path / "test.parquet")
    if reference is not None:
        reference.to_parquet(tmp_path / "reference.parquet")
    facts = Facts(
        "loans",
        Data("test.parquet", label, reference=None if reference is None else "reference.parquet"),
        Model(uri=f"models:/{name}/1", tracking_uri=store().uri),
    )
    with closing(Context(facts, None, tmp_path, tmp_path / "out")) as context:
        return measure(context, Settings(sample=sample))


def importance(evidence: Evidence) -> dict[str, float]:
    return {item.slice["feature"]: item.value or 0.0 for item in evidence.measurements}


@pytest.mark.parametrize(
    ("name", "explainer", "output"),
    [
        ("linear", "LinearExplainer", "log-odds"),
        ("forest", "TreeExplainer", "probability"),
        ("boosted", "TreeExplainer", "probability"),
        ("pipeline", "ExactExplainer", "probability"),
        ("reduction", "ExactExplainer", "probability of a positive prediction"),
        ("labels", "ExactExplainer", "positive prediction (0 or 1)"),
    ],
)
def test_every_kind_of_model_has_an_explanation_that_adds_up(
    name: str, explainer: str, output: str, tmp_path: Path
) -> None:
    evidence = explained(name, tmp_path)
    facts = cast(dict[str, Any], evidence.facts)
    assert (evidence.status, evidence.rows) == ("measured", 20)
    assert (facts["technique"], facts["explainer"], facts["output"]) == ("SHAP", explainer, output)
    assert facts["additivity"]["max_error"] < 1e-7
    # The label depends on `a` most, in every model's training data.
    assert max(importance(evidence), key=importance(evidence).__getitem__) == "a"
    for item in evidence.measurements:
        assert item.n == 20
        assert item.interval
        assert item.interval.low <= (item.value or 0) <= item.interval.high
    cases = [case["case"] for case in facts["local"]]
    assert (cases[0], cases[-1]) == ("lowest", "highest")


def test_permutations_come_close_to_the_exact_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ml_compliance.measure import _shap

    exact = importance(explained("pipeline", tmp_path))
    monkeypatch.setattr(_shap, "_EXACT_FEATURES", 0)
    evidence = explained("pipeline", tmp_path)
    assert evidence.facts["explainer"] == "PermutationExplainer"
    assert cast(Any, evidence.facts["additivity"])["max_error"] < 1e-9
    assert importance(evidence) == pytest.approx(exact, rel=0.1)


def test_linear_values_are_the_formula(tmp_path: Path) -> None:
    """SHAP of a linear model is coefficient × (value − background mean) (Lundberg & Lee 2017, corollary 1)."""
    from ml_compliance.engine.models import load

    evidence = explained("linear", tmp_path, sample=300, reference=pd.DataFrame({"a": [0.0], "b": [0.0], "c": [0]}))
    coefficients = dict(zip("abc", load("models:/linear/1", store().uri, Path()).raw.coef_[0], strict=True))
    expected = {name: float(np.abs(weight * rows()[name]).mean()) for name, weight in coefficients.items()}
    assert importance(evidence) == pytest.approx(expected, rel=1e-9)
    assert cast(dict[str, Any], evidence.facts["background"]) == {"table": "reference", "rows": 1}


@pytest.mark.parametrize("positive", ["approve", "refuse"])
def test_the_positive_class_gives_the_sign(positive: str, tmp_path: Path) -> None:
    frame = rows().assign(y=lambda table: table["y"].map({1: "approve", 0: "refuse"}))
    evidence = explained("words", tmp_path, label=Column("y", positive=positive), evaluation=frame)
    highest = cast(Any, evidence.facts["local"])[2]
    main = next(item for item in highest["contributions"] if item["feature"] == "a")
    assert (main["value"] > 0) == (positive == "approve")
    assert main["shap"] > 0


@pytest.mark.parametrize("name", ["linear", "pipeline"])
def test_the_same_inputs_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        evidence = explained(name, tmp_path)
        found.append((canonical(evidence_document(evidence)), (tmp_path / "out" / "explainability.html").read_bytes()))
    assert found[0] == found[1]
    state = cast(Any, np.random.get_state())[1]
    explained(name, tmp_path)
    assert (cast(Any, np.random.get_state())[1] == state).all()


def test_the_page_is_whole_small_and_reaches_for_nothing(tmp_path: Path) -> None:
    evidence = explained("pipeline", tmp_path)
    report = cast(dict[str, Any], evidence.facts["report"])
    data = (tmp_path / "out" / report["path"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == report["sha256"]
    assert len(data) < 500_000
    html5lib.HTMLParser(strict=True).parse(data.decode())
    text = data.decode()
    assert not [bad for bad in ("<script", "http://", "https://", "src=", "@import", "url(") if bad in text]
    assert text.count('role="img" aria-label=') == text.count("<svg")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["explainability.html"]


def test_text_from_a_model_cannot_become_markup() -> None:
    from ml_compliance.measure._shap_page import page
    from ml_compliance.model import Measurement
    from tests.examples import explainability

    item = Measurement("explainability/mean_absolute_shap", 0.5, slice={"feature": "<script>x</script>"}, n=3)
    facts: dict[str, Any] = {**explainability().facts, "shap": "0", "seed": 0, "additivity": {"max_error": 0.0},
             "background": {"table": "t", "rows": 1}, "local": []}  # fmt: skip
    text = page("<b>p</b>", '"><img>', [item], facts)
    assert "<script>x" not in text
    assert "<img" not in text
    assert "<b>p" not in text


def test_missing_numbers_and_categories_are_explained(tmp_path: Path) -> None:
    frame = rows().assign(d=rows()["d"].where(rows()["c"] > 0, "own"))
    assert explained("pipeline", tmp_path, evaluation=frame).status == "measured"


def test_structures_are_not_estimable(tmp_path: Path) -> None:
    frame = rows().assign(d=[[1, 2]] * 300)
    evidence = explained("pipeline", tmp_path, evaluation=frame)
    assert evidence.status == "not_estimable"
    assert "the column 'd' holds lists" in evidence.reason
    assert not (tmp_path / "out" / "explainability.html").exists()


def without_model(tmp_path: Path, settings: Settings) -> Evidence:
    with closing(Context(Facts("loans", Data("t.csv", "y")), None, tmp_path, tmp_path / "out")) as context:
        return measure(context, settings)


def test_without_a_model_the_evidence_is_missing_and_says_what_to_write(tmp_path: Path) -> None:
    evidence = without_model(tmp_path, Settings())
    assert evidence.status == "missing"
    assert "model: {uri: models:/name/version}" in evidence.reason


def test_a_report_made_elsewhere_is_declared_with_its_digest(tmp_path: Path) -> None:
    (tmp_path / "lime.html").write_bytes(b"<p>why</p>")
    evidence = without_model(tmp_path, Settings(report="lime.html", technique="LIME"))
    digest = hashlib.sha256(b"<p>why</p>").hexdigest()
    assert evidence.status == "declared"
    assert evidence.facts == {"technique": "LIME", "report": {"path": "lime.html", "sha256": digest, "format": "html"}}
    assert evidence.files[0].sha256 == digest


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(report="gone.html", technique="SHAP"), "does not exist"),
        (Settings(report="empty.html", technique="SHAP"), "is empty"),
        (Settings(report="empty.html"), "has no technique"),
        (Settings(technique="LIME"), "LIME is not computed here"),
        (Settings(sample=0), "at least 1"),
    ],
)
def test_settings_that_cannot_be_are_the_users_error(settings: Settings, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty.html").touch()
    with pytest.raises(UsageError, match=said):
        without_model(tmp_path, settings)
