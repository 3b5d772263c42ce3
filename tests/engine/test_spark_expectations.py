"""Great Expectations on Spark answers as it does on DuckDB, which answers as pandas does, or refuses."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.engine.backends import connect_to, open_there
from ml_compliance.engine.expectations import Expectation, Outcome, run
from ml_compliance.engine.spark_expectations import NOT_ON_SPARK
from ml_compliance.engine.tables import connect, open_table
from ml_compliance.errors import EvaluationError, UsageError
from tests.engine.test_expectations import PARITY, frame
from tests.spark_tables import session

__all__ = ["frame"]

MORE: list[tuple[str, dict[str, Any]]] = [
    ("unexpected_rows_expectation", {"unexpected_rows_query": "SELECT * FROM {batch} WHERE age > 60"}),
    ("expect_column_values_to_be_of_type", {"column": "age", "type_": "INT"}),
    ("expect_column_values_to_be_of_type", {"column": "age", "type_": "INTEGER"}),
    ("expect_column_values_to_be_of_type", {"column": "score", "type_": "float"}),
    ("expect_column_values_to_be_of_type", {"column": "colour", "type_": "object"}),
    ("expect_column_values_to_be_in_type_list", {"column": "flag", "type_list": ["bool", "BIGINT"]}),
]


@pytest.fixture(scope="module")
def folder(frame: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("expectations")
    frame.to_parquet(made / "table.parquet")
    return made


@pytest.fixture(scope="module")
def table(folder: Path) -> Any:
    return open_there(session().backend, folder, "table.parquet")


def one(table: Any, kind: str, row_id: str | None = None, **kwargs: Any) -> Outcome:
    (outcome,) = run(table.get_backend(), table, row_id, [Expectation(kind, kwargs, "suite.json: expectations[0]")])
    return outcome


def test_the_answers_are_those_on_duckdb(table: Any, folder: Path, frame: Any) -> None:
    expectations = [Expectation(kind, kwargs, "") for kind, kwargs in PARITY + MORE]
    duckdb = connect()
    here = run(duckdb, open_table(duckdb, folder, "table.parquet"), "row", expectations)
    there = run(table.get_backend(), table, "row", expectations)
    for ours, theirs in zip(there, here, strict=True):
        assert theirs.success is not None
        counts = [(o.success, o.element_count, o.unexpected_count) for o in (ours, theirs)]
        assert counts[0] == counts[1], ours
        assert ours.unexpected_percent == theirs.unexpected_percent, ours
        if not isinstance(theirs.observed, str):
            assert ours.observed == (theirs.observed and pytest.approx(theirs.observed, rel=1e-12)), ours
        # Ids in the order of their length, which is that of the file here.
        assert ours.examples == theirs.examples or "unique" in ours.expectation.type, ours
        assert len(ours.examples) == len(theirs.examples), ours


def test_examples_of_what_is_not_unique_are_rows_that_repeat(table: Any, frame: Any) -> None:
    for _ in range(2):
        found = one(table, "expect_column_values_to_be_unique", "row", column="code").examples
        assert found == ("0", "1", "2", "3", "4")
    repeated = frame.row[frame.duplicated(["order", "y"], keep=False)]
    found = one(table, "expect_compound_columns_to_be_unique", "row", column_list=["order", "y"]).examples
    assert found == tuple(map(str, repeated[:5]))


def test_without_ids_rows_have_no_names(table: Any) -> None:
    outcome = one(table, "expect_column_values_to_be_between", column="score", min_value=40, max_value=60)
    assert (outcome.success, outcome.examples) == (False, ())
    assert outcome.unexpected_count


def test_what_cannot_be_evaluated_quotes_no_value(table: Any, capfd: pytest.CaptureFixture[str]) -> None:
    outcome = one(table, "expect_column_values_to_be_in_set", column="code", value_set=[1])
    assert outcome.success is None
    assert "CAST_INVALID_INPUT" in outcome.reason
    printed = capfd.readouterr()
    assert "id0" not in outcome.reason + printed.out + printed.err


def test_a_type_that_nobody_knows_is_no_answer(table: Any) -> None:
    outcome = one(table, "expect_column_values_to_be_of_type", column="age", type_="no_type_at_all")
    assert (outcome.success, outcome.reason) == (None, "No recognized spark types in expected_types_list")


@pytest.mark.parametrize(("kind", "remedy"), [*NOT_ON_SPARK.items(), ("expect_column_values_to_be_increasing", "")])
def test_what_spark_lacks_is_refused_with_a_way_out(kind: str, remedy: str, table: Any) -> None:
    with pytest.raises(UsageError) as caught:
        one(table, kind, column="age")
    assert caught.value.message == f"{kind} cannot be evaluated where the data lies, on Spark"
    assert remedy in caught.value.remedy
    assert caught.value.where == "suite.json: expectations[0]"


def test_missing_values_count_as_on_duckdb(table: Any) -> None:
    outcome = one(table, "expect_multicolumn_sum_to_equal", column_list=["x", "y"], sum_total=3)
    assert (outcome.success, "x or y is missing" in outcome.reason) == (None, True)


def test_other_backends_have_no_expectations(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "t.db") as database:
        database.execute("CREATE TABLE t AS SELECT 1 AS age")
    database.close()
    link = connect_to(f"sqlite://{tmp_path}/t.db")
    try:
        with pytest.raises(EvaluationError, match="expectations run on DuckDB and Spark; the table is in sqlite"):
            one(open_there(link.backend, tmp_path, "t"), "expect_column_to_exist", column="age")
    finally:
        link.close()


def test_a_file_of_duckdb_is_read_and_not_written_to(tmp_path: Path) -> None:
    import duckdb

    with duckdb.connect(tmp_path / "t.duckdb") as made:
        made.execute("CREATE TABLE t AS SELECT 1 AS age")
    link = connect_to(f"duckdb://{tmp_path}/t.duckdb?read_only=True")
    try:
        assert one(open_there(link.backend, tmp_path, "t"), "expect_column_to_exist", column="age").success is True
    finally:
        link.close()
