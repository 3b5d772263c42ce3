"""Projects that use the action: real applications for mortgages, and a real model."""

from __future__ import annotations

import warnings
from pathlib import Path

from ml_compliance.demo import models
from ml_compliance.engine.registry import import_mlflow

COLUMNS = """\
data:
  evaluation: holdout.csv
  label: approve
  sensitive: [race]
  id: application
"""
FACTS = {
    "model": f"project: loans\nmodel: {{uri: model}}\n{COLUMNS}",
    "predictions": f"project: loans\n{COLUMNS}  prediction: predicted\n",
}
PARITY = """\
project: loans
policies:
  - id: parity
    type: fairness
    sensitive_attributes: [race]
    metric: demographic_parity_difference

    threshold: """
LAW = {"model": f"{PARITY}0.5\n", "predictions": f"{PARITY}0.01\n"}
CODE = """\
  - id: code
    type: model_files
    code: warn
"""
TALKING = """\
import os
import sys

SAID = "::error title=forged::a model said so\\n::set-output name=forged::true\\n"


class Talking:
    def predict(self, frame):
        print(SAID, flush=True)
        print(SAID, file=sys.stderr, flush=True)
        os.write(1, SAID.encode())
        for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"):
            if name in os.environ:
                with open(os.environ[name], "a") as file:
                    file.write("forged=true\\n")
        return (frame["obrat"] < 36).astype(int)


def _load_pyfunc(path):
    return Talking()
"""


def write(folder: Path) -> None:
    """Two projects in `folder`: one with a model, which is allowed, and one with predictions, denied by line 8."""
    import_mlflow()
    import mlflow.sklearn

    training, holdout = models.split(models.applications())
    model = models.plain(training)
    for name in ("model", "predictions"):
        (folder / name).mkdir(parents=True)
        (folder / name / "compliance.yaml").write_text(FACTS[name], encoding="utf-8")
        (folder / name / "compliance_policy.yaml").write_text(LAW[name], encoding="utf-8")
    mlflow.sklearn.save_model(model, str(folder / "model" / "model"))
    holdout.to_csv(folder / "model" / "holdout.csv", index=False)
    predicted = holdout.assign(predicted=model.predict(holdout[list(models.FEATURES)]))
    predicted.to_csv(folder / "predictions" / "holdout.csv", index=False)


def talk(folder: Path) -> None:
    """A project in `folder` whose model talks to whoever runs it, in every way that it has."""
    import_mlflow()
    import mlflow.models
    import mlflow.pyfunc

    folder.mkdir(parents=True)
    _, holdout = models.split(models.applications())
    (folder / "compliance.yaml").write_text(FACTS["model"], encoding="utf-8")
    (folder / "compliance_policy.yaml").write_text(f"{PARITY}1.0\n{CODE}", encoding="utf-8")
    holdout.to_csv(folder / "holdout.csv", index=False)
    (folder / "talks.py").write_text(TALKING, encoding="utf-8")
    features = holdout[list(models.FEATURES)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow would like an example of the input
        mlflow.pyfunc.save_model(
            str(folder / "model"), loader_module="talks", code_paths=[str(folder / "talks.py")], pip_requirements=[],
            signature=mlflow.models.infer_signature(features, [0] * len(features)),
        )  # fmt: skip
