"""Several classes and numbers from the command line: what is measured, judged and shown, and what is refused."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fairlearn.metrics
import numpy as np
import pytest

from ml_compliance.documents import read_evidence
from ml_compliance.facts_file import read_facts
from ml_compliance.model import Measurement
from tests.project import Project, csv

FACTS = """\
project: colours
data:
  evaluation: table.csv
  task: {task}
  label: y
  prediction: p
  sensitive: [race, sex]
"""
LAW = "project: colours\npolicies:\n"
Rows = list[dict[str, Any]]


def rows(task: str, n: int = 600) -> Rows:
    """Two attributes; predictions of group a are too high by one. The class black is predicted, and never a label."""
    random = np.random.default_rng(0)
    race, sex = random.choice(["a", "b", "c"], n), random.choice(["f", "m"], n)
    if task == "multiclass":
        y = random.choice(["red", "green", "blue"], n)
        p = np.where(random.random(n) < 0.8, y, random.choice(["red", "green", "blue", "black"], n))
    else:
        y = random.normal(50, 10, n).round(3)
        p = (y + random.normal(0, 2, n) + (race == "a")).round(3)
    columns = {"y": y.tolist(), "p": p.tolist(), "race": race.tolist(), "sex": sex.tolist()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def make(
    folder: Path, task: str, table: Rows | None = None, *policies: Mapping[str, Any], facts: str = FACTS
) -> Project:
    project = Project(folder)
    project.write("compliance.yaml", facts.format(task=task))
    items = policies or ({"id": "any", "type": "performance", "metric": "accuracy", "minimum": 0},)
    project.write("compliance_policy.yaml", LAW + "".join(f"  - {json.dumps(item)}\n" for item in items))
    project.write("table.csv", csv(rows(task) if table is None else table))
    return project


def measured(project: Project, module: str) -> dict[tuple[str, tuple[str, ...], str], Measurement]:
    """Name, across and slice in one text → measurement."""
    result = project.run("measure", module)
    assert result.code == 0, result.err
    document = json.loads((project.out / "evidence" / f"{module}.json").read_text())
    assert document["status"] == "measured", document["reason"]
    evidence = read_evidence(document)
    found = {
        (item.name.split("/")[1], item.across, ",".join(item.slice.values())): item for item in evidence.measurements
    }
    assert len(found) == len(evidence.measurements)
    return found


def test_every_class_against_the_rest_equals_fairlearn(tmp_path: Path) -> None:
    table = rows("multiclass")
    found = measured(make(tmp_path, "multiclass", table), "fairness")
    facts = json.loads((tmp_path / "out/evidence/fairness.json").read_text())["facts"]
    assert facts["classes"] == ["black", "blue", "green", "red"]
    assert facts["task"] == "multiclass"
    race = [row["race"] for row in table]
    for name in ("red", "green", "blue"):
        y, p = ([row[key] == name for row in table] for key in ("y", "p"))
        for metric in ("demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference"):
            ours = found[metric, ("race",), name]
            theirs = getattr(fairlearn.metrics, metric)(y, p, sensitive_features=race)
            assert ours.value == pytest.approx(theirs, abs=1e-12)
            assert (ours.slice, ours.method["class"]) == ({"class": name}, name)
        rate = found["selection_rate", (), f"{name},a"]
        assert rate.slice == {"race": "a", "class": name}
        assert (rate.positives or 0) + (rate.negatives or 0) == rate.n
    never = found["equal_opportunity_difference", ("race",), "black"]
    assert (never.value, never.status) == (None, "not_estimable")


def test_performance_has_averages_and_each_class(tmp_path: Path) -> None:
    found = measured(make(tmp_path, "multiclass"), "performance")
    assert found["recall", (), "black"].reason == "no row has the label 'black'"
    assert found["precision", (), "black"].value == 0
    assert found["macro_recall", (), ""].value is None
    assert found["macro_f1", (), "a"].value is not None
    assert found["f1", (), "red,a,f"].slice == {"race": "a", "sex": "f", "class": "red"}
    assert found["accuracy", (), ""].positives is None


def test_residuals_by_group(tmp_path: Path) -> None:
    table = rows("regression")
    project = make(tmp_path, "regression", table)
    found = measured(project, "fairness") | measured(project, "performance")
    means = {race: np.mean([row["y"] - row["p"] for row in table if row["race"] == race]) for race in ("a", "b", "c")}
    difference = found["mean_residual_difference", ("race",), ""]
    assert difference.value == pytest.approx(max(means.values()) - min(means.values()), rel=1e-9)
    assert difference.method["residual"] == "label − prediction"
    assert difference.method["minimum"] == {"cases": 30}
    assert found["group_loss_ratio", ("race", "sex"), ""].method["loss"] == "absolute error"
    assert found["mean_residual", (), "a"].value == pytest.approx(means["a"], rel=1e-9)
    assert {name for name, across, group in found if not across and not group} == {"mae", "rmse", "r2", "mean_residual"}


PARITY = {"type": "fairness", "metric": "demographic_parity_difference", "sensitive_attributes": ["race"]}


def test_a_gate_over_classes(tmp_path: Path) -> None:
    project = make(
        tmp_path, "multiclass", None,
        {"id": "f1", "type": "performance", "metric": "weighted_f1", "minimum": 0.99},
        {"id": "recall", "type": "performance", "metric": "recall", "minimum": 0.5, "class": "red", "slices": ["race"]},
        {**PARITY, "id": "red", "threshold": 0.0, "class": "red"},
        {**PARITY, "id": "all", "threshold": 0.5},
    )  # fmt: skip
    result = project.run("gate")
    assert result.code == 1, result.err
    violations = json.loads((project.out / "decision.json").read_text())["violations"]
    assert {violation["policy"] for violation in violations} == {"f1", "red"}
    assert "selection rate of class red differs by race" in result.out
    assert re.search(r"red × \w +0\.\d+ ", result.out)
    page = (project.out / "report.html").read_text()
    assert "By class × race" in page
    assert "across race, class = red" in page
    assert "| race, class = red |" in (project.out / "report.md").read_text()
    # A disparity is no group: the class alone has no rates in the fairness section.
    assert "Disparities by class " in page
    assert "<h3>By class (" not in page


def test_a_gate_over_numbers(tmp_path: Path) -> None:
    project = make(
        tmp_path, "regression", None,
        {"id": "mae", "type": "performance", "metric": "mae", "maximum": 5, "slices": ["race"], "decide_on": "bound"},
        {"id": "r2", "type": "performance", "metric": "r2", "minimum": 0.999},
        {"id": "shift", "type": "fairness", "metric": "mean_residual_difference", "threshold": 0.2,
         "sensitive_attributes": ["race"]},
        {"id": "ratio", "type": "fairness", "metric": "group_loss_ratio", "threshold": 1.01,
         "sensitive_attributes": ["race", ["race", "sex"]]},
    )  # fmt: skip
    result = project.run("gate")
    assert result.code == 1, result.err
    violations = json.loads((project.out / "decision.json").read_text())["violations"]
    assert {violation["policy"] for violation in violations} == {"r2", "shift", "ratio"}
    assert "mean residual differs by race" in result.out
    assert "mean absolute error differs by race × sex" in result.out
    assert "BoundedGroupLoss" in result.out
    metrics = json.loads((project.out / "model_submission.json").read_text())["input"]["model"]["validation_report"]
    by_attribute = measured(project, "fairness")
    ratios = [by_attribute["group_loss_ratio", (name,), ""].value or 0 for name in ("race", "sex")]
    assert metrics["metrics"]["group_loss_ratio"] == max(ratios)


def test_too_many_classes_and_groups_are_not_compared_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml_compliance.measure.fairness.MAX_CLASS_GROUPS", 12)
    monkeypatch.setattr("ml_compliance.measure.performance.MAX_CLASS_GROUPS", 12)
    law = {**PARITY, "id": "both", "threshold": 0.9, "sensitive_attributes": [["race", "sex"]], "class": "red"}
    project = make(tmp_path, "multiclass", None, law)
    assert project.run("gate").code == 1
    assert (
        "race × sex makes 6 groups of 4 classes, together more than 12" in (project.out / "decision.json").read_text()
    )
    assert measured(project, "fairness")["demographic_parity_difference", ("race",), "red"].value is not None
    found = measured(project, "performance")
    assert ("accuracy", (), "a,f") in found
    assert ("recall", (), "red,a,f") not in found
    assert ("recall", (), "red,a") in found


def each(**values: Any) -> Rows:
    return [{**row, **values} for row in rows("multiclass")]


def with_row(task: str, number: int, **values: Any) -> Rows:
    table = rows(task)
    table[number - 1].update(values)
    return table


BROKEN: dict[str, tuple[str, Rows, str]] = {
    "missing class": ("multiclass", with_row("multiclass", 7, y=None), "1 row has no label (the first is row 7)"),
    "one label": ("multiclass", each(y="red"), "the label is 'red' in every row"),
    "one prediction": ("multiclass", each(p="red"), "the prediction is 'red' in every row"),
    "identifier": (
        "multiclass",
        [{**row, "y": f"id {number}"} for number, row in enumerate(rows("multiclass"))],
        "the label has more than 200 classes",
    ),
    "other words": (
        "multiclass",
        [{**row, "p": row["p"].upper()} for row in rows("multiclass")],
        "no class is predicted that is a label: labels are 'blue', 'green', 'red', predictions 'BLACK'",
    ),
    "numbers as classes": (
        "multiclass",
        rows("regression"),
        "the label holds numbers that are not whole (the first is row 1)",
    ),
    "classes as numbers": ("regression", rows("multiclass"), "the label holds string, not numbers"),
    "missing number": ("regression", with_row("regression", 9, p=None), "1 row has no prediction (the first is row 9)"),
    "NaN": ("regression", with_row("regression", 9, p="nan"), "1 row has no prediction (the first is row 9)"),
    "infinite": ("regression", with_row("regression", 11, y="-inf"), "the label is infinite, or too large"),
    "row of the infinite": ("regression", with_row("regression", 11, y="inf"), "(the first is row 11)"),
    "huge": ("regression", with_row("regression", 12, p=1e305), "the prediction is infinite, or too large"),
    "constant": ("regression", [{**row, "y": 3.5} for row in rows("regression")], "the label is 3.5 in every row"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_judged(name: str, tmp_path: Path) -> None:
    task, table, message = BROKEN[name]
    result = make(tmp_path, task, table).run("gate", "--json")
    assert result.code == 3
    assert message in json.loads(result.out)["decision"]["errors"][0]
    assert "Traceback" not in result.out + result.err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("label: y", "label: {{column: y, positive: 1}}", "data.label says positive, which is for two classes"),
        ("sensitive", "score: race\n  sensitive", "compliance.yaml:7: data.score is the probability of one of two"),
        ("{task}", "multi", "'multi' is none of binary, multiclass, regression"),
        ("label: y", "label: q", "there is no column 'q'"),
    ],
)
def test_usage(old: str, new: str, message: str, tmp_path: Path) -> None:
    result = make(tmp_path, "multiclass", facts=FACTS.replace(old, new)).run("gate")
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_an_attribute_cannot_be_called_class(tmp_path: Path) -> None:
    table = [{**row, "class": row["sex"]} for row in rows("multiclass")]
    result = make(tmp_path, "multiclass", table, facts=FACTS.replace("sex", "class")).run("gate")
    assert result.code == 2
    assert "a sensitive attribute is called 'class'" in result.err


def test_whole_numbers_are_one_class_however_they_are_written(tmp_path: Path) -> None:
    """Labels are read as integers, predictions as floats, true and false as words."""
    table = [{**row, "y": number % 3, "p": f"{(number % 3 + (number % 7 == 0)) % 3}.0"} for number, row in
             enumerate(rows("multiclass"))]  # fmt: skip
    found = measured(make(tmp_path, "multiclass", table), "performance")
    assert found["accuracy", (), ""].value == pytest.approx(1 - 86 / 600)
    assert found["recall", (), "2"].slice == {"class": "2"}


def test_without_task_there_are_two_classes(tmp_path: Path) -> None:
    project = make(tmp_path, "", facts=FACTS.replace("  task: {task}\n", ""))
    project.write("table.csv", csv(rows("multiclass")))
    assert read_facts(project.folder / "compliance.yaml").data.task == "binary"
    (error,) = json.loads(project.run("gate", "--json").out)["decision"]["errors"][:1]
    assert "or write data.task: multiclass" in error


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_the_model_predicts(task: str, tmp_path: Path) -> None:
    """A model of several classes has no score of a positive one, and neither has one of numbers."""
    import mlflow.sklearn
    import pandas as pd
    from sklearn.linear_model import LinearRegression, LogisticRegression

    random = np.random.default_rng(1)
    frame = pd.DataFrame({"u": random.normal(size=300), "v": random.normal(size=300)})
    frame["y"] = (
        pd.cut(frame["u"], 3, labels=["low", "mid", "top"]).astype(str) if task == "multiclass" else frame["u"] + 1
    )
    model = (LogisticRegression() if task == "multiclass" else LinearRegression()).fit(frame[["u", "v"]], frame["y"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(model, tmp_path / "model", serialization_format="cloudpickle",
                                  pip_requirements=["scikit-learn"])  # fmt: skip
    frame["race"] = random.choice(["a", "b"], 300)
    item: dict[str, Any] = {"id": "good", "type": "performance", "slices": ["race"]}
    item |= {"metric": "accuracy", "minimum": 0.8} if task == "multiclass" else {"metric": "rmse", "maximum": 1e-6}
    facts = FACTS.replace("  prediction: p\n", "").replace("[race, sex]", "[race]") + "model: {{uri: model}}\n"
    project = make(tmp_path, task, frame.to_dict("records"), item, facts=facts)
    result = project.run("gate")
    assert result.code == 0, result.out + result.err
    assert "only models of two classes are explained here" in " ".join(result.out.split())
