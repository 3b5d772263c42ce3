"""Runs Great Expectations on a table where it lies, in DuckDB or on Spark; no row is copied.

NaN counts as missing, as it does in Great Expectations on pandas.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.checks import has_order
from ml_compliance.engine.scratch import frugal
from ml_compliance.engine.spark_expectations import NOT_ON_SPARK, in_types_of_spark
from ml_compliance.engine.validator import batch, exception, in_row_order, quiet, unexpected_rows, validate
from ml_compliance.errors import UsageError
from ml_compliance.model import Json

if TYPE_CHECKING:
    import ibis.expr.types as ir

EXAMPLES = 5
_ROW = "ml_compliance_row"
_BASIC = {"result_format": "BASIC", "partial_unexpected_count": 0}
_ABOUT_TYPES = (
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
    "expect_column_type_to_be",
)
# Where comparing with a missing value is an unexpected row in pandas and none in SQL, unless such rows are ignored.
_UNLIKE_PANDAS = {
    "expect_column_pair_values_a_to_be_greater_than_b": "either_value_is_missing",
    "expect_column_pair_values_to_be_in_set": "either_value_is_missing",
    "expect_multicolumn_sum_to_equal": "any_value_is_missing",
}
_NOT_IN_SQL = {
    "expect_column_values_to_be_dateutil_parseable": "expect a date format by expect_column_values_to_match_regex",
    "expect_column_values_to_match_strftime_format": "expect it by expect_column_values_to_match_regex",
    "expect_column_values_to_be_json_parseable": "check it where the data is made, and leave it out here",
    "expect_column_values_to_match_json_schema": "check it where the data is made, and leave it out here",
    "expect_column_values_to_be_increasing": "leave it out: rows of a table have no order to rely on",
    "expect_column_values_to_be_decreasing": "leave it out: rows of a table have no order to rely on",
    "expect_column_values_to_not_be_outliers": "use expect_column_value_z_scores_to_be_less_than",
    "expect_query_results_to_match_comparison": "leave it out: there is one table here",
    "expect_table_row_count_to_equal_other_table": "use expect_table_row_count_to_equal",
}


@dataclass(frozen=True)
class Expectation:
    """One expectation as its author wrote it; `where` names the file and entry for messages."""

    type: str
    kwargs: Mapping[str, Any]
    where: str


@dataclass(frozen=True)
class Outcome:
    """What became of an expectation. `success` is None when it could not be evaluated, and `reason` says why.

    `unexpected_percent` is in percent of the rows that are not missing; `examples` are ids of unexpected rows.
    """

    expectation: Expectation
    success: bool | None
    element_count: int | None = None
    unexpected_count: int | None = None
    unexpected_percent: float | None = None
    observed: Json = None
    examples: tuple[str, ...] = ()
    reason: str = ""


def run(
    connection: Any, table: ir.Table, row_id: str | None, expectations: Sequence[Expectation]
) -> tuple[Outcome, ...]:
    """Evaluate `expectations` on `table`, in order. `row_id` is the column of ids, None for the row's number from 1.

    Where rows have no order, examples come in that of their ids, and there are none without ids. Raises UsageError for
    a type that does not exist, arguments that it does not take, and a type that cannot be evaluated where the table
    lies, EvaluationError when that is neither in DuckDB nor on Spark.
    """
    with quiet(), frugal(connection):
        configurations = [_configuration(expectation, connection.name) for expectation in expectations]
        outcomes: list[Outcome] = []
        whole = _without_nan(table)
        with batch(connection, whole) as validator:
            for expectation, result in zip(expectations, validate(validator, configurations, _BASIC), strict=True):
                outcomes.append(_undefined(expectation, whole) or _outcome(expectation, result, table.columns))
        failed = [i for i, outcome in enumerate(outcomes) if outcome.success is False and outcome.unexpected_count]
        if failed and (row_id or has_order(whole)):
            numbered = _with_row(whole, row_id)
            examples = {i: _repeated(expectations[i], numbered) for i in failed}
            others = [i for i, rows in examples.items() if rows is None]
            with batch(connection, numbered) as validator, in_row_order(connection):
                found = unexpected_rows(validator, [configurations[i] for i in others], _ROW, EXAMPLES)
            for i, rows in (examples | dict(zip(others, found, strict=True))).items():
                outcomes[i] = replace(outcomes[i], examples=tuple(rows or ()))
    return tuple(outcomes)


def _configuration(expectation: Expectation, engine: str) -> Any:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    types = list_registered_expectation_implementations()
    if expectation.type not in types:
        nearest = difflib.get_close_matches(expectation.type, types, n=1, cutoff=0.4)
        raise UsageError(
            f"Great Expectations has no expectation called {expectation.type!r}", where=expectation.where,
            remedy=f"the nearest is {nearest[0]}" if nearest else "see greatexpectations.io/expectations",
        )  # fmt: skip
    refused, place = (_NOT_IN_SQL | NOT_ON_SPARK, "on Spark") if engine == "pyspark" else (_NOT_IN_SQL, "in SQL")
    if expectation.type in refused:
        raise UsageError(f"{expectation.type} cannot be evaluated where the data lies, {place}",
                         where=expectation.where, remedy=refused[expectation.type])  # fmt: skip
    kind, kwargs = expectation.type, dict(expectation.kwargs)
    if engine == "pyspark":
        kind, kwargs = in_types_of_spark(kind, kwargs)
    configuration = ExpectationConfiguration(type=kind, kwargs=kwargs)
    try:
        configuration.to_domain_obj()
    # The border to Great Expectations, which raises kinds of two pydantic versions, TypeErrors and its own here.
    except Exception as error:
        raise UsageError(f"{expectation.type}: {_faults(error)}", where=expectation.where,
                         remedy="put its arguments right") from error  # fmt: skip
    return configuration


def _faults(error: Exception) -> str:
    """The faults of a pydantic ValidationError, argument by argument; the text of any other error."""
    if not hasattr(error, "errors"):
        return _first_line(str(error))
    faults: dict[str, str] = {}
    for fault in error.errors():
        argument = str(fault["loc"][0]) if fault["loc"] else "__root__"
        faults.setdefault(argument, str(fault["msg"]))
    whole = faults.pop("__root__", "")
    return "; ".join(f"{name}: {text}" for name, text in faults.items()) or whole


def _undefined(expectation: Expectation, table: ir.Table) -> Outcome | None:
    """The outcome, if missing values would give it another answer in SQL than in pandas: fewer unexpected rows."""
    import ibis

    ignoring = _UNLIKE_PANDAS.get(expectation.type)
    columns = [column for column in _columns(expectation) if column in table.columns]
    if ignoring is None or not columns or expectation.kwargs.get("ignore_row_if") == ignoring:
        return None
    missing = ibis.or_(*(table[column].isnull() for column in columns)).any()
    if not table.aggregate(missing=missing).to_pyarrow()["missing"][0].as_py():
        return None
    reason = f"{' or '.join(columns)} is missing in some rows: expect that not to be, or say ignore_row_if: {ignoring}"
    return Outcome(expectation, None, reason=reason)


def _outcome(expectation: Expectation, result: Any, columns: Sequence[str]) -> Outcome:
    reason = _first_line(str(result)) if isinstance(result, Exception) else exception(result)
    if reason:
        absent = [column for column in _columns(expectation) if column not in columns]
        return Outcome(expectation, None, reason=_absent(absent, columns) if absent else _first_line(reason))
    found = result.result
    return Outcome(
        expectation,
        bool(result.success),
        element_count=found.get("element_count"),
        unexpected_count=found.get("unexpected_count"),
        unexpected_percent=_finite(found.get("unexpected_percent")),
        observed=_observed(expectation.type, found.get("observed_value")),
    )


def _columns(expectation: Expectation) -> list[str]:
    kwargs = expectation.kwargs
    single = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    return [str(column) for column in (*single, *kwargs.get("column_list", ()))]


def _absent(absent: Sequence[str], columns: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(absent[0], columns, n=1)
    hint = f" (the nearest is {nearest[0]!r})" if nearest else ""
    return f"the table has no column {', '.join(map(repr, absent))}{hint}"


def _observed(kind: str, value: Any) -> Json:
    """What was observed, where it is a number or names a type: other text may be values of rows."""
    if isinstance(value, str) and kind in _ABOUT_TYPES:
        return value
    return _finite(value)


def _finite(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, Integral) else float(value)


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # What DuckDB could not convert is quoted, and may be the value of a row.
    return re.sub(r"(string|value) '[^']*'", r"\1 '…'", lines[0])[:300] if lines else "no reason was given"


def _repeated(expectation: Expectation, table: ir.Table) -> list[str] | None:
    """Example rows for the uniqueness of one or several columns, the first of them; None for other expectations.

    Great Expectations names none for several columns in SQL, and for one column not the first.
    """
    import ibis

    columns = expectation.kwargs.get("column_list", ())
    if expectation.type == "expect_column_values_to_be_unique":
        columns = (expectation.kwargs["column"],)
    elif expectation.type != "expect_compound_columns_to_be_unique":
        return None
    if "row_condition" in expectation.kwargs:
        return None
    missing = [table[column].isnull() for column in columns]
    some, every = ibis.or_(*missing), ibis.and_(*missing)
    choices = {"never": ibis.literal(False), "any_value_is_missing": some}
    kept = table.filter(~choices.get(str(expectation.kwargs.get("ignore_row_if")), every))
    kept = kept.select(row=kept[_ROW], **{f"key{place}": kept[column] for place, column in enumerate(columns)})
    keys = [f"key{place}" for place in range(len(columns))]
    groups = kept.group_by(keys).having(ibis._.count() > 1).agg(rows=ibis._.count())
    repeated = kept.semi_join(groups, [kept[key].identical_to(groups[key]) for key in keys])
    # The shortest first, so that numbers come in their order.
    ordered = repeated.order_by(repeated.row.length(), repeated.row).limit(EXAMPLES)
    return list(ordered.to_pyarrow()["row"].to_pylist())


def _without_nan(table: ir.Table) -> ir.Table:
    import ibis

    floats = [name for name, kind in table.schema().items() if kind.is_floating()]
    return table.mutate(**{name: table[name].isnan().ifelse(ibis.null(), table[name]) for name in floats})


def _with_row(table: ir.Table, row_id: str | None) -> ir.Table:
    import ibis

    row = table[row_id] if row_id else ibis.row_number() + 1
    numbered = table.mutate(**{_ROW: row.cast("string")})
    # The shortest first, so that numbers come in their order.
    return numbered if has_order(table) else numbered.order_by(numbered[_ROW].length(), _ROW)
