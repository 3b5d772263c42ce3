from __future__ import annotations

import datetime as dt
import json
import math
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.context import Context
from ml_compliance.documents import canonical, evidence_document
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.facts import Column, Data, Facts
from ml_compliance.measure.data import Settings, measure
from ml_compliance.model import Evidence

ROWS = "id,age,sex,y,p\nr1,20,f,0,0\nr2,30,m,1,1\nr3,,f,0,1\nr4,150,x,1,1\nr5,40,m,0,0\nr6,41,f,1,0\n"
BETWEEN: dict[str, Any] = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "age", "min_value": 18, "max_value": 99},
}
NOT_NULL: dict[str, Any] = {"expect_column_values_to_not_be_null": {"column": "id"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "eval.csv").write_text(ROWS)
    (tmp_path / "train.csv").write_text("id,age,sex\n" + "".join(f"t{i},{20 + i},{'fm'[i % 2]}\n" for i in range(60)))
    return tmp_path


def evidence(folder: Path, settings: Settings, **data: Any) -> Evidence:
    said = {"label": "y", "prediction": Column("p"), "id": "id", **data}
    context = Context(Facts("loans", Data("eval.csv", **said)), None, folder, folder / "out")
    with closing(context):
        return measure(context, settings)


def values(found: Evidence) -> dict[str, tuple[float | None, int | None]]:
    return {item.name: (item.value, item.n) for item in found.measurements}


def test_nothing_configured_is_missing_and_says_what_to_write(folder: Path) -> None:
    found = evidence(folder, Settings())
    assert (found.status, found.measurements) == ("missing", ())
    assert all(word in found.reason for word in ("measure.data", "data.reference", "compliance.yaml"))


def test_an_empty_suite_is_no_evidence(folder: Path) -> None:
    (folder / "empty.json").write_text('{"name": "empty", "expectations": []}')
    assert evidence(folder, Settings(suites=("empty.json",))).status == "missing"


def test_inline_expectations(folder: Path) -> None:
    found = evidence(folder, Settings(expectations=(BETWEEN, NOT_NULL)))
    assert (found.status, found.rows, found.reason) == ("measured", 6, "")
    assert values(found) == {"data/expectations": (2.0, 2), "data/failed_expectations": (1.0, 2)}
    assert "schema_drift" not in found.facts
    suites: Any = found.facts["suites"]
    failed, passed = suites[0]["expectations"]
    assert failed == {
        "type": BETWEEN["type"], "column": "age", "kwargs": {"min_value": 18, "max_value": 99}, "success": False,
        "element_count": 6, "unexpected_count": 1, "unexpected_percent": pytest.approx(20.0), "examples": ["r4"],
    }  # fmt: skip
    assert (passed["success"], passed["element_count"], passed["unexpected_count"]) == (True, 6, 0)
    assert passed["examples"] == []


def test_suites_of_both_generations(folder: Path) -> None:
    new = {"name": "new", "id": None, "meta": {"great_expectations_version": "1.24.1"}, "notes": None,
           "expectations": [{**BETWEEN, "id": "7", "meta": {}, "severity": "critical"}]}  # fmt: skip
    old = {
        "expectation_suite_name": "old.warning", "data_asset_type": None, "ge_cloud_id": None,
        "expectations": [{"expectation_type": BETWEEN["type"], "meta": {}, "kwargs": {
            "column": "age", "min_value": 18, "result_format": "COMPLETE", "catch_exceptions": False}}],
    }  # fmt: skip
    (folder / "new.json").write_text(json.dumps(new))
    (folder / "old.json").write_text(json.dumps(old))
    found = evidence(folder, Settings(suites=("new.json", "old.json")))
    suites: Any = found.facts["suites"]
    assert [(suite["name"], suite["evaluated"], suite["failed"]) for suite in suites] == [
        ("new", 1, 1),
        ("old.warning", 1, 0),
    ]
    assert [file.path for file in found.files] == ["new.json", "old.json"]
    assert values(found)["data/failed_expectations"] == (1.0, 2)


def test_a_suite_that_great_expectations_wrote(folder: Path) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        from great_expectations.expectations.core.expect_column_values_to_be_in_set import ExpectColumnValuesToBeInSet

        expectation = ExpectColumnValuesToBeInSet(column="sex", value_set=["f", "m"])
        suite = gx.ExpectationSuite("written", expectations=[expectation])
        (folder / "suite.json").write_text(json.dumps(suite.to_json_dict()))
    suites: Any = evidence(folder, Settings(suites=("suite.json",))).facts["suites"]
    assert suites[0]["name"] == "written"
    assert suites[0]["expectations"][0]["examples"] == ["r4"]


def test_one_error_makes_the_evidence_an_error_and_the_others_count(folder: Path) -> None:
    absent = {"expect_column_values_to_not_be_null": {"column": "agee"}}
    found = evidence(folder, Settings(expectations=(absent, BETWEEN)))
    assert found.status == "error"
    assert "no column 'agee' (the nearest is 'age')" in found.reason
    assert values(found) == {"data/expectations": (1.0, 2), "data/failed_expectations": (1.0, 1)}
    suites: Any = found.facts["suites"]
    assert (suites[0]["errors"], suites[0]["expectations"][0]["status"]) == (1, "error")
    assert suites[0]["expectations"][0]["success"] is None


def test_drift_alone(folder: Path) -> None:
    found = evidence(folder, Settings(), reference="train.csv")
    drift: Any = found.facts["schema_drift"]
    assert [(item["kind"], item["column"], item.get("rows")) for item in drift] == [
        ("missing_values", "age", 1),
        ("out_of_range", "age", 1),
        ("new_category", "sex", 1),
    ]
    assert (found.status, values(found)) == ("measured", {"data/schema_anomalies": (3.0, 3)})
    assert found.measurements[0].method == {
        "reference_rows": 60, "missing_tolerance": 0.05, "categories": 50, "values_not_compared": [],
    }  # fmt: skip


def test_no_drift_is_a_measured_zero(folder: Path) -> None:
    found = evidence(folder, Settings(), reference="eval.csv")
    assert found.facts["schema_drift"] == []
    assert values(found) == {"data/schema_anomalies": (0.0, 5)}


def test_the_tolerance_is_the_users(folder: Path) -> None:
    drift: Any = evidence(folder, Settings(missing_tolerance=0.5), reference="train.csv").facts["schema_drift"]
    assert "missing_values" not in [item["kind"] for item in drift]


def test_the_document_is_the_same_bytes_each_time_and_has_no_values_of_rows(folder: Path) -> None:
    expectations = (
        {"expect_column_values_to_match_regex": {"column": "sex", "regex": "^zzz$"}},
        {"expect_column_values_to_be_between": {"column": "age", "max_value": dt.date(2026, 1, 1)}},
        {"expect_column_most_common_value_to_be_in_set": {"column": "sex", "value_set": ["q"]}},
        {"expect_column_values_to_be_unique": {"column": "sex"}},
    )
    texts = [canonical(evidence_document(evidence(folder, Settings(expectations=expectations)))) for _ in range(2)]
    assert texts[0] == texts[1]
    for value in ('"f"', '"m"', '"x"', "150"):
        assert value not in texts[0]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("{", "suite.json:1", "no JSON"),
        ('{"expectations": [{"type": "expect_x"}], "expectations": []}', "suite.json", "'expectations' is there twice"),
        ("[" * 100_000, "suite.json", "nested too deep"),
        ("[]", "suite.json", "no list `expectations`"),
        ('{"expectations": [3]}', "suite.json: expectations[0]", "no expectation"),
        ('{"expectations": [{"type": "expect_x", "kwargs": 3}]}', "suite.json: expectations[0]", "no expectation"),
        ('{"expectations": [{"type": "expect_colum_to_exist"}]}', "suite.json: expectations[0]", "expect_colum_"),
        (
            '{"expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": {"$PARAMETER": "c"}}}]}',
            "suite.json: expectations[0]",
            "the parameter 'c'",
        ),
    ],
)
def test_what_is_no_suite(folder: Path, text: str, where: str, message: str) -> None:
    (folder / "suite.json").write_text(text)
    with pytest.raises(UsageError) as caught:
        evidence(folder, Settings(suites=("suite.json",)))
    assert caught.value.where == where
    assert message in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    "settings", [Settings(missing_tolerance=math.nan), Settings(missing_tolerance=5), Settings(categories=0)]
)
def test_settings_that_would_see_nothing(folder: Path, settings: Settings) -> None:
    with pytest.raises(UsageError) as caught:
        evidence(folder, settings, reference="train.csv")
    assert caught.value.where == "compliance.yaml: measure.data"


def test_a_suite_that_is_not_there(folder: Path) -> None:
    with pytest.raises(UsageError, match="no such file") as caught:
        evidence(folder, Settings(suites=("nowhere.json",)))
    assert caught.value.where == "nowhere.json"


def test_an_inline_entry_names_its_place(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        evidence(folder, Settings(expectations=(NOT_NULL, {"expect_nothing": {}})))
    assert caught.value.where == "compliance.yaml: measure.data.expectations[1]"


def test_an_id_column_that_is_not_there(folder: Path) -> None:
    with pytest.raises(UsageError, match="no column 'nr'"):
        evidence(folder, Settings(expectations=(BETWEEN,)), id="nr")


def test_a_broken_reference_is_an_error(folder: Path) -> None:
    (folder / "train.csv").write_text("")
    with pytest.raises(EvaluationError):
        evidence(folder, Settings(), reference="train.csv")
