"""Hard limits: counted as pandas counts them, open where values are missing, and refused where they can never hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests import project as example
from tests.project import Project

LAW = """\
project: loans
policies:
  - id: limits
    type: business_rules
    limits:
      - id: poor
        when: {income: {max: 20}, region: [north]}
        then: {prediction: 0}
"""


def project(folder: Path, limits: list[dict[str, Any]], **columns: list[Any]) -> Project:
    found = example.make(folder)
    table = [
        {**row, "income": place % 50, "region": ("north", "south")[place % 2]}
        for place, row in enumerate(example.rows())
    ]
    for name, values in columns.items():
        for row, value in zip(table, values, strict=False):
            row[name] = value
    found.write("predictions.csv", example.csv(table))
    item = {"id": "limits", "type": "business_rules", "limits": limits}
    found.write("compliance_policy.yaml", "project: loans\npolicies:\n  - " + json.dumps(item) + "\n")
    return found


def measured(found: Project) -> list[dict[str, Any]]:
    result = found.run("measure", "business_rules", "--json")
    assert result.code == 0, result.err
    measurements: list[dict[str, Any]] = json.loads(result.out)["evidence"][0]["measurements"]
    return measurements


POOR = {"id": "poor", "when": {"income": {"max": 20}, "region": "north"}, "then": {"prediction": 0}}


def test_counts_are_those_of_pandas(tmp_path: Path) -> None:
    some_rows = {"id": "some", "when": {"income": {"in": [1, 2, 3]}}, "then": {"region": "south"}}
    found = project(tmp_path, [POOR, {**POOR, "id": "sure", "then": {"score": {"min": 0.2, "max": 0.9}}}, some_rows])
    by_limit = {item["slice"]["limit"]: item for item in measured(found)}
    poor, sure, some = (by_limit[name] for name in ("poor", "sure", "some"))
    frame = pd.read_csv(tmp_path / "predictions.csv")
    selected = (frame["income"] <= 20) & (frame["region"] == "north")
    broken = selected & (frame["predicted"] == 1)
    assert poor["slice"] == {"policy": "limits", "limit": "poor"}
    assert poor["n"] == selected.sum()
    assert poor["method"]["broken"] == broken.sum() > 0
    assert poor["value"] == pytest.approx(broken.sum() / selected.sum())
    assert poor["method"]["examples"] == list(frame["id"][broken])[:5]
    assert sure["method"]["broken"] == (selected & ~frame["score"].between(0.2, 0.9)).sum() > 0
    listed = frame["income"].isin([1, 2, 3])
    assert some["method"]["broken"] == (listed & (frame["region"] != "south")).sum() > 0


def test_missing_values_leave_a_limit_open(tmp_path: Path) -> None:
    found = project(tmp_path, [POOR], income=[None] * 10)
    frame = pd.read_csv(tmp_path / "predictions.csv")
    open_rows = frame["income"].isna() & (frame["region"] == "north") & (frame["predicted"] == 1)
    (poor,) = measured(found)
    assert poor["method"]["undetermined"] == open_rows.sum() > 0
    result = found.run("gate")
    assert result.code == 1
    assert "so it may be broken there" in result.out


def test_the_gate_denies_names_rows_and_allows_a_kept_limit(tmp_path: Path) -> None:
    result = project(tmp_path, [POOR]).run("gate")
    assert result.code == 1
    assert "break the limit `poor`" in result.out
    assert ": such as A0" in result.out
    kept = [{"id": "kept", "when": {"prediction": 1}, "then": {"score": {"min": 0.5}}}]
    assert project(tmp_path, kept).run("gate").code == 0


def test_a_limit_that_selects_nothing_is_shown_as_not_exercised(tmp_path: Path) -> None:
    unused = [{"id": "unused", "when": {"income": {"min": 1_000}}, "then": {"prediction": 0}}]
    found = project(tmp_path, unused)
    (limit,) = measured(found)
    assert (limit["value"], limit["status"], limit["n"]) == (None, "not_estimable", 0)
    result = found.run("gate")
    assert result.code == 0
    assert "no row of the data is one that the limit `unused` is about" in result.out


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"incme": 1}, "there is no column 'incme'"),
        ({"income": "high"}, "which is never 'high'"),
        ({"region": {"min": 3}}, "which is never 3"),
        ({"region": True}, "which is never True"),
    ],
)
def test_what_can_never_hold_is_a_mistake_with_its_line(tmp_path: Path, when: dict[str, Any], said: str) -> None:
    result = project(tmp_path, [{**POOR, "when": when}]).run("gate")
    assert result.code == 2
    assert said in result.err
    assert "compliance_policy.yaml:3" in result.err


def test_another_limit_of_the_same_name_was_not_checked(tmp_path: Path) -> None:
    found = project(tmp_path, [{**POOR, "then": {"prediction": {"in": [0, 1]}}}])
    assert found.run("measure").code == 0
    assert found.run("submit").code == 0
    assert found.run("decide").code == 0
    project(tmp_path, [POOR])
    result = found.run("decide")
    assert result.code == 1
    assert "another limit of this name was checked" in result.out


def test_several_classes_and_numbers(tmp_path: Path) -> None:
    from ml_compliance.engine.limits import Limit, check_limits, with_decision
    from ml_compliance.engine.tables import connect, open_table
    from ml_compliance.facts import Column

    frame = pd.DataFrame({"p": [1.0, 2.0, 2.0, 3.0], "x": [True, False, None, True]})
    frame.to_parquet(tmp_path / "t.parquet")
    connection = connect()
    try:
        table = open_table(connection, tmp_path, "t.parquet")
        classes = with_decision(table, "t", Column("p"), None, "multiclass")
        numbers = with_decision(table, "t", Column("p"), None, "regression")
        (kept,) = check_limits(classes, "t", [Limit({"x": True}, {"prediction": "1"}, "law:1")], None)
        assert (kept.selected, kept.broken, kept.undetermined, kept.examples) == (2, 1, 1, ("4",))
        (kept,) = check_limits(numbers, "t", [Limit({"x": True}, {"prediction": {"max": 2}}, "law:1")], None)
        assert (kept.selected, kept.broken, kept.undetermined) == (2, 1, 0)
    finally:
        connection.disconnect()


def test_nothing_is_measured_that_the_law_does_not_state(tmp_path: Path) -> None:
    result = example.make(tmp_path).run("measure", "business_rules", "--json")
    (evidence,) = json.loads(result.out)["evidence"]
    assert (evidence["status"], evidence["reason"]) == ("missing", "no item of the law has the type business_rules")


def test_a_list_is_no_condition(tmp_path: Path) -> None:
    found = example.make(tmp_path)
    found.write("compliance_policy.yaml", LAW)
    result = found.run("gate")
    assert result.code == 2
    assert "compliance_policy.yaml:7" in result.err
