"""Calibration by way of the command line: from the files of a project to evidence and verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.measure import calibration
from tests import project
from tests.project import Project

LAW = """\
project: loans
policies:
  - {id: calibrated, type: calibration, metric: expected_calibration_error, maximum: 0.15, slices: [race]}
"""


def evidence(made: Project) -> dict[str, Any]:
    assert made.run("measure", "calibration").code == 0
    found: dict[str, Any] = json.loads((made.out / "evidence" / "calibration.json").read_text(encoding="utf-8"))
    return found


def measurement(found: dict[str, Any], name: str, **about: str) -> dict[str, Any]:
    (one,) = [item for item in found["measurements"]
              if item["name"] == f"calibration/{name}" and item.get("slice", {}) == about]  # fmt: skip
    return dict(one)


def changed(made: Project, old: str, new: str) -> None:
    text = (made.folder / "compliance.yaml").read_text(encoding="utf-8")
    assert old in text
    made.write("compliance.yaml", text.replace(old, new))


def test_errors_of_every_slice(tmp_path: Path) -> None:
    found = evidence(project.make(tmp_path))
    assert (found["status"], found["rows"], found["coverage"]["measurements"]) == ("measured", 240, 36)
    overall = measurement(found, "expected_calibration_error")
    # Four in five predictions are right, and scores say 0.053 or 0.947.
    assert overall["value"] == pytest.approx(0.147, abs=1e-3)
    assert overall["method"]["bins"] == 10
    assert (overall["n"], overall["positives"]) == (240, 120)
    assert measurement(found, "mean_score_minus_rate", race="black", sex="male")["n"] == 40
    assert found["facts"]["groups"] == {"race": ["asian", "black", "white"], "sex": ["female", "male"]}


def test_bins_too_small_for_the_law_have_no_greatest_error(tmp_path: Path) -> None:
    found = measurement(evidence(project.make(tmp_path)), "maximum_calibration_error", race="black", sex="male")
    assert (found["status"], found["value"], found["reason"]) == ("not_estimable", None, "no bin has 30 cases")


def test_reliability_tables(tmp_path: Path) -> None:
    facts = evidence(project.make(tmp_path))["facts"]
    assert facts["bins"]["edges"][3] == 0.3
    tables = {json.dumps(table["slice"]): table["bins"] for table in facts["reliability"]}
    assert set(tables) == {"{}", *(f'{{"race": "{race}"}}' for race in ("asian", "black", "white")),
                           '{"sex": "female"}', '{"sex": "male"}'}  # fmt: skip
    low, high = tables["{}"]
    assert (low["bin"], low["n"], low["observed_rate"], high["bin"], high["observed_rate"]) == (0, 120, 0.2, 9, 0.8)
    assert low["interval"][0] < 0.2 < low["interval"][1]
    assert facts["left_out"] == {}


def test_sweep_and_the_cutoff_that_reaches_parity(tmp_path: Path) -> None:
    made = project.make(tmp_path)
    rows = project.rows()
    for row in rows:
        score = row["score"] * (0.8 if row["race"] == "black" else 1.0)
        row |= {"score": score, "predicted": int(score >= 0.8)}
    made.write("predictions.csv", project.csv(rows))
    sweep = evidence(made)["facts"]["threshold_sweep"]
    assert [point["cutoff"] for point in sweep["metrics"][0]["cutoffs"]] == [k / 20 for k in range(1, 20)]
    at_half = sweep["metrics"][0]["cutoffs"][9]
    assert (at_half["cutoff"], at_half["accuracy"], at_half["selection_rate"]) == (0.5, 0.8, 0.5)
    assert len(sweep["metrics"]) == 6
    in_use = min(row["score"] for row in rows if row["predicted"])
    assert sweep["cutoff_in_use"] == in_use
    race = next(item for item in sweep["parity"] if item["across"] == ["race"])
    reached = {item["limit"]: item for item in race["limits"]}
    # Below the lowest of the lowered scores all races are alike again.
    lowered = min(row["score"] for row in rows if row["race"] == "black" and row["score"] > 0.5)
    assert reached[0.05]["cutoff"] == int(lowered * 100) / 100
    assert (reached[0.05]["difference"], reached[0.05]["accuracy"]) == (0, 0.8)


def test_predictions_that_are_no_cut_of_the_scores_have_no_cutoff(tmp_path: Path) -> None:
    made = project.make(tmp_path)
    rows = project.rows()
    rows[0]["score"] = 1 - rows[0]["score"]
    made.write("predictions.csv", project.csv(rows))
    sweep = evidence(made)["facts"]["threshold_sweep"]
    assert sweep["cutoff_in_use"] is None
    assert {item["reason"] for item in sweep["parity"]} == {"the predictions are no cut of the scores"}


def test_without_attributes_there_is_still_everything_over_all_rows(tmp_path: Path) -> None:
    made = project.make(tmp_path)
    changed(made, "  sensitive: [race, sex]\n", "")
    found = evidence(made)
    assert found["coverage"]["measurements"] == 3
    assert found["facts"]["groups"] == {}
    assert len(found["facts"]["threshold_sweep"]["metrics"]) == 1


def test_without_a_score_it_is_missing_and_the_law_is_not_satisfied(tmp_path: Path) -> None:
    made = project.make(tmp_path)
    changed(made, "  score: score\n", "")
    found = evidence(made)
    assert (found["status"], found["measurements"]) == ("missing", [])
    assert "data.score" in found["reason"]
    made.write("compliance_policy.yaml", LAW)
    result = made.run("gate")
    assert result.code == 1
    assert "expected calibration error was not measured" in result.out


@pytest.mark.parametrize(("maximum", "code"), [(0.15, 0), (0.14, 1)])
def test_the_law_decides(tmp_path: Path, maximum: float, code: int) -> None:
    made = project.make(tmp_path)
    made.write("compliance_policy.yaml", LAW.replace("0.15", str(maximum)))
    result = made.run("gate")
    assert result.code == code
    assert ("expected calibration error over all rows is too high" in result.out) == bool(code)


def test_fewer_bins_than_the_law_asks_for_are_not_enough(tmp_path: Path) -> None:
    made = project.make(tmp_path)
    made.write("compliance_policy.yaml", LAW)
    made.write("compliance.yaml", project.FACTS + "measure: {calibration: {bins: 2}}\n")
    result = made.run("gate")
    assert result.code == 1
    assert "too coarse bins" in result.out


@pytest.mark.parametrize("bins", [1, 101, -3])
def test_bins_must_be_a_sensible_number(tmp_path: Path, bins: int) -> None:
    made = project.make(tmp_path)
    made.write("compliance.yaml", project.FACTS + f"measure: {{calibration: {{bins: {bins}}}}}\n")
    result = made.run("measure", "calibration")
    assert result.code == 2
    assert f"bins is {bins}" in result.err


def test_the_largest_of_many_groups_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "MAX_SHOWN", 2)
    monkeypatch.setattr(calibration, "MAX_GROUPS", 5)
    found = evidence(project.make(tmp_path))
    shown = [table["slice"] for table in found["facts"]["reliability"]]
    assert shown == [{}, {"race": "asian"}, {"race": "black"}, {"sex": "female"}, {"sex": "male"}]
    assert found["facts"]["left_out"] == {"race": 1}
    assert len(found["facts"]["threshold_sweep"]["metrics"]) == 5
    refused = [item for item in found["measurements"] if item.get("across") == ["race", "sex"]]
    assert [item["status"] for item in refused] == ["not_estimable"] * 3
    assert "makes 6 groups, more than 5: bin an attribute" in refused[0]["reason"]
    assert measurement(found, "expected_calibration_error", race="black")["n"] == 80


@pytest.mark.parametrize("bins", [2, 3, 7, 15, 20, 99])
def test_bins_and_cutoffs_fit_together_for_any_number_of_bins(tmp_path: Path, bins: int) -> None:
    made = project.make(tmp_path)
    made.write("compliance.yaml", project.FACTS + f"measure: {{calibration: {{bins: {bins}}}}}\n")
    found = evidence(made)
    edges = found["facts"]["bins"]["edges"]
    for row in found["facts"]["reliability"][0]["bins"]:
        assert edges[row["bin"]] <= row["mean_score"] <= edges[row["bin"] + 1]
    shown = found["facts"]["threshold_sweep"]["metrics"][0]["cutoffs"]
    assert [point["cutoff"] for point in shown] == [k / 20 for k in range(1, 20)]
