"""Great Expectations over a Spark DataFrame: the same expectations as on DuckDB, with the same names of types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import ibis.expr.types as ir

NOT_ON_SPARK = {
    "expect_column_values_to_match_like_pattern": "use expect_column_values_to_match_regex",
    "expect_column_values_to_match_like_pattern_list": "use expect_column_values_to_match_regex_list",
    "expect_column_values_to_not_match_like_pattern": "use expect_column_values_to_not_match_regex",
    "expect_column_values_to_not_match_like_pattern_list": "use expect_column_values_to_not_match_regex_list",
    "expect_column_type_to_be": "use expect_column_values_to_be_of_type",
}
"""Types that the Spark engine of Great Expectations lacks, or answers otherwise than DuckDB; and what to use."""

_WHOLE = ("ByteType", "ShortType", "IntegerType", "LongType")
_SMALL = ("ByteType", "ShortType")
_TIMES = ("TimestampType", "TimestampNTZType")
# What a suite may call a type, in DuckDB, in SQL or in pandas, and what Spark calls it.
_TYPES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("BOOLEAN", "BOOL", "bool", "boolean"), ("BooleanType",)),
    **dict.fromkeys(("TINYINT", "SMALLINT", "int8", "int16"), _SMALL),
    **dict.fromkeys(("INTEGER", "int32"), ("IntegerType",)),
    **dict.fromkeys(("BIGINT", "int64"), ("LongType",)),
    **dict.fromkeys(("INT", "int"), _WHOLE),
    **dict.fromkeys(("FLOAT", "REAL", "float32"), ("FloatType",)),
    **dict.fromkeys(("DOUBLE", "DOUBLE_PRECISION", "float64"), ("DoubleType",)),
    "float": ("FloatType", "DoubleType"),
    **dict.fromkeys(("DECIMAL", "NUMERIC"), ("DecimalType",)),
    **dict.fromkeys(("VARCHAR", "TEXT", "STRING", "object", "str", "string"), ("StringType",)),
    "BLOB": ("BinaryType",),
    "DATE": ("DateType",),
    **dict.fromkeys(("TIMESTAMP", "DATETIME", "datetime64[ns]"), _TIMES),
}


def in_types_of_spark(kind: str, kwargs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The expectation as Spark understands it: an expected type may be one of several there."""
    names = {"expect_column_values_to_be_of_type": "type_", "expect_column_values_to_be_in_type_list": "type_list"}
    told = kwargs.get(names.get(kind, ""))
    if told is None:
        return kind, dict(kwargs)
    wanted = [name for one in ([told] if isinstance(told, str) else told) for name in _TYPES.get(one, (one,))]
    rest = {name: value for name, value in kwargs.items() if name != names[kind]}
    return "expect_column_values_to_be_in_type_list", {**rest, "type_list": wanted}


def engine_and_data(table: ir.Table) -> tuple[Any, Any]:
    """The execution engine of Great Expectations for `table`, and its data."""
    from great_expectations.execution_engine.sparkdf_batch_data import SparkDFBatchData
    from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine

    from ml_compliance.engine import spark

    frame = spark.frame(table)
    execution = SparkDFExecutionEngine(spark=frame.sparkSession, persist=False)
    return execution, cast(Any, SparkDFBatchData)(execution, frame)
