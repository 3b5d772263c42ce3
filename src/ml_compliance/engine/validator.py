"""Great Expectations over a table of DuckDB or Spark: no project, no copy, no network, no output."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from ml_compliance.errors import EvaluationError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

_VIEW = "ml_compliance_expectations"


@contextmanager
def batch(connection: Any, table: ir.Table) -> Iterator[Any]:
    """A Great Expectations validator over `table`, without a project: nothing is stored, nothing is sent.

    Raises EvaluationError when the table is neither DuckDB's nor Spark's.
    """
    if connection.name == "pyspark":
        from ml_compliance.engine.spark_expectations import engine_and_data

        yield _validator(*engine_and_data(table))
    elif connection.name == "duckdb":
        with _on_duckdb(connection, table) as validator:
            yield validator
    else:
        raise EvaluationError(
            f"expectations run on DuckDB and Spark; the table is in {connection.name}",
            where="compliance.yaml: measure.data",
            remedy="write the table as Parquet and leave data.backend out, or take the expectations out",
        )


def _validator(execution: Any, data: Any) -> Any:
    from great_expectations.core.batch import Batch, LegacyBatchDefinition
    from great_expectations.core.id_dict import IDDict
    from great_expectations.validator.validator import Validator

    whole = Batch(data=data, batch_definition=LegacyBatchDefinition("data", "data", "data", IDDict()))
    silent = cast(Any, SimpleNamespace(progress_bars={"globally": False}))
    return Validator(execution_engine=execution, batches=[whole], data_context=silent)


@contextmanager
def _on_duckdb(connection: Backend, table: ir.Table) -> Iterator[Any]:
    import ibis
    from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData

    from ml_compliance.engine.duckdb_dialect import DIALECT_MODULE, engine
    from ml_compliance.engine.duckdb_execution import DuckDBExecutionEngine

    # Temporary, since the table may be in a file that is not ours to write to.
    connection.raw_sql(f"CREATE OR REPLACE TEMP VIEW {_VIEW} AS {ibis.to_sql(table, dialect='duckdb')}")
    sql, link = engine(connection.con)
    try:
        execution = DuckDBExecutionEngine(engine=sql, create_temp_table=False)
        execution.dialect_module = cast(Any, DIALECT_MODULE)
        data = SqlAlchemyBatchData(execution_engine=execution, table_name=_VIEW, create_temp_table=False)
        yield _validator(execution, data)
    finally:
        link.release()
        connection.raw_sql(f"DROP VIEW IF EXISTS {_VIEW}")


def validate(validator: Any, configurations: Sequence[Any], result_format: Mapping[str, Any]) -> list[Any]:
    """A result of Great Expectations, or the exception that stopped it, for each configuration in order."""
    for index, configuration in enumerate(configurations):
        configuration.meta = {"index": index}
    settings = {"catch_exceptions": True, "result_format": dict(result_format)}
    try:
        results = validator.graph_validate(list(configurations), runtime_configuration=settings)
    # The border to Great Expectations: what it raises becomes the reason why an expectation was not evaluated.
    except Exception as error:
        if len(configurations) == 1:
            return [error]
        results = []
    if len(configurations) == 1:
        return list(results)
    good = {result.expectation_config.meta["index"]: result for result in results if not exception(result)}
    # Many expectations share one query, so that one which fails takes its neighbours with it: ask them singly.
    return [
        good[index] if index in good else validate(validator, [configuration], result_format)[0]
        for index, configuration in enumerate(configurations)
    ]


def unexpected_rows(validator: Any, configurations: Sequence[Any], column: str, limit: int) -> list[list[str]]:
    """The values of `column` in at most `limit` unexpected rows of each expectation; none where it has no such rows.

    Only that metric is computed: to validate again would compute all of them again.
    """
    how = {"result_format": {
        "result_format": "SUMMARY",
        "partial_unexpected_count": limit,
        "unexpected_index_column_names": [column],
        "exclude_unexpected_values": True,
    }}  # fmt: skip
    wanted = []
    for configuration in configurations:
        needed = configuration.to_domain_obj().get_validation_dependencies(validator.execution_engine, how)
        named = needed.metric_configurations.items()
        wanted.append([metric for name, metric in named if name.endswith(".unexpected_index_list")])
    found, _ = validator.compute_metrics([metric for metrics in wanted for metric in metrics])
    return [
        list(dict.fromkeys(str(row) for metric in metrics for row in _ids(found.get(metric.id), column)))[:limit]
        for metrics in wanted
    ]


def _ids(entries: Any, column: str) -> list[Any]:
    """The values of `column` in an index list, whose entries hold one or several of them."""
    ids = [entry[column] for entry in entries or ()]
    return [one for some in ids for one in (some if isinstance(some, list) else [some])]


def exception(result: Any) -> str:
    """What stopped the expectation of `result`, or nothing."""
    info = result.exception_info or {}
    parts = [info] if "raised_exception" in info else list(info.values())
    return next((str(part["exception_message"]) for part in parts if part.get("raised_exception", True)), "")


@contextmanager
def in_row_order(connection: Any) -> Iterator[None]:
    """One thread of DuckDB, so that the same table gives the same example rows."""
    if connection.name != "duckdb":
        yield
        return
    raw = connection.con
    threads = raw.execute("SELECT current_setting('threads')").fetchone()[0]
    raw.execute("SET threads = 1")
    try:
        yield
    finally:
        raw.execute(f"SET threads = {int(threads)}")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Great Expectations from logging, warning and phoning home while it is imported and run here."""
    logger = logging.getLogger("great_expectations")
    level, environment = logger.level, dict(os.environ)
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import great_expectations  # noqa: F401

            yield
    finally:
        logger.setLevel(level)
        for name in ("GX_ANALYTICS_ENABLED", "SF_PARTNER"):
            os.environ.pop(name, None)
            if name in environment:
                os.environ[name] = environment[name]
