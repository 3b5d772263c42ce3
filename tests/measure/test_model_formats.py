"""A model that is an attack is refused before it is loaded, in every format; the same model without it is allowed."""

from __future__ import annotations

import json
import os
import pickle
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import project, torch_files
from tests.engine.test_model_files import Attack
from tests.mlflow_store import rows
from tests.scans import judge, violations

FACTS = """\
project: loans
model: {uri: model}
data: {evaluation: table.csv, label: y, sensitive: [group]}
"""
LAW = "project: loans\npolicies:\n  - {id: harmless, type: model_files}\n"
ACCURATE = "  - {id: accuracy, type: performance, metric: accuracy, minimum: 0.6}\n"


def trained(**more: Any) -> Any:
    """A model of scikit-learn; `more` are attributes that it is given."""
    from sklearn.linear_model import LogisticRegression

    data = rows()
    model = LogisticRegression().fit(data[["a", "b"]], data["y"])
    for name, value in more.items():
        setattr(model, name, value)
    return model


def weights(model: Any) -> dict[str, np.ndarray[Any, Any]]:
    return {"weight": model.coef_, "bias": model.intercept_}


def of_sklearn(folder: Path, model: Any, serialization: str, *trusted: str) -> None:
    """As MLflow saves it in one of its formats for scikit-learn."""
    from mlflow.models import infer_signature
    from mlflow.sklearn import save_model

    usual = ["sklearn.linear_model._logistic.LogisticRegression", "numpy.dtype", *trusted]
    more = {"skops_trusted_types": usual} if serialization == "skops" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save_model(model, folder, serialization_format=serialization, pip_requirements=["scikit-learn"],
                   signature=infer_signature(rows()[["a", "b"]]), **more)  # fmt: skip


def of_torch(folder: Path, name: str, content: bytes) -> None:
    """As MLflow lays out a model of the flavor pytorch."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / name).write_bytes(content)
    if name == "model.pth":
        (folder / "data" / "pickle_module_info.txt").write_text("mlflow.pytorch.pickle_module")
    described(folder, "pytorch", {"model_data": "data", "pytorch_version": "2.9.0", "code": None},
              {"data": "data", "pickle_module_name": "mlflow.pytorch.pickle_module"})  # fmt: skip


def of_onnx(folder: Path, model: Any) -> None:
    """The same model as a graph, as MLflow lays it out in the flavor onnx."""
    from skl2onnx import to_onnx

    folder.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = to_onnx(model, np.zeros((1, 2), dtype=np.float32))
    (folder / "model.onnx").write_bytes(graph.SerializeToString())
    described(folder, "onnx", {"data": "model.onnx", "onnx_version": "1.20.0", "code": None}, {"data": "model.onnx"})


def of_safetensors(folder: Path, model: Any) -> None:
    """The same weights as numbers alone."""
    from safetensors.numpy import save

    numbers = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in weights(model).items()}
    of_torch(folder, "model.safetensors", save(numbers))


def described(folder: Path, flavor: str, own: dict[str, Any], function: dict[str, Any]) -> None:
    """MLmodel, which says how a flavor is loaded."""
    loader = {"loader_module": f"mlflow.{flavor}", "python_version": "3.12.0", **function}
    text = json.dumps({"flavors": {"python_function": loader, flavor: own}, "mlflow_version": "3.17.2"})
    (folder / "MLmodel").write_text(text)


@pytest.fixture
def made(tmp_path: Path) -> project.Project:
    """A project that has a table, and still no model."""
    rows().to_csv(tmp_path / "table.csv", index=False)
    made = project.Project(tmp_path)
    made.write("compliance.yaml", FACTS)
    made.write("compliance_policy.yaml", LAW)
    return made


def reasons(made: project.Project) -> set[str]:
    return {title for rule, title in violations(made) if rule.startswith("model_files")}


def errors(made: project.Project) -> str:
    return " ".join(json.loads((made.out / "decision.json").read_text())["errors"])


@pytest.mark.parametrize("serialization", ["pickle", "cloudpickle"])
def test_an_attack_in_scikit_learn_never_runs(serialization: str, made: project.Project) -> None:
    mark = made.folder / "mark"
    of_sklearn(made.folder / "model", trained(attack_=Attack(mark)), serialization)
    assert judge(made, "model_files", "performance").code == 3
    assert "model.pkl imports posix.system" in reasons(made)
    assert "is not loaded: model.pkl imports posix.system" in errors(made)
    assert not mark.exists()


def test_an_attack_in_skops_is_refused_whether_the_model_trusts_it_or_not(made: project.Project) -> None:
    """Trusted, it is refused as what is imported; not trusted, skops itself does not load it."""
    mark, model = made.folder / "mark", made.folder / "model" / "MLmodel"
    attacked = trained(attack_=partial(os.system, f"touch {mark}"))
    of_sklearn(made.folder / "model", attacked, "skops", "posix.system", "functools.partial")
    assert judge(made, "model_files", "performance").code == 3
    assert reasons(made) == {"MLmodel imports posix.system", "MLmodel imports functools.partial"}
    assert "is not loaded: MLmodel imports functools.partial; MLmodel imports posix.system" in errors(made)
    trusted = [line for line in model.read_text().splitlines() if not line.endswith(("posix.system", ".partial"))]
    model.write_text("\n".join(trusted))
    assert judge(made, "model_files", "performance").code == 3
    assert reasons(made) == set()
    assert "cannot be loaded" in errors(made)
    assert "posix.system" in errors(made)
    assert not mark.exists()


@pytest.mark.parametrize("serialization", ["pickle", "cloudpickle", "skops"])
def test_the_same_model_of_scikit_learn_is_loaded_and_allowed(serialization: str, made: project.Project) -> None:
    made.write("compliance_policy.yaml", LAW + ACCURATE)
    of_sklearn(made.folder / "model", trained(), serialization)
    result = judge(made, "model_files", "performance")
    assert result.code == 0, (result.out, violations(made))


def test_the_attack_works_where_it_is_loaded(tmp_path: Path) -> None:
    """Otherwise that it never ran would mean nothing."""
    pickle.loads(pickle.dumps(Attack(tmp_path / "mark")))  # noqa: S301 - our own, to see that it does what it says
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("kind", torch_files.FORMATS)
def test_an_attack_in_torch_never_runs(kind: str, made: project.Project) -> None:
    mark, (name, write) = made.folder / "mark", torch_files.FORMATS[kind]
    of_torch(made.folder / "model", name, write(Attack(mark), weights(trained())))
    assert judge(made, "model_files", "performance").code == 3
    assert f"data/{name} imports posix.system" in reasons(made)
    assert f"is not loaded: data/{name} imports posix.system" in errors(made)
    assert judge(made, "model_files").code == 1
    assert not mark.exists()


@pytest.mark.parametrize("kind", torch_files.FORMATS)
def test_the_same_model_of_torch_is_allowed(kind: str, made: project.Project) -> None:
    """But for TorchScript, which is a program in any case: the law has to let code in."""
    name, write = torch_files.FORMATS[kind]
    of_torch(made.folder / "model", name, write(("nothing", 1.0), weights(trained())))
    script = kind == "TorchScript"
    assert judge(made, "model_files").code == int(script)
    assert reasons(made) == ({f"data/{name} is code"} if script else set())
    made.write("compliance_policy.yaml", LAW.replace("model_files}", "model_files, code: warn}"))
    assert judge(made, "model_files").code == 0


@pytest.mark.parametrize("save", [of_onnx, of_safetensors])
def test_formats_without_a_program_are_allowed_without_a_warning(
    save: Callable[[Path, Any], None], made: project.Project
) -> None:
    save(made.folder / "model", trained())
    assert judge(made, "model_files").code == 0, violations(made)
    assert json.loads((made.out / "decision.json").read_text())["warnings"] == []
    files = json.loads((made.out / "evidence" / "model_files.json").read_text())["facts"]
    assert files["imports"] == []
    assert {"onnx", "safetensors"} & {file["format"] for file in files["files"]}
