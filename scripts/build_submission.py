"""Build model_submission.json from MLflow and files."""

from ml_compliance.entry_points import build_submission

build_submission()
