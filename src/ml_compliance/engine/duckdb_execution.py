"""Great Expectations' SQL engine, without two things that DuckDB would have to sort or scan a large table for."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from great_expectations.core.metric_function_types import MetricFunctionTypes
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.column_map_metrics.column_values_unique import ColumnValuesUnique
from great_expectations.expectations.metrics.multicolumn_map_metrics.compound_columns_unique import (
    CompoundColumnsUnique,
)
from great_expectations.expectations.registry import register_metric
from great_expectations.util import get_sqlalchemy_selectable


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Metrics are looked up by the name of this class first, then by that of its parent."""

    def execute_query(self, query: Any) -> Any:
        # Who asks for counts only still gets a query for unexpected values, for none of them; to answer it, DuckDB
        # scans the table.
        if isinstance(query, sa.Select) and query._limit == 0:
            return sa.IteratorResult(sa.engine.result.SimpleResultMetaData(query.selected_columns.keys()), iter(()))
        return super().execute_query(query)


def _count_repeated(
    cls: type, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, metrics: Any, **_: Any
) -> int:
    """How many rows have values that other rows have too.

    Great Expectations counts by a window, which keeps and sorts every row; groups are enough.
    """
    _condition, domain, accessor = metrics["unexpected_condition"]
    records = get_sqlalchemy_selectable(execution_engine.get_domain_records(domain_kwargs={**domain, **accessor}))
    columns: list[sa.ColumnClause[Any]] = [
        sa.column(name) for name in accessor.get("column_list") or [accessor["column"]]
    ]
    groups = sa.select(sa.func.count().label("rows")).select_from(records).group_by(*columns)
    if "column" in accessor:
        groups = groups.where(columns[0].is_not(None))
    repeated = groups.having(sa.func.count() > 1).subquery()
    return int(execution_engine.execute_query(sa.select(sa.func.sum(repeated.c.rows))).scalar() or 0)


for metric in (ColumnValuesUnique, CompoundColumnsUnique):
    register_metric(
        metric_name=f"{metric.condition_metric_name}.unexpected_count",
        metric_domain_keys=metric.condition_domain_keys,
        metric_value_keys=metric.condition_value_keys,
        execution_engine=DuckDBExecutionEngine,
        metric_class=metric,
        metric_provider=_count_repeated,
        metric_fn_type=MetricFunctionTypes.VALUE,
    )
