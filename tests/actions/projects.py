"""Projects that use the action: real applications for mortgages, and a real model."""

from __future__ import annotations

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
