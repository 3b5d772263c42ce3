"""How much worse the model gets when its inputs are disturbed: by noise, missing values, exchanged categories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.law import items_of
from ml_compliance.model import Evidence, Interval, Json, Measurement
from ml_compliance.stats.performance import Estimate

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ml_compliance.context import Context

    Array = np.ndarray[Any, Any]

TYPE = "robustness"
METRICS = {
    "binary": ("accuracy", "balanced_accuracy", "precision", "recall", "f1"),
    "multiclass": ("accuracy",),
    "regression": ("mae",),
}
_TRUE = "ml_compliance_label"
_SALT = "robustness"


@dataclass(frozen=True)
class Settings:
    """On how many rows the model is disturbed."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}

    sample: int = 2_000
    """Rows that the model predicts with and without each perturbation."""


@dataclass(frozen=True)
class _Subject:
    """The rows that are disturbed, the truth about them, and how predictions are told from them."""

    context: Context
    frame: pd.DataFrame
    truth: Array

    def predict(self, frame: pd.DataFrame) -> Array:
        """Predictions as `truth` has them: 0 or 1, the name of a class, or a number; shape (rows,)."""
        import numpy as np

        labels, _ = self.context.model.predict(frame, None)
        task = self.context.facts.data.task
        if task == "regression":
            return np.asarray(labels, dtype=float)
        if task == "multiclass":
            return np.array([_name(value) for value in labels.tolist()])
        positive = self.context.positive
        wanted = {_name(value) for value in (positive if isinstance(positive, tuple) else (positive,))}
        return np.array([_name(value) in wanted for value in labels.tolist()])


def measure(context: Context, settings: Settings) -> Evidence:
    """For each perturbation that the law names, at its strength, by how much each metric gets worse on the same rows.

    A drop is positive where the model gets worse; intervals are for paired estimates. A model that refuses the
    disturbed rows has no drop, but a reason. Raises UsageError for a sample of less than one row.
    """
    asked = sorted({pair for item in items_of(context.law, TYPE) for pair in item["perturbations"].items()})
    if not asked:
        return Evidence(TYPE, "missing", reason=f"no item of the law has the type {TYPE}")
    if settings.sample < 1:
        raise UsageError("measure.robustness.sample is a number of rows, at least 1",
                         remedy="write sample: 2000, or leave it out")  # fmt: skip
    if not context.facts.model.uri:
        return Evidence(TYPE, "missing", reason="no model is named: write model: {uri: models:/name/version}")
    subject = _subject(context, settings.sample)
    before = subject.predict(subject.frame)
    found: list[Measurement] = []
    with context.progress("disturbing", len(asked)) as advance:
        for name, strength in asked:
            found += _under(subject, before, name, strength)
            advance(1)
    return Evidence(TYPE, "measured", tuple(found), rows=len(subject.frame))


def _subject(context: Context, rows: int) -> _Subject:
    from ml_compliance.engine.classes import names_of
    from ml_compliance.engine.frames import model_frame
    from ml_compliance.engine.judged import positive_of
    from ml_compliance.engine.models import feature_columns
    from ml_compliance.engine.sampling import ROW, sample
    from ml_compliance.facts import Column

    data, table, model = context.facts.data, context.evaluation, context.model
    features = feature_columns(model, context.facts.model.features, table.columns, data.evaluation)
    # What is judged has been checked: labels without gaps, and of the kind that the task asks for.
    context.judged  # noqa: B018
    label = data.label if isinstance(data.label, Column) else Column(data.label)
    truth: Any = table[label.column].cast("float64")
    if data.task == "binary":
        truth = positive_of(table[label.column], label, "label", data.evaluation)
    elif data.task == "multiclass":
        truth = names_of(table, label.column, "label", data.evaluation)
    drawn = sample(table.mutate(**{_TRUE: truth}), [*features, _TRUE], rows, _SALT, data.id)
    frame = model_frame(drawn.drop_columns([ROW, _TRUE]), model.signature)
    return _Subject(context, frame, drawn[_TRUE].to_pandas().to_numpy())


def _under(subject: _Subject, before: Array, name: str, strength: float) -> Iterator[Measurement]:
    import numpy as np

    from ml_compliance.engine.perturbation import SEED, perturbed

    task = subject.context.facts.data.task
    frame, columns = perturbed(subject.frame, name, strength)
    method: dict[str, Json] = {
        "strength": strength, "seed": SEED, "numpy": np.__version__, "columns": [str(column) for column in columns],
    }  # fmt: skip
    reason, after = "", before
    if not columns:
        reason = f"the model has no feature to which {name} applies"
    else:
        try:
            after = subject.predict(frame)
        except EvaluationError as error:
            reason = str(error.message)
    estimates = {} if reason else _drops(task, subject.truth, before, after)
    for metric in METRICS[task]:
        estimate = estimates.get(metric, Estimate(None, reason=reason))
        yield Measurement(
            f"{TYPE}/{metric}_drop",
            estimate.value,
            "not_estimable" if estimate.value is None else "measured",
            slice={"perturbation": name, "strength": str(strength)},
            interval=estimate.interval,
            n=len(subject.frame),
            reason=estimate.reason,
            method=method,
        )


def _drops(task: str, truth: Array, before: Array, after: Array) -> Mapping[str, Estimate]:
    if task == "regression":
        return {"mae": _rise(abs(after - truth) - abs(before - truth))}
    import numpy as np

    from ml_compliance.stats.paired import Pairs
    from ml_compliance.stats.paired_counts import count_comparisons

    if task == "multiclass":
        # What counts is whether a row is predicted rightly, and every row should be.
        truth, after, before = np.ones(len(truth)), after == truth, before == truth
    found = dict(count_comparisons(Pairs(_joint(truth, after, before))))
    return {name: _worse(found[name].difference, found[name].interval, found[name].reason) for name in METRICS[task]}


def _joint(truth: Array, after: Array, before: Array) -> tuple[int, ...]:
    """How many rows have each combination of truth, prediction after and prediction before."""
    import numpy as np

    codes = 4 * truth.astype(int) + 2 * after.astype(int) + before.astype(int)
    return tuple(int(count) for count in np.bincount(codes, minlength=8))


def _worse(difference: float | None, interval: Interval | None, reason: str) -> Estimate:
    """A drop, from the difference of after and before."""
    if difference is None:
        return Estimate(None, reason=reason)
    turned = None if interval is None else replace(interval, low=-interval.high, high=-interval.low)
    return Estimate(0.0 - difference, turned)


def _rise(differences: Array) -> Estimate:
    """The mean of paired differences, with mean ± z·s/√n."""
    from ml_compliance.stats.intervals import CONFIDENCE, normal_quantile

    mean, n = float(differences.mean()), len(differences)
    if n < 2:
        return Estimate(mean)
    half = normal_quantile(CONFIDENCE) * float(differences.std(ddof=1)) / n**0.5
    return Estimate(mean, Interval(mean - half, mean + half, CONFIDENCE, "normal, of a mean of paired differences"))


def _name(value: Any) -> str:
    """A class as a table names it: 1, 1.0 and "1" are one class."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
