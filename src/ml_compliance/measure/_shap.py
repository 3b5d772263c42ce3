"""SHAP values of a model: the exact explainer where the model has one, a model-agnostic one otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.models import LoadedModel, Scalar, class_index, model_code

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ml_compliance.measure._encode import Encoding

    Array = np.ndarray[Any, Any]
    Advance = Callable[[int], None]

SEED = 0
TOLERANCE = 1e-6
"""The largest gap between base + sum of SHAP values and the model's output that an exact explainer may leave."""

_EXACT_FEATURES = 7
# Each is run forwards and backwards, which is exact for interactions of two features.
_PERMUTATIONS = 2
_AGNOSTIC_BACKGROUND = 50


@dataclass(frozen=True)
class Explanation:
    """SHAP values, shape (rows, features), in units of `output`; `base` + their sum over features is `outputs`.

    `evaluations` is how often the model was asked per row and background row, 0 for an explainer that reads the
    model itself.
    """

    explainer: str
    output: str
    values: Array
    base: float
    outputs: Array
    background: int
    evaluations: int = 0

    @property
    def error(self) -> float:
        """The largest absolute violation of additivity over the rows."""
        return float(abs(self.values.sum(axis=1) + self.base - self.outputs).max())


@dataclass(frozen=True)
class Question:
    """What to explain: the answer of `model` for the `positive` class on `rows`, against `background`."""

    model: LoadedModel
    positive: Scalar | tuple[Scalar, ...]
    encoding: Encoding
    background: Array
    rows: Array

    def frame(self, matrix: Array) -> pd.DataFrame:
        return self.encoding.frame(matrix)


def _import_shap() -> Any:
    """SHAP without its just-in-time compiler, which costs five seconds to speed up loops that take one.

    From Python 3.12 on its lock is of a version that has none.
    """
    if find_spec("numba") is None:
        import shap

        return shap
    from numba import config

    before = vars(config)["DISABLE_JIT"]
    vars(config)["DISABLE_JIT"] = 1
    try:
        import shap
    finally:
        vars(config)["DISABLE_JIT"] = before
    return shap


def explain(question: Question, advance: Advance) -> Explanation:
    """The SHAP values of every row of the question; `advance` is told of rows done.

    LinearExplainer and TreeExplainer (exact, Lundberg & Lee 2017; Lundberg et al. 2020) are used where their result
    adds up to the model's output; everything else is asked as a black box. Raises EvaluationError when the model
    itself fails.
    """
    import numpy as np

    for attempt in (_linear, _tree):
        found = attempt(question)
        if found is not None and found.error <= TOLERANCE * max(1.0, np.ptp(found.outputs)):
            advance(len(question.rows))
            return found
    return _agnostic(question, advance)


def _linear(question: Question) -> Explanation | None:
    """Binary linear classifiers on numbers: SHAP values of the decision function."""
    raw = question.model.raw
    if not (question.encoding.numeric and hasattr(raw, "decision_function") and hasattr(raw, "coef_")):
        return None
    shap = _import_shap()

    classes = [value.item() if hasattr(value, "item") else value for value in raw.classes_]
    if len(classes) != 2 or raw.coef_.size != question.rows.shape[1]:
        return None
    sign = 1.0 if class_index(classes, question.positive) == 1 else -1.0
    masker = shap.maskers.Independent(question.background, max_samples=len(question.background))
    explainer = shap.LinearExplainer(raw, masker)
    with _model(question):
        outputs = sign * raw.decision_function(question.frame(question.rows))
    base = sign * float(explainer.expected_value)
    values = sign * explainer(question.rows).values
    return Explanation("LinearExplainer", _unit(question, outputs), values, base, outputs, len(question.background))


def _unit(question: Question, decisions: Array) -> str:
    """Decisions are log-odds when the logistic function turns them into the model's own probabilities."""
    import numpy as np

    if not question.model.classes:
        return "decision function"
    with np.errstate(over="ignore"):
        logistic = 1.0 / (1.0 + np.exp(-decisions))
    _, probability = black_box(question)
    return "log-odds" if np.allclose(logistic, probability(question.rows), atol=1e-9) else "decision function"


def _tree(question: Question) -> Explanation | None:
    """Tree ensembles on numbers: SHAP values of the probability, interventional on the background."""
    model = question.model
    if not (question.encoding.numeric and model.classes):
        return None
    shap = _import_shap()

    if not shap.TreeExplainer.supports_model_with_masker(model.raw, None):
        return None
    index = class_index(model.classes, question.positive)
    try:
        explainer = shap.TreeExplainer(model.raw, data=question.background, feature_perturbation="interventional",
                                       model_output="probability")  # fmt: skip
        found = explainer(question.rows, check_additivity=False)
    # The border to SHAP: of a tree model that it half supports it says so by many exceptions; the black box remains.
    except Exception:
        return None
    values, base = found.values, found.base_values
    if values.ndim == 3:
        values, base = values[:, :, index], base[:, index]
    elif index == 0:
        values, base = -values, 1.0 - base
    _, probability = black_box(question)
    return Explanation("TreeExplainer", "probability", values, float(base.flat[0]), probability(question.rows),
                       len(question.background))  # fmt: skip


def _agnostic(question: Question, advance: Advance) -> Explanation:
    """ExactExplainer where there are few subsets of features, PermutationExplainer otherwise."""
    import numpy as np

    shap = _import_shap()

    unit, answer = black_box(question)
    features = question.rows.shape[1]
    background = question.background[:_AGNOSTIC_BACKGROUND]
    masker = shap.maskers.Independent(background, max_samples=len(background))
    evaluations = _PERMUTATIONS * (2 * features + 1)
    exact = features <= _EXACT_FEATURES
    values, base = [], 0.0
    with _seeded():
        if exact:
            evaluations = 2**features
            explainer = shap.ExactExplainer(answer, masker)
        else:
            explainer = shap.PermutationExplainer(answer, masker, seed=SEED)
        # One row per call: from the second row of a call on, SHAP 0.51 also computes main effects nobody asked for.
        for row in question.rows:
            found = explainer(row[None, :], max_evals=evaluations, silent=True)
            values.append(found.values)
            base = float(np.asarray(found.base_values).flat[0])
            advance(1)
    name = "ExactExplainer" if exact else "PermutationExplainer"
    return Explanation(name, unit, np.concatenate(values), base, answer(question.rows), len(background), evaluations)


def black_box(question: Question) -> tuple[str, Callable[[Array], Array]]:
    """The unit and the function from a matrix of rows to the answer that is explained, shape (rows,)."""
    model, raw = question.model, question.model.raw
    if model.classes:
        index = class_index(model.classes, question.positive)
        unit, ask = "probability", lambda frame: raw.predict_proba(frame)[:, index]
    elif hasattr(raw, "_pmf_predict"):
        # fairlearn's randomised classifiers: the probability with which they draw the positive class.
        index = class_index((0, 1), question.positive)
        unit, ask = "probability of a positive prediction", lambda frame: raw._pmf_predict(frame)[:, index]
    else:
        unit, ask = "positive prediction (0 or 1)", lambda frame: _is_positive(model, frame, question.positive)

    def answer(matrix: Array) -> Array:
        import numpy as np

        with _model(question):
            return np.asarray(ask(question.frame(matrix)), dtype=float)  # type: ignore[no-untyped-call]

    return unit, answer


def _is_positive(model: LoadedModel, frame: pd.DataFrame, positive: Scalar | tuple[Scalar, ...]) -> Array:
    import numpy as np

    wanted = positive if isinstance(positive, tuple) else (positive,)
    named = set(map(str, wanted))
    labels, _ = model.predict(frame, positive)
    return np.array([label in wanted or str(label) in named for label in labels.tolist()], dtype=float)


def _model(question: Question) -> Any:
    return model_code(f"the model {question.model.uri!r} cannot predict on the rows to be explained",
                      "check the model's signature against the table")  # fmt: skip


@contextmanager
def _seeded() -> Iterator[None]:
    """SHAP seeds numpy's global generator; the caller's state is given back."""
    import numpy as np

    state = np.random.get_state()
    np.random.seed(SEED)
    try:
        yield
    finally:
        np.random.set_state(state)
