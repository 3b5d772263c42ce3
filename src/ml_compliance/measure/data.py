"""Whether the data is fit: Great Expectations, and schema drift against a reference table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.drift import Drift, compare
from ml_compliance.engine.expectations import Outcome, run
from ml_compliance.errors import UsageError
from ml_compliance.measure._digests import file_digest
from ml_compliance.measure._suites import Suite, read_entries, read_suite
from ml_compliance.model import Evidence, Json, Measurement

if TYPE_CHECKING:
    from ml_compliance.context import Context


@dataclass(frozen=True)
class Settings:
    """What is expected of the evaluation table."""

    __pydantic_config__ = {"extra": "forbid", "use_attribute_docstrings": True}  # noqa: RUF012

    suites: tuple[str, ...] = ()
    """Great Expectations suite files (JSON), relative to this file."""
    expectations: tuple[dict[str, Any], ...] = ()
    """Expectations: `{type: NAME, kwargs: {…}}`, or in short `{NAME: {…}}`."""
    missing_tolerance: float = 0.05
    """How far the share of missing values in a column may exceed the reference's, between 0 and 1."""
    categories: int = 50
    """New values are looked for in columns of at most so many distinct values in the reference."""


def measure(context: Context, settings: Settings) -> Evidence:
    """Evaluate the expectations on the evaluation table and compare its columns with the reference's.

    Expectations that cannot be evaluated make the evidence's status `error`; the others are still counted. Raises
    UsageError when a suite cannot be read or an expectation is none.
    """
    if not 0 <= settings.missing_tolerance <= 1:
        raise UsageError(f"missing_tolerance is {settings.missing_tolerance}", where="compliance.yaml: measure.data",
                         remedy="write a share between 0 and 1")  # fmt: skip
    if settings.categories < 1:
        raise UsageError(f"categories is {settings.categories}", where="compliance.yaml: measure.data",
                         remedy="write a whole number from 1 on")  # fmt: skip
    suites = [read_suite(context.path(written), written) for written in settings.suites]
    if settings.expectations:
        inline = read_entries(settings.expectations, "compliance.yaml", "measure.data.expectations")
        suites.append(Suite("inline", inline))
    expected = any(suite.expectations for suite in suites)
    if not expected and not context.facts.data.reference:
        return Evidence("data", "missing", reason=_NOTHING)
    measurements: list[Measurement] = []
    facts: dict[str, Json] = {}
    errors: list[str] = []
    if expected:
        outcomes = _validate(context, suites)
        measurements += _counts([outcome for suite in outcomes for outcome in suite])
        facts["suites"] = [_suite_fact(suite, found) for suite, found in zip(suites, outcomes, strict=True)]
        errors = [f"{o.expectation.type}: {o.reason}" for suite in outcomes for o in suite if o.success is None]
    if context.reference is not None:
        drift = _drift(context, settings)
        measurements.append(_anomalies(drift, settings))
        facts["schema_drift"] = [
            {"kind": item.kind, "column": item.column, "detail": item.detail, **_known({"rows": item.rows})}
            for item in drift.anomalies
        ]
    return Evidence(
        "data",
        "error" if errors else "measured",
        tuple(measurements),
        facts=facts,
        files=tuple(file_digest(context.path(written), written) for written in dict.fromkeys(settings.suites)),
        rows=int(context.evaluation.count().to_pyarrow().as_py()),
        reason=f"{len(errors)} could not be evaluated: {'; '.join(errors)}" if errors else "",
    )


_NOTHING = (
    "nothing is expected of the data: name suites or expectations under measure.data, or a reference table under "
    "data.reference, in compliance.yaml"
)


def _validate(context: Context, suites: list[Suite]) -> list[list[Outcome]]:
    every = [expectation for suite in suites for expectation in suite.expectations]
    row_id = context.facts.data.id
    if row_id and row_id not in context.evaluation.columns:
        raise UsageError(f"{context.facts.data.evaluation} has no column {row_id!r}", where="compliance.yaml: data.id",
                         remedy="name the column of row ids, or leave data.id out")  # fmt: skip
    with context.progress("data: expectations", None):
        outcomes = iter(run(context.evaluation.get_backend(), context.evaluation, row_id, every))
    return [[next(outcomes) for _ in suite.expectations] for suite in suites]


def _counts(outcomes: list[Outcome]) -> list[Measurement]:
    evaluated = [outcome for outcome in outcomes if outcome.success is not None]
    failed = sum(outcome.success is False for outcome in evaluated)
    return [
        Measurement("data/expectations", float(len(evaluated)), n=len(outcomes)),
        Measurement("data/failed_expectations", float(failed), n=len(evaluated)),
    ]


def _suite_fact(suite: Suite, outcomes: list[Outcome]) -> dict[str, Json]:
    return {
        "name": suite.name,
        "evaluated": sum(outcome.success is not None for outcome in outcomes),
        "failed": sum(outcome.success is False for outcome in outcomes),
        "errors": sum(outcome.success is None for outcome in outcomes),
        "expectations": [_expectation_fact(outcome) for outcome in outcomes],
    }


def _expectation_fact(outcome: Outcome) -> dict[str, Json]:
    kwargs = dict(outcome.expectation.kwargs)
    column = kwargs.pop("column", None)
    return {
        "type": outcome.expectation.type,
        **_known({"column": column, "status": "error" if outcome.success is None else None}),
        "kwargs": _plain(kwargs),
        "success": outcome.success,
        **_known({
            "element_count": outcome.element_count,
            "unexpected_count": outcome.unexpected_count,
            "unexpected_percent": outcome.unexpected_percent,
            "observed": outcome.observed,
            "reason": outcome.reason or None,
        }),
        "examples": list(outcome.examples),
    }  # fmt: skip


def _drift(context: Context, settings: Settings) -> Drift:
    data = context.facts.data
    names = [column if isinstance(column, str) or column is None else column.column for column in
             (data.label, data.prediction, data.score)]  # fmt: skip
    with context.progress("data: schema drift", None):
        return compare(
            context.evaluation,
            context.reference,
            tolerance=settings.missing_tolerance,
            limit=settings.categories,
            identifiers=[data.id] if data.id else [],
            outputs=[name for name in names if name],
        )


def _anomalies(drift: Drift, settings: Settings) -> Measurement:
    method: dict[str, Json] = {
        "reference_rows": drift.reference_rows,
        "missing_tolerance": settings.missing_tolerance,
        "categories": settings.categories,
        "values_not_compared": list(drift.many_valued),
    }
    return Measurement("data/schema_anomalies", float(len(drift.anomalies)), n=len(drift.compared), method=method)


def _known(facts: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in facts.items() if value is not None}


def _plain(value: Any) -> Json:
    """`value` as JSON has it: dates that YAML made become text again."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)
