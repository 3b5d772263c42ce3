"""A real MLflow store with small models of every kind that matters, made once per test run."""

from __future__ import annotations

import atexit
import functools
import shutil
import sys
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_compliance.engine.registry import import_mlflow

import_mlflow()

import mlflow  # noqa: E402
import mlflow.pyfunc  # noqa: E402
import mlflow.sklearn  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from mlflow.models import infer_signature  # noqa: E402
from mlflow.pyfunc.model import PythonModel  # noqa: E402

RAW_HASH = "a" * 64


@dataclass(frozen=True)
class Store:
    folder: Path
    uri: str
    run_ids: dict[str, str] = field(default_factory=dict)
    model_ids: dict[str, str] = field(default_factory=dict)


class Labels(PythonModel):
    """Classes only, and loud about it."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        sys.stdout.write("a model that talks\n")
        return (model_input["a"] > 0).astype(int).to_numpy()


class Raises(PythonModel):
    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        if (model_input["a"] > 2).any():
            raise ZeroDivisionError("a feature was zero")
        return np.zeros(len(model_input))


class Short(PythonModel):
    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        return np.zeros(len(model_input) - 1)


class Blank(PythonModel):
    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        return np.where(np.arange(len(model_input)) == 0, np.nan, 1.0)


def rows(n: int = 300, seed: int = 3) -> pd.DataFrame:
    """Two numbers, a count, a category, a sensitive attribute and a label that depends on them."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=n),
            "b": rng.normal(size=n),
            "c": rng.integers(0, 5, n),
            "d": rng.choice(["rent", "own", "other"], n),
            "group": rng.choice(["x", "y"], n),
        }
    )
    shift = frame["d"].map({"rent": -0.5, "own": 0.5, "other": 0.0})
    frame["y"] = (frame["a"] + 0.5 * frame["b"] + shift + rng.normal(size=n) > 0).astype(int)
    return frame


@functools.cache
def store() -> Store:
    folder = Path(tempfile.mkdtemp(prefix="ml-compliance-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    found = Store(folder, f"sqlite:///{folder / 'mlflow.db'}")
    before = mlflow.get_tracking_uri()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.set_tracking_uri(found.uri)
        try:
            mlflow.set_experiment(experiment_id=mlflow.create_experiment("e", artifact_location=folder.as_uri()))
            for name, (model, columns) in _models().items():
                _log(found, name, model, columns)
            client = mlflow.MlflowClient()
            client.set_registered_model_alias("linear", "champion", "1")
            client.set_model_version_tag("linear", "1", "owner", "credit-risk")
            client.set_model_version_tag("linear", "1", "api_token", "hunter2")
        finally:
            mlflow.set_tracking_uri(before)
    return found


def _log(found: Store, name: str, model: Any, columns: list[str]) -> None:
    frame = rows()[columns]
    signature = None if name == "unsigned" else infer_signature(frame.astype({"c": float} if "c" in columns else {}))
    with mlflow.start_run() as run:
        mlflow.log_params({"C": "1.0", "raw_data_sha256": RAW_HASH, "database_url": "https://me:hunter2@db.example/x"})
        mlflow.set_tags({"feature_store_version": "v7", "lineage.source_data_hash": "b" * 64})
        options: dict[str, Any] = {"name": "model", "signature": signature, "pip_requirements": ["scikit-learn"]}
        if name != "loose":
            options["registered_model_name"] = name
        if isinstance(model, PythonModel):
            info = mlflow.pyfunc.log_model(python_model=model, **options)
        else:
            info = mlflow.sklearn.log_model(model, serialization_format="cloudpickle", **options)
    found.run_ids[name] = run.info.run_id
    found.model_ids[name] = info.model_id


def _models() -> dict[str, tuple[Any, list[str]]]:
    from fairlearn.reductions import DemographicParity, ExponentiatedGradient
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    data = rows()
    numbers, mixed = ["a", "b", "c"], ["a", "b", "c", "d"]
    x, y = data[numbers], data["y"]
    words = y.map({1: "approve", 0: "refuse"})
    encode = make_column_transformer((OneHotEncoder(), ["d"]), (StandardScaler(), numbers))
    reduction = ExponentiatedGradient(LogisticRegression(), DemographicParity(), eps=0.02)
    return {
        "linear": (LogisticRegression().fit(x, y), numbers),
        "words": (LogisticRegression().fit(x, words), numbers),
        "forest": (RandomForestClassifier(10, max_depth=4, random_state=0).fit(x, y), numbers),
        "boosted": (GradientBoostingClassifier(n_estimators=10, random_state=0).fit(x, y), numbers),
        "pipeline": (make_pipeline(encode, LogisticRegression()).fit(data[mixed], y), mixed),
        "reduction": (reduction.fit(x, y, sensitive_features=data["group"]), numbers),
        "unsigned": (LogisticRegression().fit(x, y), numbers),
        "loose": (LogisticRegression().fit(x, y), numbers),
        "labels": (Labels(), numbers),
        "raises": (Raises(), numbers),
        "short": (Short(), numbers),
        "blank": (Blank(), numbers),
    }
