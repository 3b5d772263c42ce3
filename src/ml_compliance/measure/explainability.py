"""Why the model decides as it does: SHAP importance of every feature, example rows, and a page that shows both."""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ml_compliance.errors import UsageError
from ml_compliance.model import Evidence, Interval, Json, Measurement

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.engine.models import LoadedModel
    from ml_compliance.measure._shap import Explanation, Question

PAGE = "explainability.html"

_BACKGROUND_ROWS = 100
_CONFIDENCE = 0.95
_TOP = 5
_NO_MODEL = (
    "no model is named: write model: {uri: models:/name/version} in compliance.yaml, "
    "or measure: {explainability: {report: FILE, technique: SHAP}}"
)


@dataclass(frozen=True)
class Settings:
    """How the model is explained, or where its explanation lies."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}

    sample: int = 200
    """Rows explained one by one."""
    report: str = ""
    """A report made elsewhere, instead of computing SHAP values."""
    technique: str = ""
    """The technique of that report, such as SHAP or LIME."""


def measure(context: Context, settings: Settings) -> Evidence:
    """Mean absolute SHAP value of each feature over a sample, local examples, and a page in the output folder.

    Raises UsageError for settings that contradict each other, EvaluationError when the model fails on the rows.
    """
    if settings.report:
        return _declared(context, settings)
    if settings.technique and settings.technique.upper() != "SHAP":
        raise UsageError(f"measure.explainability.technique {settings.technique} is not computed here",
                         remedy="name its report as measure.explainability.report, or leave technique out")  # fmt: skip
    if settings.sample < 1:
        raise UsageError("measure.explainability.sample is the number of rows to explain, at least 1",
                         remedy="write sample: 200, or leave it out")  # fmt: skip
    if not context.facts.model.uri:
        return Evidence("explainability", "missing", reason=_NO_MODEL)
    if context.facts.data.task != "binary":
        reason = f"only models of two classes are explained here; data.task is {context.facts.data.task}"
        return Evidence("explainability", "not_estimable", reason=reason)
    return _explained(context, settings)


def _declared(context: Context, settings: Settings) -> Evidence:
    from ml_compliance.measure._digests import file_digest

    if not settings.technique:
        raise UsageError("measure.explainability.report has no technique",
                         remedy="write technique: SHAP (or LIME, …) beside it in compliance.yaml")  # fmt: skip
    path = context.folder / settings.report
    if not path.is_file() or path.stat().st_size == 0:
        what = "is empty" if path.is_file() else "does not exist"
        raise UsageError(f"the explainability report {what}", where=settings.report,
                         remedy="correct measure.explainability.report in compliance.yaml")  # fmt: skip
    file = file_digest(path, settings.report)
    kind = path.suffix.lower().removeprefix(".")
    report = {"path": file.path, "sha256": file.sha256, "format": "html" if kind == "htm" else kind}
    return Evidence(
        "explainability",
        "declared",
        facts={"technique": settings.technique, "report": report},
        files=(file,),
        reason="a report made elsewhere; its content was not checked",
    )


def _explained(context: Context, settings: Settings) -> Evidence:
    from ml_compliance.measure._shap import explain

    model = context.model
    question, ids, background = _question(context, settings, model)
    if isinstance(question, str):
        return Evidence("explainability", "not_estimable", reason=question)
    with context.progress("explaining", len(ids)) as advance:
        explanation = explain(question, advance)
    names = tuple(question.encoding.types)
    measurements = tuple(_importance(explanation, place, name) for place, name in enumerate(names))
    facts: dict[str, Json] = {
        **_method(explanation),
        "technique": "SHAP",
        "background": {"table": background, "rows": explanation.background},
        "additivity": {"max_error": _short(explanation.error)},
        "local": _examples(question, explanation, ids),
    }
    page = _write_page(context, model, measurements, facts)
    return Evidence("explainability", "measured", measurements, {**facts, "report": page}, rows=len(ids))


def _question(context: Context, settings: Settings, model: LoadedModel) -> tuple[Question | str, list[str], str]:
    """What to explain, the ids of its rows, and the table the background is from; or why nothing can be explained."""
    import pyarrow as pa

    from ml_compliance.engine.frames import model_frame
    from ml_compliance.engine.models import feature_columns
    from ml_compliance.engine.sampling import ROW, sample
    from ml_compliance.measure._encode import encoding
    from ml_compliance.measure._shap import SEED, Question

    data = context.facts.data
    columns = feature_columns(model, context.facts.model.features, context.evaluation.columns, data.evaluation)
    rows = sample(context.evaluation, columns, settings.sample, f"explained:{SEED}", data.id)
    table, name = context.evaluation, "evaluation"
    if context.reference is not None and set(columns) <= set(context.reference.columns):
        table, name = context.reference, "reference"
    id_column = data.id if data.id in table.columns else None
    background = sample(table, columns, _BACKGROUND_ROWS, f"background:{SEED}", id_column)
    try:
        both = pa.concat_tables([rows, background], promote_options="permissive").drop_columns([ROW])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UsageError(f"the type of a feature differs from the evaluation table's: {error}",
                         where=data.reference or "", remedy="store both tables alike") from error  # fmt: skip
    frame = model_frame(both, model.signature)
    try:
        encoded = encoding(frame)
    except TypeError as error:
        return f"SHAP explains numbers and categories: {error}", [], name
    matrix = encoded.matrix(frame)
    question = Question(model, context.positive, encoded, matrix[rows.num_rows :], matrix[: rows.num_rows])
    return question, rows[ROW].to_pylist(), name


def _method(explanation: Explanation) -> dict[str, Json]:
    """All that is needed to repeat it."""
    from importlib.metadata import version

    from ml_compliance.measure._shap import SEED

    found: dict[str, Json] = {
        "explainer": explanation.explainer,
        "output": explanation.output,
        "seed": SEED,
        "shap": version("shap"),
    }
    return {**found, "evaluations": explanation.evaluations} if explanation.evaluations else found


def _importance(explanation: Explanation, place: int, name: str) -> Measurement:
    """Mean |SHAP| of one feature, with mean ± z·s/√n."""
    sizes = [abs(float(value)) for value in explanation.values[:, place]]
    mean, n = statistics.fmean(sizes), len(sizes)
    interval = None
    if n > 1:
        half = statistics.NormalDist().inv_cdf(0.5 + _CONFIDENCE / 2) * statistics.stdev(sizes) / n**0.5
        interval = Interval(_short(max(0.0, mean - half)), _short(mean + half), _CONFIDENCE, "normal, mean of rows")
    return Measurement("explainability/mean_absolute_shap", _short(mean), slice={"feature": name}, interval=interval,
                       n=n, method=_method(explanation))  # fmt: skip


def _examples(question: Question, explanation: Explanation, ids: Sequence[str]) -> list[Json]:
    """The rows with the lowest and the highest output, and the one nearest to the middle between them."""
    outputs = [float(value) for value in explanation.outputs]
    order = sorted(range(len(outputs)), key=lambda row: (outputs[row], ids[row]))
    middle = (outputs[order[0]] + outputs[order[-1]]) / 2
    nearest = min(order, key=lambda row: (abs(outputs[row] - middle), ids[row]))
    # One row may be two of them; it is then called by its extreme.
    chosen = {nearest: "middle", order[0]: "lowest", order[-1]: "highest"}
    frame = question.frame(question.rows)
    found: list[Json] = []
    for row, case in sorted(chosen.items(), key=lambda item: order.index(item[0])):
        shap = explanation.values[row]
        top = sorted(range(len(shap)), key=lambda place: (-abs(shap[place]), place))[:_TOP]
        contributions = [
            {"feature": str(frame.columns[place]), "value": _json(frame.iloc[row, place]), "shap": _short(shap[place])}
            for place in top
        ]
        found.append({"row": ids[row], "case": case, "base": _short(explanation.base), "output": _short(outputs[row]),
                      "contributions": contributions})  # fmt: skip
    return found


def _json(value: Any) -> Json:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return None if math.isnan(value) else _short(value)
    return value if isinstance(value, bool | int | str) or value is None else str(value)


def _short(value: float) -> float:
    """Ten significant digits: what is left does not depend on the order of additions inside BLAS."""
    return float(f"{value:.10g}")


def _write_page(
    context: Context, model: LoadedModel, measurements: Sequence[Measurement], facts: dict[str, Json]
) -> dict[str, Json]:
    from ml_compliance import files
    from ml_compliance.engine.registry import shown
    from ml_compliance.measure._shap_page import page

    text = page(context.facts.project, shown(model.uri), measurements, facts)
    files.write(context.out / PAGE, text)
    return {"path": PAGE, "sha256": hashlib.sha256(text.encode()).hexdigest(), "format": "html"}
