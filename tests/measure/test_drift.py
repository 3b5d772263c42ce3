from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from ml_compliance.context import Context
from ml_compliance.documents import canonical, evidence_document
from ml_compliance.errors import UsageError
from ml_compliance.facts import Column, Data, Facts
from ml_compliance.measure import drift
from ml_compliance.measure.drift import Settings, measure
from ml_compliance.model import Evidence, Measurement
from tests import project as example

RANDOM = np.random.default_rng(5)
AGES = RANDOM.integers(18, 90, 400).tolist(), RANDOM.integers(25, 90, 300).tolist()


def csv(ages: list[int], sexes: str) -> str:
    lines = ["id,age,sex,day,score,y,note,nothing"]
    for place, age in enumerate(ages):
        day = f"2026-0{1 + place % 3}-11"
        sex = sexes[place % len(sexes)].strip()
        lines.append(f"r{place},{age},{sex},{day},{0.001 * (place % 100)},{place % 2},n{place},")
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.csv").write_text(csv(AGES[0], "fm"))
    (tmp_path / "eval.csv").write_text(csv(AGES[1], "ffm "))
    return tmp_path


def evidence(folder: Path, settings: Settings | None = None, kind: str = "csv", **data: Any) -> Evidence:
    said = {"label": "y", "prediction": Column("p"), "score": "score", "id": "id", "reference": f"train.{kind}", **data}
    context = Context(Facts("loans", Data(f"eval.{kind}", **said)), None, folder, folder / "out")
    try:
        found = measure(context, settings or Settings())
        canonical(evidence_document(found))
        return found
    finally:
        context.close()


def one(found: Evidence, name: str, column: str) -> Measurement:
    (measurement,) = [m for m in found.measurements if m.name == f"drift/{name}" and m.slice == {"column": column}]
    return measurement


def test_without_a_reference_it_says_what_to_write(folder: Path) -> None:
    found = evidence(folder, reference=None)
    assert (found.status, found.measurements) == ("missing", ())
    assert "data.reference" in found.reason


def test_every_column_that_both_tables_have(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "MAX_CATEGORIES", 100)
    found = evidence(folder)
    facts: Any = found.facts
    assert (found.status, found.rows) == ("measured", 300)
    assert {name: column["kind"] for name, column in facts["columns"].items()} == {
        "age": "number", "sex": "text", "day": "date", "score": "number", "y": "number",
    }  # fmt: skip
    assert facts["compared"] == 5
    assert facts["outputs"] == {"label": "y", "score": "score"}
    assert facts["left_out"] == {
        "id": "it names the rows (data.id)",
        "note": "it holds more than 100 different texts: group them, or let the law leave it out",
        "nothing": "it has no values in either table",
    }
    assert facts["left_out_columns"] == 3
    for name in ("note", "nothing"):
        assert one(found, "psi", name).status == "not_estimable"
        assert one(found, "missing_share", name).value == 0
    assert not [m for m in found.measurements if m.slice["column"] == "id"]


def test_numbers_of_a_numeric_column_are_scipys(folder: Path) -> None:
    found = evidence(folder)
    reference, current = map(np.array, AGES)
    distance = one(found, "kolmogorov_smirnov", "age")
    expected = ks_2samp(reference, current, method="asymp")
    assert distance.value == pytest.approx(expected.statistic, abs=1e-12)
    assert distance.method["p"] == pytest.approx(expected.pvalue, rel=0.1)  # scipy's is that of a finite sample
    assert (distance.n, distance.method["reference_n"]) == (300, 400)
    psi = one(found, "psi", "age")
    edges: Any = psi.method["edges"]
    counts = [np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1) for side in (reference, current)]
    r, c = (np.maximum(side / side.sum(), 1e-4) for side in counts)
    # No value is missing in either table, so the bin of the missing adds nothing.
    assert psi.value == pytest.approx(float(np.sum((r - c) * np.log(r / c))), abs=1e-12)
    test = one(found, "chi_squared", "age")
    table = np.array(counts)
    again = chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False)
    assert test.value == pytest.approx(again.statistic, abs=1e-10)
    assert test.method["dof"] == again.dof
    normalised = one(found, "wasserstein_normalised", "age").value
    assert normalised == pytest.approx((one(found, "wasserstein", "age").value or 0) / reference.std(), rel=1e-8)


def test_how_it_was_measured_is_told(folder: Path) -> None:
    settings = Settings(bins=4, floor=1e-3, log="2")
    method = one(evidence(folder, settings), "psi", "age").method
    assert {key: method[key] for key in ("bins", "floor", "log", "reference_rows")} == {
        "bins": 4, "floor": 1e-3, "log": "2", "reference_rows": 400,
    }  # fmt: skip
    assert len(method["edges"]) == 3  # type: ignore[arg-type]
    assert "missing values" in str(method["binning"])
    assert one(evidence(folder), "wasserstein", "day").method["unit"] == "days"


def test_missing_values_are_a_bin_and_a_number(folder: Path) -> None:
    found = evidence(folder)
    missing = one(found, "missing_share", "sex")
    assert (missing.value, missing.method["reference"], missing.method["current"]) == (0.25, 0.0, 0.25)
    facts: Any = found.facts["columns"]
    assert facts["sex"] == {"kind": "text", "values": ["f", "m"], "reference": [200, 200, 0], "current": [150, 75, 75]}
    shares = [(0.5, 0.5), (0.5, 0.25), (1e-4, 0.25)]
    assert one(found, "psi", "sex").value == pytest.approx(sum((r - c) * math.log(r / c) for r, c in shares))


def test_a_column_that_lost_its_values_has_drifted(folder: Path) -> None:
    text = (folder / "eval.csv").read_text().splitlines()
    rows = [line.split(",") for line in text[1:]]
    (folder / "eval.csv").write_text("\n".join([text[0], *(",".join([row[0], "", *row[2:]]) for row in rows)]) + "\n")
    found = evidence(folder)
    assert (one(found, "psi", "age").value or 0) > 9
    assert one(found, "missing_share", "age").value == 1
    lost = one(found, "kolmogorov_smirnov", "age")
    assert (lost.status, lost.reason) == ("not_estimable", "the evaluation table has no values in it")


def test_what_has_no_distance_says_why(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"x": [1.5] * 30, "y": [math.inf] * 30, "c": [1] * 30}), tmp_path / "train.parquet")
    parquet.write_table(pa.table({"x": [1.5] * 30, "y": [1.0] * 30, "c": ["a"] * 30}), tmp_path / "eval.parquet")
    found = evidence(tmp_path, kind="parquet", id=None, score=None)
    assert one(found, "wasserstein", "x").value == 0
    assert one(found, "wasserstein_normalised", "x").reason == "the reference does not vary"
    assert one(found, "wasserstein", "y").reason == "it holds infinite values"
    assert one(found, "kolmogorov_smirnov", "y").value == 1
    assert one(found, "psi", "c").reason == "it holds text here and numbers in the reference"


def test_columns_that_the_tables_do_not_share_are_named(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("id,age,retyped,gone,empty,y\n1,1,1,1,,1\n")
    (tmp_path / "eval.csv").write_text("id,age,retyped,new,empty,y,p\n1,1,a,1,7,1,1\n")
    found = evidence(tmp_path, score=None)
    assert found.facts["unmatched"] == {
        "gone": "the evaluation table does not have it", "new": "the reference does not have it",
        "p": "the reference does not have it", "retyped": "it holds text here and numbers in the reference",
    }  # fmt: skip
    assert found.facts["unmatched_columns"] == 4
    assert one(found, "psi", "gone").reason == "the evaluation table does not have it"
    assert evidence(tmp_path, Settings(ignore=("gone", "new", "p", "retyped")), score=None).facts["unmatched"] == {}


@pytest.mark.parametrize("role", ["id", "label", "prediction", "score", "sensitive"])
@pytest.mark.parametrize("lacking", ["", "train.csv", "eval.csv"])
def test_no_role_takes_a_column_out_unseen(role: str, lacking: str, folder: Path) -> None:
    if lacking:
        text = (folder / lacking).read_text()
        (folder / lacking).write_text(text.replace("age", "years", 1))
    named: Any = {"prediction": Column("age"), "sensitive": ("age",)}.get(role, "age")
    facts: Any = evidence(folder, **{"id": None, role: named}).facts
    where = {name for name in ("columns", "left_out", "unmatched") if "age" in facts[name]}
    assert where == {"left_out" if role == "id" else "unmatched" if lacking else "columns"}
    for name in ("left_out", "unmatched"):
        assert facts[f"{name}_columns"] == len(facts[name])


def test_the_gate_denies_a_column_of_another_type(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    rows = example.rows()
    project.write("train.csv", example.csv([{**row, "amount": place % 40} for place, row in enumerate(rows)]))
    project.write(
        "predictions.csv", example.csv([{**row, "amount": f"t{place % 40}"} for place, row in enumerate(rows)])
    )
    project.write("compliance.yaml", example.FACTS + "  reference: train.csv\n")
    item = "  - {id: stable, type: drift, metric: psi, threshold: 0.1, ignore: [id]}\n"
    project.write("compliance_policy.yaml", example.LAW + item)
    assert project.run("gate").code == 1
    (violation,) = json.loads((project.out / "decision.json").read_text())["violations"]
    assert violation["rule"] == "drift.columns_differ"
    assert "amount: it holds text here and numbers in the reference" in violation["message"]


def test_nothing_in_common_is_not_estimable(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a,id\n1,1\n")
    (tmp_path / "eval.csv").write_text("b,id\n1,1\n")
    found = evidence(tmp_path)
    assert found.status == "not_estimable"
    assert {m.status for m in found.measurements} == {"not_estimable"}
    assert "no column that can be compared" in found.reason


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(bins=1), "bins is 1"),
        (Settings(floor=0.0), "floor is 0.0"),
        (Settings(ignore=("agee",)), "did you mean 'age'"),
        (Settings(ignore=("zzz",)), "neither table has"),
    ],
)
def test_settings_that_cannot_be(folder: Path, settings: Settings, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        evidence(folder, settings)


def test_ignored_columns_are_told(folder: Path) -> None:
    found = evidence(folder, Settings(ignore=("note", "age")))
    assert found.facts["left_out"] == {
        "age": "left out in compliance.yaml", "note": "left out in compliance.yaml",
        "id": "it names the rows (data.id)", "nothing": "it has no values in either table",
    }  # fmt: skip
    assert found.facts["left_out_columns"] == 4
    assert {m.slice["column"] for m in found.measurements} == {"sex", "day", "score", "y", "nothing"}


def test_the_gate_denies_drift_and_names_the_worst_columns(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    rows = example.rows()
    project.write("train.csv", example.csv([{**row, "amount": place % 40} for place, row in enumerate(rows)]))
    project.write("predictions.csv", example.csv([{**row, "amount": 9 + place % 40} for place, row in enumerate(rows)]))
    project.write("compliance.yaml", example.FACTS + "  reference: train.csv\n")
    item = "  - {id: stable, type: drift, metric: psi, threshold: 0.1, ignore: [id]}\n"
    project.write("compliance_policy.yaml", example.LAW + item)
    assert project.run("gate").code == 1
    (violation,) = json.loads((project.out / "decision.json").read_text())["violations"]
    assert (violation["policy"], violation["slice"]) == ("stable", {"column": "amount"})
    assert "amount" in violation["message"]
    project.write("compliance_policy.yaml", example.LAW + item.replace("ignore: [id]", "columns: [race, sex]"))
    assert project.run("gate").code == 0
    project.write("compliance_policy.yaml", example.LAW + item.replace("ignore: [id]", "columns: [race, colour]"))
    assert project.run("gate").code == 1


def test_the_facts_take_no_column_out_of_the_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "MAX_CATEGORIES", 100)
    project = example.make(tmp_path)
    rows = [{**row, "amount": place % 40, "note": f"n{place}"} for place, row in enumerate(example.rows())]
    project.write("train.csv", example.csv(rows))
    project.write("predictions.csv", example.csv([{**row, "amount": 99} for row in rows]))
    facts = example.FACTS + "  reference: train.csv\nmeasure: {drift: {ignore: [amount]}}\n"
    project.write("compliance.yaml", facts)
    item = "  - {id: stable, type: drift, metric: psi, threshold: 0.1}\n"
    project.write("compliance_policy.yaml", example.LAW + item)
    assert project.run("gate").code == 1
    (violation,) = json.loads((project.out / "decision.json").read_text())["violations"]
    assert violation["rule"] == "drift.columns_not_judged"
    assert "amount" in violation["message"]
    assert "note" in violation["message"]
    project.write("compliance_policy.yaml", example.LAW + item.replace("}", ", ignore: [amount, id, note]}"))
    assert project.run("gate").code == 0
    assert "shown, not judged" in (project.out / "report.txt").read_text()


def test_what_names_the_rows_is_left_out_by_the_law_alone(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    rows = [{**row, "income": place} for place, row in enumerate(example.rows())]
    project.write("train.csv", example.csv(rows))
    project.write("predictions.csv", example.csv([{**row, "income": 9_000 + row["income"]} for row in rows]))
    project.write("compliance.yaml", example.FACTS.replace("id: id", "id: income\n  reference: train.csv"))
    item = "  - {id: stable, type: drift, metric: psi, threshold: 0.1}\n"
    project.write("compliance_policy.yaml", example.LAW + item)
    assert project.run("gate").code == 1
    (violation,) = json.loads((project.out / "decision.json").read_text())["violations"]
    assert violation["rule"] == "drift.columns_not_judged"
    assert "income: it names the rows (data.id)" in violation["message"]
    project.write("compliance_policy.yaml", example.LAW + item.replace("}", ", ignore: [income]}"))
    assert project.run("gate").code == 0
    project.write("compliance_policy.yaml", example.LAW + item.replace("}", ", columns: [income]}"))
    assert project.run("gate").code == 1
