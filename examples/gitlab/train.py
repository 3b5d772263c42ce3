"""Train the mitigated model of `ml-compliance demo`, and leave it with its data where the gate looks for them."""

from __future__ import annotations

import shutil

import mlflow.sklearn

from ml_compliance.demo import models

training, holdout = models.split(models.applications())
training.to_csv("training.csv", index=False)
holdout.to_csv("holdout.csv", index=False)
model = models.mitigated(training)
features = training[list(models.FEATURES)]
signature = mlflow.models.infer_signature(features.astype("float64"), model.predict(features))
shutil.rmtree("model", ignore_errors=True)
mlflow.sklearn.save_model(model, "model", signature=signature, pip_requirements=["scikit-learn"])
