"""Judge a model: --model-uri URI --fairness-threshold 0.05 --min-accuracy 0.85 --require-explainability."""

from ml_compliance.entry_points import validate_model

validate_model()
