"""Challenger against champion, from compliance.yaml to the verdict: by predictions, and by models of a registry."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest
from sklearn import metrics as reference

from ml_compliance.context import Context
from ml_compliance.facts import Champion, Data, Facts, Model, NoSettings
from ml_compliance.measure.champion import measure
from ml_compliance.model import Evidence, Measurement
from tests import project as example
from tests.mlflow_store import rows, store
from tests.project import Project

pytestmark = pytest.mark.filterwarnings("ignore:fetch_:DeprecationWarning")

FACTS = example.FACTS + "champion:\n  predictions: old.csv\n"
LAW = "project: loans\npolicies:\n  - id: no_worse\n    type: champion\n    metric: accuracy\n"


def overall(evidence: Evidence, metric: str) -> Measurement:
    (found,) = (
        item for item in evidence.measurements if item.name == f"champion/{metric}_difference" and not item.slice
    )
    return found


# By models


def by_models(folder: Path, champion: str, model: str = "forest", **data: Any) -> tuple[Evidence, Context]:
    rows().assign(own=rows()["y"]).to_parquet(folder / "test.parquet")
    facts = Facts(
        "loans",
        Data("test.parquet", "y", sensitive=("group",), **data),
        Model(uri=f"models:/{model}/1" if model else "", tracking_uri=store().uri),
        Champion(uri=champion),
    )
    context = Context(facts, None, folder, folder / "out")
    try:
        return measure(context, NoSettings()), context
    finally:
        context.close()


def test_two_models_of_the_registry(tmp_path: Path) -> None:
    evidence, context = by_models(tmp_path, "models:/linear@champion")
    data, features = rows(), ["a", "b", "c"]
    one, two = context.model.raw, context.champion_model.raw
    frame = data[features].astype(float)
    for which, chosen in (({}, data["y"] >= 0), ({"group": "x"}, data["group"] == "x")):
        y, x = data["y"][chosen], frame[chosen]
        expected = {
            "accuracy": [reference.accuracy_score(y, model.predict(x)) for model in (one, two)],
            "f1": [reference.f1_score(y, model.predict(x)) for model in (one, two)],
            "roc_auc": [reference.roc_auc_score(y, model.predict_proba(x)[:, 1]) for model in (one, two)],
            "log_loss": [reference.log_loss(y, model.predict_proba(x)[:, 1]) for model in (one, two)],
            "brier": [reference.brier_score_loss(y, model.predict_proba(x)[:, 1]) for model in (one, two)],
        }
        for metric, (challenger, champion) in expected.items():
            name = f"champion/{metric}_difference"
            (found,) = (item for item in evidence.measurements if item.name == name and item.slice == which)
            assert found.value == pytest.approx(challenger - champion, abs=1e-12)
            assert found.method["challenger"] == pytest.approx(challenger, abs=1e-12)
            assert found.method["champion"] == pytest.approx(champion, abs=1e-12)
            assert found.interval is not None
            assert (found.n, found.positives) == (len(y), y.sum())
    assert evidence.facts["champion"] == {
        "uri": "models:/linear@champion", "name": "linear", "version": "1", "aliases": ["champion"],
    }  # fmt: skip
    assert evidence.facts["groups"] == {"group": ["x", "y"]}


def test_a_champion_that_is_the_model_itself(tmp_path: Path) -> None:
    evidence, _ = by_models(tmp_path, "models:/forest/1")
    assert {item.value for item in evidence.measurements} == {0.0}
    accuracy = overall(evidence, "accuracy").interval
    assert accuracy is not None
    assert accuracy.low < 0 < accuracy.high


def test_predictions_against_a_model(tmp_path: Path) -> None:
    evidence, context = by_models(tmp_path, "models:/linear@champion", model="", prediction="own")
    right = (context.champion_model.raw.predict(rows()[["a", "b", "c"]].astype(float)) == rows()["y"]).mean()
    assert overall(evidence, "accuracy").value == pytest.approx(1 - right, abs=1e-12)
    assert overall(evidence, "roc_auc").reason == "the challenger has no score"


def test_a_champion_without_scores_is_compared_on_classes(tmp_path: Path) -> None:
    evidence, _ = by_models(tmp_path, "models:/labels/1")
    assert overall(evidence, "recall").status == "measured"
    for metric in ("roc_auc", "log_loss", "brier"):
        found = overall(evidence, metric)
        assert (found.status, found.value, found.reason) == ("not_estimable", None, "the champion has no score")


# By predictions


def make(folder: Path, challenger: int, champion: int, n: int = 100) -> Project:
    """A project of `n` rows on which the two models are right that often."""
    project = example.make(folder)
    table = example.rows(n)
    for place, row in enumerate(table):
        row["predicted"] = row["approved"] if place < challenger else 1 - row["approved"]
    old = [
        {
            "id": row["id"],
            "predicted": row["approved"] if n - 1 - place < champion else 1 - row["approved"],
            "score": row["score"],
        }
        for place, row in enumerate(table)
    ]
    project.write("compliance.yaml", FACTS)
    project.write("predictions.csv", example.csv(table))
    project.write("old.csv", example.csv(old[::-1]))
    return project


def verdict(project: Project, *law: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and the violations, under a law that demands `law` of accuracy."""
    project.write("compliance_policy.yaml", LAW + "".join(f"    {line}\n" for line in law))
    code = project.run("gate").code
    found = json.loads((project.out / "decision.json").read_text())
    return code, cast(list[dict[str, Any]], found["violations"])


@pytest.mark.parametrize(
    ("challenger", "champion", "law", "allowed"),
    [
        (80, 84, "margin: 0.04", True),
        (80, 84, "margin: 0.0399999", False),
        (80, 84, "relative_margin: 0.05", True),
        (95, 100, "relative_margin: 0.05", True),
        (94, 100, "relative_margin: 0.05", False),
        (84, 80, "min_relative_improvement: 0.05", True),
        (84, 80, "min_improvement: 0.04", True),
        (84, 80, "min_improvement: 0.0400001", False),
        (84, 80, "margin: 0", True),
        (80, 80, "margin: 0", True),
        (79, 80, "margin: 0", False),
        (60, 57, "min_improvement: 0.03", True),
        (70, 40, "min_relative_improvement: 0.75", True),
    ],
)
def test_limits_are_met_exactly(tmp_path: Path, challenger: int, champion: int, law: str, allowed: bool) -> None:
    code, violations = verdict(make(tmp_path, challenger, champion), law)
    assert code == (0 if allowed else 1), violations


def test_the_bound_is_harder_to_satisfy_than_the_estimate(tmp_path: Path) -> None:
    project = make(tmp_path, 84, 80)
    assert verdict(project, "margin: 0.05", "decide_on: estimate")[0] == 0
    code, (violation,) = verdict(project, "margin: 0.05", "decide_on: bound")
    assert code == 1
    assert violation["interval"][0] < -0.05 < violation["value"] == 0.04
    assert violation["title"] == "accuracy over all rows may be worse than the champion's"
    assert violation["message"].endswith("at least -0.05 is required for the lower end of the interval")
    assert verdict(project, "margin: 0.12", "decide_on: bound")[0] == 0


def test_a_violation_cites_line_and_both_values(tmp_path: Path) -> None:
    code, (violation,) = verdict(make(tmp_path, 80, 84), "margin: 0.01")
    assert code == 1
    assert violation["location"] == {"file": "compliance_policy.yaml", "line": 6}
    assert violation["message"].startswith(
        "accuracy over all rows is 0.8, the champion's is 0.84: the difference is -0.04"
    )
    assert (violation["value"], violation["limit"]) == (-0.04, -0.01)


def test_a_group_in_which_the_model_is_worse_denies(tmp_path: Path) -> None:
    project = make(tmp_path, 190, 190, 240)
    assert verdict(project, "margin: 0.02")[0] == 0
    code, violations = verdict(project, "margin: 0.02", "slices: [sex]")
    assert code == 1
    assert [item["slice"] for item in violations] == [{"sex": "male"}]


def test_small_groups_are_shown_and_not_judged(tmp_path: Path) -> None:
    project = make(tmp_path, 80, 80)
    code, violations = verdict(project, "margin: 1", "slices: [race]")
    found = json.loads((project.out / "decision.json").read_text())
    assert (code, violations) == (0, [])
    assert [item["rule"] for item in found["insufficient"]] == []
    project.write(
        "compliance_policy.yaml",
        LAW.replace("policies:", "minimum: {cases: 35}\npolicies:") + "    margin: 1\n    slices: [race]\n",
    )
    assert project.run("gate").code == 0
    found = json.loads((project.out / "decision.json").read_text())
    assert [item["rule"] for item in found["insufficient"]] == ["champion.groups_not_judged"]
    evidence = json.loads((project.out / "evidence" / "champion.json").read_text())
    small = [item["slice"] for item in evidence["facts"]["below_minimum"]]
    assert {"race": "asian"} in small
    assert all(item["status"] == "measured" for item in evidence["measurements"] if item.get("slice") in small)


def test_a_champion_that_finds_nobody_is_no_baseline(tmp_path: Path) -> None:
    project = make(tmp_path, 80, 80)
    table = pd.read_csv(project.folder / "predictions.csv")
    old = table[["id", "score"]].assign(predicted=((table["approved"] == 0) & (table.index < 10)).astype(int))
    old.to_csv(project.folder / "old.csv", index=False)
    project.write("compliance_policy.yaml", LAW.replace("accuracy", "recall") + "    relative_margin: 0.5\n")
    assert project.run("gate").code == 1
    (violation,) = json.loads((project.out / "decision.json").read_text())["violations"]
    assert violation["rule"] == "champion.no_basis"
    assert "the champion's value is 0" in violation["message"]


def test_no_champion_is_no_comparison(tmp_path: Path) -> None:
    project = make(tmp_path, 100, 80)
    project.write("compliance.yaml", example.FACTS)
    code, (violation,) = verdict(project, "margin: 1")
    assert (code, violation["rule"]) == (1, "champion.not_measured")
    assert "no champion is named" in violation["message"]


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ("id,predicted,score\nA0000,1,0.5\nA0001,0,0.5\n", "the id 'A0002' of predictions.csv has no row in old.csv"),
        ("id,predicted,score\nA0000,1,0.5\nA0000,0,0.5\n", "the id 'A0000' occurs more than once in old.csv"),
        ("id,predicted,score\nA0000,,0.5\nA0001,0,0.5\nA0002,1,0.5\n", "1 row has no prediction"),
        ("id,predicted,score\nA0000,1,nan\nA0001,0,0.5\n", "1 row has no score"),
        ("nr,predicted,score\nA0000,1,0.4\nA0001,0,0.5\n", "there is no column 'id'"),
        ("id,predicted,score\nA0000,1,0.4\nA0001,1,0.5\n", "there is nothing to tell apart"),
    ],
)  # fmt: skip
def test_what_cannot_be_paired_is_not_evaluated(tmp_path: Path, old: str, said: str) -> None:
    project = make(tmp_path, 80, 80)
    project.write("old.csv", old)
    project.write("compliance_policy.yaml", LAW + "    margin: 1\n")
    result = project.run("gate")
    assert result.code in (2, 3)
    told = " ".join((result.out + result.err).split())
    assert said in told, told


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (FACTS + "  uri: models:/linear@champion\n", "champion names both a uri and predictions"),
        (example.FACTS + "champion: {}\n", "champion names neither a uri nor predictions"),
        (FACTS.replace("  id: id\n", ""), "data.id names no column"),
        (example.FACTS + "champion: {uri: m, score: s}\n", "it has no columns of predictions"),
        (example.FACTS + "champion: {url: m}\n", "url"),
    ],
)
def test_facts_that_say_too_much_or_too_little(tmp_path: Path, facts: str, said: str) -> None:
    project = make(tmp_path, 80, 80)
    project.write("compliance.yaml", facts)
    result = project.run("gate")
    assert result.code == 2
    assert said in result.err
    assert "compliance.yaml:" in result.err


def test_columns_of_the_champion_may_have_names_of_their_own(tmp_path: Path) -> None:
    project = make(tmp_path, 84, 80)
    old = pd.read_csv(project.folder / "old.csv")
    answers = old["predicted"].map({1: "approve", 0: "refuse"})
    pd.DataFrame({"id": old["id"], "answer": answers, "chance": old["score"]}).to_csv(
        project.folder / "old.csv", index=False
    )
    own = "  prediction: {column: answer, positive: approve}\n  score: chance\n"
    project.write("compliance.yaml", FACTS + own)
    assert verdict(project, "min_improvement: 0.04")[0] == 0
    # A score that nobody named, and that is not where the challenger's is, is none.
    project.write("compliance.yaml", FACTS + own.splitlines(keepends=True)[0])
    assert verdict(project, "min_improvement: 0.04")[0] == 0
    project.write("compliance_policy.yaml", LAW.replace("accuracy", "roc_auc") + "    margin: 1\n")
    assert project.run("gate").code == 1
    (violation,) = json.loads((project.out / "decision.json").read_text())["violations"]
    assert "the champion has no score" in violation["message"]


def test_other_tasks_are_not_compared(tmp_path: Path) -> None:
    facts = Facts("p", Data("t.csv", "y", task="regression"), champion=Champion(uri="models:/m/1"))
    with closing(Context(facts, None, tmp_path, tmp_path)) as context:
        evidence = measure(context, NoSettings())
    assert (evidence.status, evidence.reason) == ("missing", "models are compared where data.task is binary")


def test_evidence_does_not_depend_on_the_order_of_either_table(tmp_path: Path) -> None:
    project = make(tmp_path, 84, 80)
    project.run("measure", "champion")
    first = (project.out / "evidence" / "champion.json").read_text()
    for name in ("predictions.csv", "old.csv"):
        table = pd.read_csv(project.folder / name)
        table.sample(frac=1, random_state=1).to_csv(project.folder / name, index=False)
    project.run("measure", "champion")
    second = json.loads((project.out / "evidence" / "champion.json").read_text())
    assert second["measurements"] == json.loads(first)["measurements"]
    assert second["files"] != json.loads(first)["files"]
