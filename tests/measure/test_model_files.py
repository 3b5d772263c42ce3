"""The gate on a model that is an attack, on a real one, and on one whose law is stricter."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests import mlflow_store, project
from tests.engine.test_model_files import attacked

FACTS = """\
project: loans
model: {uri: model}
data:
  evaluation: table.csv
  label: y
  sensitive: [group]
"""
LAW = "project: loans\npolicies:\n  - {id: harmless, type: model_files%s}\n"


@pytest.fixture
def made(tmp_path: Path) -> project.Project:
    """A project with the model `linear` in a folder."""
    from ml_compliance.engine.registry import locate

    store = mlflow_store.store()
    shutil.copytree(locate("models:/linear/1", store.uri, store.folder).folder, tmp_path / "model")
    mlflow_store.rows().to_csv(tmp_path / "table.csv", index=False)
    made = project.Project(tmp_path)
    made.write("compliance.yaml", FACTS)
    made.write("compliance_policy.yaml", LAW % "")
    return made


def judge(made: project.Project) -> tuple[int, dict[str, object]]:
    assert made.run("measure", "model_files", "performance").code in (0, 3)
    assert made.run("submit").code == 0
    code = made.run("decide").code
    return code, json.loads((made.out / "decision.json").read_text())


def test_a_pickle_of_scikit_learn_is_allowed_with_a_warning(made: project.Project) -> None:
    code, decision = judge(made)
    assert code == 0
    assert [one["rule"] for one in decision["warnings"]] == ["model_files.pickle"]  # type: ignore[attr-defined]
    evidence = json.loads((made.out / "evidence" / "model_files.json").read_text())
    [model] = [file for file in evidence["facts"]["files"] if file["path"] == "model.pkl"]
    assert model["format"] == "pickle"
    assert {"path": "model/model.pkl", "sha256": model["sha256"], "size": model["size"]} in evidence["files"]
    assert "sklearn.linear_model._logistic.LogisticRegression" in {one["name"] for one in evidence["facts"]["imports"]}


def test_an_attack_is_not_loaded_and_told(made: project.Project) -> None:
    mark = made.folder / "mark"
    (made.folder / "model" / "model.pkl").write_bytes(attacked(mark))
    code, decision = judge(made)
    assert code == 3
    assert not mark.exists()
    assert [one["title"] for one in decision["violations"]] == ["model.pkl imports posix.system"]  # type: ignore[attr-defined]
    assert "is not loaded: model.pkl imports posix.system" in " ".join(decision["errors"])  # type: ignore[arg-type]


def test_what_the_law_does_not_name_is_not_loaded(made: project.Project) -> None:
    made.write("compliance_policy.yaml", LAW % ", allowed: [numpy]")
    code, decision = judge(made)
    assert code == 3
    assert "is not loaded: model.pkl imports sklearn.linear_model" in " ".join(decision["errors"])  # type: ignore[arg-type]


def test_code_beside_the_model_is_not_loaded_unless_the_law_warns(made: project.Project) -> None:
    (made.folder / "model" / "extra.py").write_text("print('hello')\n")
    code, decision = judge(made)
    assert (code, [one["rule"] for one in decision["violations"]]) == (3, ["model_files.code"])  # type: ignore[attr-defined]
    made.write("compliance_policy.yaml", LAW % ", code: warn")
    assert judge(made)[0] == 0
