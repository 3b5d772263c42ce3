"""Models: loading them through MLflow, and asking them for classes and scores."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.model_files import NO_LISTS, Admission, ModelFile, model_files, refused
from ml_compliance.engine.registry import Source, import_mlflow, locate
from ml_compliance.errors import ComplianceError, EvaluationError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Scalar = bool | int | float | str

# A randomised classifier (fairlearn's reductions) must answer the same question twice in the same way.
PREDICTION_SEED = 0
_TOLD = 5


@dataclass(frozen=True)
class Feature:
    """An input column of a model; `type` is MLflow's name (`double`, `long`, `string`, …), empty if unknown."""

    name: str
    type: str = ""


@dataclass(frozen=True)
class LoadedModel:
    """A model and where it comes from. The estimator itself is unpickled when it is first asked.

    `flavor` is MLflow's name of the library it was logged with; `features` are the columns of its signature,
    or else those the estimator was fitted with, or else none. `admission` is what the law lets it import.
    """

    uri: str
    flavor: str
    source: Source
    signature: tuple[Feature, ...]
    admission: Admission = NO_LISTS

    @cached_property
    def files(self) -> tuple[ModelFile, ...]:
        """Every file of the model, and what loading it would import."""
        return model_files(self.source.folder)

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        return self.signature or tuple(Feature(str(name)) for name in getattr(self.raw, "feature_names_in_", ()))

    @cached_property
    def pyfunc(self) -> Any:
        """The MLflow PyFuncModel. Raises EvaluationError when the model must not, or cannot, be loaded here."""
        # First, and nowhere else is a model loaded: loading a pickle runs it.
        reasons = refused(self.files, self.admission)
        if reasons:
            told = "; ".join(reasons[:_TOLD]) + (f"; and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else "")
            raise EvaluationError(f"the model {self.uri!r} is not loaded: {told}",
                                  remedy="save it as skops, safetensors or ONNX; docs/model_files.md")  # fmt: skip
        import_mlflow()
        import mlflow.pyfunc

        with model_code(f"the model {self.uri!r} cannot be loaded", "install what its requirements.txt names"):
            return mlflow.pyfunc.load_model(str(self.source.folder), suppress_warnings=True)

    @cached_property
    def raw(self) -> Any:
        """The estimator as it was trained, or None when there is only an MLflow function."""
        if self.flavor == "python_function":
            return None
        with contextlib.suppress(AttributeError, NotImplementedError):
            return self.pyfunc.get_raw_model()
        return None

    @property
    def classes(self) -> tuple[Scalar, ...]:
        """The classes that `predict_proba` has columns for; none when it has no such method."""
        known = getattr(self.raw, "classes_", None)
        if known is None or not hasattr(self.raw, "predict_proba"):
            return ()
        return tuple(value.item() if hasattr(value, "item") else value for value in known)

    def predict(
        self, frame: pd.DataFrame, positive: Scalar | tuple[Scalar, ...] | None
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
        """Predicted classes, or numbers, shape (n,), and probabilities of the positive class, shape (n,) or None.

        There are no probabilities without a `positive` class: of one class of several, or of a number.
        `frame` holds the feature columns in the model's order. Raises EvaluationError when the model raises, or
        answers with another number of rows, with missing values or with probabilities outside [0, 1].
        """
        index = class_index(self.classes, positive) if self.classes and positive is not None else None
        with model_code(f"the model {self.uri!r} cannot predict", "check the model's signature against the table"):
            labels = self._labels(frame)
            scores = None if index is None else self.raw.predict_proba(frame)[:, index]
        return _checked_labels(labels, len(frame), self.uri), _checked_scores(scores, len(frame), self.uri)

    def _labels(self, frame: pd.DataFrame) -> Any:
        if self.flavor != "sklearn" and not self.classes:
            return self.pyfunc.predict(frame)
        if "random_state" in inspect.signature(self.raw.predict).parameters:
            return self.raw.predict(frame, random_state=PREDICTION_SEED)
        return self.raw.predict(frame)


def load(uri: str, tracking_uri: str | None, folder: Path, admission: Admission = NO_LISTS) -> LoadedModel:
    """Find the model `uri` and read its signature; the estimator is unpickled later, if `admission` lets it be.

    `folder` is what relative paths start from. Raises UsageError and EvaluationError as `registry.locate` does.
    """
    import_mlflow()
    source = locate(uri, tracking_uri, folder)
    from mlflow.models import Model

    with model_code(f"the MLmodel file of {uri!r} cannot be read", "log the model again"):
        described = Model.load(str(source.folder))
    flavors = [name for name in described.flavors if name != "python_function"]
    inputs = described.signature.inputs if described.signature else None
    columns = [] if inputs is None or inputs.is_tensor_spec() else inputs.inputs
    signature = tuple(Feature(column.name, _type_name(column.type)) for column in columns if column.name)
    return LoadedModel(uri, flavors[0] if flavors else "python_function", source, signature, admission)


def feature_columns(model: LoadedModel, named: Sequence[str], columns: Iterable[str], table: str) -> tuple[str, ...]:
    """The model's input columns: `named` in compliance.yaml, else the model's own.

    Raises UsageError when neither says, or when the table, whose `columns` are given, lacks one.
    """
    names = tuple(feature.name for feature in model.features) or tuple(named)
    if not names:
        raise UsageError(f"the model {model.uri!r} does not say which columns it reads",
                         remedy="log it with a signature, or list model.features in compliance.yaml")  # fmt: skip
    there = set(columns)
    absent = [name for name in names if name not in there]
    if absent:
        raise UsageError(f"the model reads {', '.join(absent)}, which the table does not have", where=table,
                         remedy="add the columns, or evaluate on the table the model was made for")  # fmt: skip
    return names


def class_index(classes: Sequence[Scalar], positive: Scalar | tuple[Scalar, ...]) -> int:
    """The place of the positive class among the model's `classes`; `1` and `"1"` are the same class.

    Raises UsageError when none of the classes is positive, or more than one.
    """
    wanted = positive if isinstance(positive, tuple) else (positive,)
    found = [place for place, value in enumerate(classes) if value in wanted]
    if not found:
        found = [place for place, value in enumerate(classes) if str(value) in map(str, wanted)]
    if len(found) != 1:
        said = ", ".join(map(repr, wanted))
        raise UsageError(f"the model's classes are {list(classes)}, the positive label is {said}",
                         remedy="name one of these classes as data.label.positive in compliance.yaml")  # fmt: skip
    return found[0]


def _checked_labels(labels: Any, rows: int, uri: str) -> np.ndarray[Any, Any]:
    import numpy as np
    import pandas as pd

    answer = np.asarray(labels)
    if answer.ndim == 2 and answer.shape[1] == 1:
        answer = answer[:, 0]
    if answer.shape != (rows,):
        shape = " × ".join(map(str, answer.shape)) or "one value"
        raise EvaluationError(f"the model {uri!r} answered {rows} rows with {shape} predictions",
                              remedy="a model must predict one class per row")  # fmt: skip
    missing = int(pd.isna(answer).sum())
    if missing:
        raise EvaluationError(f"the model {uri!r} predicted no class (NaN) for {missing} of {rows} rows",
                              remedy="look at what the model does with these rows")  # fmt: skip
    return answer


def _checked_scores(scores: Any, rows: int, uri: str) -> np.ndarray[Any, Any] | None:
    import numpy as np

    if scores is None:
        return None
    answer = np.asarray(scores, dtype=float)
    if answer.shape != (rows,):
        raise EvaluationError(f"the model {uri!r} answered {rows} rows with {len(answer)} scores",
                              remedy="predict_proba must give one row per row")  # fmt: skip
    bad = int((~((answer >= 0) & (answer <= 1))).sum())
    if bad:
        raise EvaluationError(f"the model {uri!r} gave {bad} of {rows} rows a probability that is not in [0, 1]",
                              remedy="look at what the model does with these rows")  # fmt: skip
    return answer


def _type_name(kind: Any) -> str:
    return str(getattr(kind, "name", kind))


@contextlib.contextmanager
def model_code(what: str, remedy: str) -> Iterator[None]:
    """The border to the model's own code: what it prints goes to stderr, what it raises becomes an EvaluationError."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except ComplianceError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:500]
        raise EvaluationError(f"{what}: {type(error).__name__}: {said}", remedy=remedy) from error
