from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ml_compliance.engine.expectations import Expectation, Outcome, _outcome, run
from ml_compliance.engine.tables import connect, open_table
from ml_compliance.engine.validator import validate
from ml_compliance.errors import UsageError

ROWS = 400


@pytest.fixture(scope="module")
def frame() -> Any:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "row": np.arange(ROWS),
            "age": rng.integers(0, 80, ROWS),
            "score": np.where(rng.random(ROWS) < 0.1, np.nan, rng.normal(50, 10, ROWS)),
            "colour": rng.choice(np.array(["red", "green", "Blue_1", None]), ROWS, p=[0.4, 0.3, 0.25, 0.05]),
            "code": [f"id{index % 390}" for index in range(ROWS)],
            "flag": rng.integers(0, 2, ROWS).astype(bool),
            "x": np.where(rng.random(ROWS) < 0.05, np.nan, rng.integers(0, 30, ROWS)),
            "y": rng.integers(0, 30, ROWS),
            "z": rng.integers(0, 30, ROWS),
            "order": rng.integers(0, 9, ROWS),
        }
    )


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    opened = connect()
    yield opened
    opened.disconnect()


@pytest.fixture(scope="module")
def table(connection: Any, frame: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("data") / "table.parquet"
    frame.to_parquet(path)
    return open_table(connection, path.parent, path.name)


def one(connection: Any, table: Any, kind: str, row_id: str | None = None, **kwargs: Any) -> Outcome:
    (outcome,) = run(connection, table, row_id, [Expectation(kind, kwargs, "suite.json: expectations[0]")])
    return outcome


def on_pandas(frame: Any, expectation: Expectation) -> Outcome:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from great_expectations.core.batch import Batch
        from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
        from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
        from great_expectations.validator.validator import Validator

        silent: Any = SimpleNamespace(progress_bars={"globally": False})
        validator = Validator(PandasExecutionEngine(), batches=[Batch(data=frame)], data_context=silent)
        configuration = ExpectationConfiguration(type=expectation.type, kwargs=dict(expectation.kwargs))
        (result,) = validate(validator, [configuration], {"result_format": "BASIC", "partial_unexpected_count": 0})
        return _outcome(expectation, result, list(frame.columns))


QUANTILES = {"quantiles": [0.1, 0.5, 0.9], "value_ranges": [[30, 40], [49, 51], [60, 70]]}
PARTITION = {"values": [True, False], "weights": [0.5, 0.5]}
PARITY: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_values_to_not_be_null", {"column": "score"}),
    ("expect_column_values_to_not_be_null", {"column": "colour", "mostly": 0.9}),
    ("expect_column_values_to_be_null", {"column": "score"}),
    ("expect_column_values_to_be_between", {"column": "score", "min_value": 40, "max_value": 60}),
    ("expect_column_values_to_be_between", {"column": "score", "min_value": 40, "max_value": 60, "mostly": 0.6}),
    ("expect_column_values_to_be_between", {"column": "age", "min_value": 4, "strict_min": True}),
    ("expect_column_values_to_be_between", {"column": "order", "max_value": 7}),
    ("expect_column_values_to_be_between", {"column": "score", "min_value": 40, "row_condition": 'col("y") == 1',
                                            "condition_parser": "great_expectations"}),
    ("expect_column_values_to_be_in_set", {"column": "colour", "value_set": ["red", "green"]}),
    ("expect_column_values_to_be_in_set", {"column": "flag", "value_set": [True]}),
    ("expect_column_values_to_not_be_in_set", {"column": "colour", "value_set": ["red"]}),
    ("expect_column_values_to_be_unique", {"column": "code"}),
    ("expect_column_values_to_be_unique", {"column": "row"}),
    ("expect_column_values_to_match_regex", {"column": "colour", "regex": "re"}),
    ("expect_column_values_to_match_regex", {"column": "colour", "regex": "^[a-z]+$"}),
    ("expect_column_values_to_not_match_regex", {"column": "colour", "regex": "re"}),
    ("expect_column_values_to_match_regex_list", {"column": "colour", "regex_list": ["^r", "_1$"]}),
    ("expect_column_values_to_match_regex_list", {"column": "colour", "regex_list": ["e", "d$"], "match_on": "all"}),
    ("expect_column_values_to_not_match_regex_list", {"column": "colour", "regex_list": ["^r", "_1$"]}),
    ("expect_column_value_lengths_to_be_between", {"column": "colour", "min_value": 4, "max_value": 5}),
    ("expect_column_value_lengths_to_equal", {"column": "colour", "value": 3}),
    ("expect_column_value_z_scores_to_be_less_than", {"column": "score", "threshold": 2, "double_sided": True}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "x", "column_B": "y", "or_equal": True,
                                                          "ignore_row_if": "either_value_is_missing"}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "y", "column_B": "z"}),
    ("expect_column_pair_values_to_be_equal", {"column_A": "x", "column_B": "y"}),
    ("expect_column_pair_values_to_be_in_set", {"column_A": "y", "column_B": "z", "value_pairs_set": [[0, 0], [1, 1]]}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["x", "y"]}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["x", "y"], "ignore_row_if": "any_value_is_missing"}),
    ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["x", "y"]}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["y", "z"], "sum_total": 30}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["x", "z"], "sum_total": 30,
                                         "ignore_row_if": "any_value_is_missing"}),
    ("expect_multicolumn_values_to_be_equal", {"column_list": ["y", "z"]}),
    ("expect_column_distinct_values_to_be_in_set", {"column": "colour", "value_set": ["red", "green"]}),
    ("expect_column_distinct_values_to_contain_set", {"column": "colour", "value_set": ["red", "green"]}),
    ("expect_column_distinct_values_to_equal_set", {"column": "order", "value_set": list(range(9))}),
    ("expect_column_most_common_value_to_be_in_set", {"column": "colour", "value_set": ["red"]}),
    ("expect_column_min_to_be_between", {"column": "score", "min_value": 0, "max_value": 60}),
    ("expect_column_max_to_be_between", {"column": "score", "min_value": 0, "max_value": 60}),
    ("expect_column_mean_to_be_between", {"column": "score", "min_value": 51, "max_value": 60}),
    ("expect_column_median_to_be_between", {"column": "score", "min_value": 51, "max_value": 60}),
    ("expect_column_stdev_to_be_between", {"column": "score", "min_value": 9, "max_value": 11}),
    ("expect_column_sum_to_be_between", {"column": "score", "min_value": 9, "max_value": 11}),
    ("expect_column_quantile_values_to_be_between", {"column": "score", "quantile_ranges": QUANTILES}),
    ("expect_column_kl_divergence_to_be_less_than", {"column": "flag", "threshold": 0.1,
                                                     "partition_object": PARTITION}),
    ("expect_column_proportion_of_unique_values_to_be_between", {"column": "code", "min_value": 0.9}),
    ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "score", "min_value": 0.95}),
    ("expect_column_unique_value_count_to_be_between", {"column": "code", "min_value": 390, "max_value": 390}),
    ("expect_column_values_to_be_of_type", {"column": "age", "type_": "int64"}),
    ("expect_column_values_to_be_of_type", {"column": "score", "type_": "float64"}),
    ("expect_column_values_to_be_of_type", {"column": "flag", "type_": "int64"}),
    ("expect_column_values_to_be_in_type_list", {"column": "age", "type_list": ["float64", "int64"]}),
    ("expect_column_to_exist", {"column": "age", "column_index": 1}),
    ("expect_column_to_exist", {"column": "nowhere"}),
    ("expect_table_column_count_to_be_between", {"min_value": 3, "max_value": 20}),
    ("expect_table_column_count_to_equal", {"value": 10}),
    ("expect_table_columns_to_match_set", {"column_set": ["age", "nowhere"]}),
    ("expect_table_columns_to_match_ordered_list", {"column_list": ["age", "row"]}),
    ("expect_table_row_count_to_be_between", {"min_value": 3, "max_value": 20}),
    ("expect_table_row_count_to_equal", {"value": ROWS}),
]  # fmt: skip


def test_the_answers_are_those_of_great_expectations_on_pandas(connection: Any, table: Any, frame: Any) -> None:
    expectations = [Expectation(kind, kwargs, "") for kind, kwargs in PARITY]
    together = run(connection, table, "row", expectations)
    for ours in together:
        theirs = on_pandas(frame, ours.expectation)
        assert theirs.success is not None, (ours.expectation, theirs.reason)
        counts = [(o.success, o.element_count, o.unexpected_count) for o in (ours, theirs)]
        assert counts[0] == counts[1], ours
        assert ours.unexpected_percent == pytest.approx(theirs.unexpected_percent), ours
        if not isinstance(ours.observed, str):
            assert ours.observed == pytest.approx(theirs.observed), ours
    # Example rows come with every failure that is about rows, and are rows that fail on their own.
    for ours in together:
        wanted = ours.success is False and ours.unexpected_count and "distinct" not in ours.expectation.type
        assert bool(ours.examples) == bool(wanted), ours
        assert len(ours.examples) <= 5


@pytest.mark.parametrize(("kind", "kwargs"), [
    ("expect_column_values_to_be_between", {"column": "score", "min_value": 40, "max_value": 60}),
    ("expect_column_values_to_match_regex", {"column": "colour", "regex": "^[a-z]+$"}),
    ("expect_column_pair_values_to_be_equal", {"column_A": "y", "column_B": "z"}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["order", "y"]}),
])  # fmt: skip
def test_example_rows_are_the_first_that_pandas_would_name(
    connection: Any, table: Any, frame: Any, kind: str, kwargs: dict[str, Any]
) -> None:
    bad = {
        "score": frame.row[frame.score.notna() & ~frame.score.between(40, 60)],
        "colour": frame.row[frame.colour.notna() & (frame.colour == "Blue_1")],
    }
    wanted = bad.get(kwargs.get("column", ""))
    if kind.startswith("expect_column_pair"):
        wanted = frame.row[frame.y != frame.z]
    if kind.startswith("expect_compound"):
        wanted = frame.row[frame.duplicated(["order", "y"], keep=False)]
    assert wanted is not None
    assert one(connection, table, kind, "row", **kwargs).examples == tuple(map(str, wanted[:5]))
    assert one(connection, table, kind, **kwargs).examples == tuple(str(row + 1) for row in wanted[:5])


@pytest.mark.parametrize(("column", "type_", "success"), [
    ("age", "BIGINT", True), ("age", "INTEGER", False), ("age", "INT", True), ("score", "DOUBLE", True),
    ("score", "float", True), ("colour", "VARCHAR", True), ("colour", "object", True), ("colour", "DATE", False),
    ("flag", "BOOLEAN", True), ("age", "no_type_at_all", False),
])  # fmt: skip
def test_types_go_by_names_of_duckdb_sql_and_pandas(
    connection: Any, table: Any, column: str, type_: str, success: bool
) -> None:
    outcome = one(connection, table, "expect_column_values_to_be_of_type", column=column, type_=type_)
    assert outcome.success is success
    assert isinstance(outcome.observed, str)


def test_the_row_number_is_no_column_that_an_expectation_sees(connection: Any, table: Any) -> None:
    before = connection.con.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchone()
    outcome = one(connection, table, "expect_table_column_count_to_equal", value=10)
    assert outcome.success is True
    assert connection.con.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchone() == before


def test_nan_is_missing(connection: Any, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1.5\nNaN\n2.5\n")
    outcome = one(connection, open_table(connection, tmp_path, "t.csv"),
                  "expect_column_values_to_not_be_null", column="a")  # fmt: skip
    assert (outcome.success, outcome.unexpected_count, outcome.examples) == (False, 1, ("2",))


def test_one_that_cannot_be_evaluated_leaves_the_others_alone(connection: Any, table: Any) -> None:
    outcomes = run(connection, table, None, [
        Expectation("expect_column_mean_to_be_between", {"column": "age", "min_value": 0}, ""),
        Expectation("expect_column_mean_to_be_between", {"column": "colour", "min_value": 0}, ""),
        Expectation("expect_column_mean_to_be_between", {"column": "agee", "min_value": 0}, ""),
        Expectation("expect_column_values_to_match_regex", {"column": "colour", "regex": "("}, ""),
        Expectation("expect_column_max_to_be_between", {"column": "age", "max_value": 10}, ""),
    ])  # fmt: skip
    assert [outcome.success for outcome in outcomes] == [True, None, None, None, False]
    assert "VARCHAR" in outcomes[1].reason
    assert outcomes[2].reason == "the table has no column 'agee' (the nearest is 'age')"
    assert "missing )" in outcomes[3].reason


def test_the_reason_quotes_no_value(connection: Any, table: Any) -> None:
    outcome = one(connection, table, "expect_column_values_to_be_in_set", column="code", value_set=[1])
    assert outcome.success is None
    assert "id0" not in outcome.reason
    assert "Could not convert" in outcome.reason


@pytest.mark.parametrize(("kind", "kwargs"), [
    ("expect_multicolumn_sum_to_equal", {"column_list": ["x", "y"], "sum_total": 3}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "x", "column_B": "y"}),
    ("expect_column_pair_values_to_be_in_set", {"column_A": "x", "column_B": "y", "value_pairs_set": [[1, 1]]}),
])  # fmt: skip
def test_where_missing_values_count_otherwise_than_in_pandas_nothing_is_said(
    connection: Any, table: Any, kind: str, kwargs: dict[str, Any]
) -> None:
    outcome = one(connection, table, kind, **kwargs)
    assert outcome.success is None
    assert "x or y is missing in some rows" in outcome.reason
    assert "value_is_missing" in outcome.reason


def test_counting_neither_sorts_rows_nor_asks_for_values(
    connection: Any, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ml_compliance.engine import scratch

    asked: list[tuple[str, list[Any]]] = []
    execute = scratch.execute

    def listening(raw: Any, statement: str, parameters: Any = ()) -> Any:
        asked.append((statement, list(parameters)))
        return execute(raw, statement, parameters)

    monkeypatch.setattr(scratch, "execute", listening)
    outcomes = run(connection, table, None, [
        Expectation("expect_column_values_to_be_unique", {"column": "row"}, ""),
        Expectation("expect_column_values_to_be_between", {"column": "age", "min_value": 0}, ""),
        Expectation("expect_column_pair_values_a_to_be_greater_than_b",
                    {"column_A": "y", "column_B": "z", "mostly": 0.1}, ""),
        Expectation("expect_compound_columns_to_be_unique", {"column_list": ["row", "y"]}, ""),
    ])  # fmt: skip
    assert [outcome.success for outcome in outcomes] == [True] * 4
    assert len(asked) > 3
    assert [statement for statement, _ in asked if "OVER (" in statement or "LIMIT" in statement] == []


@pytest.mark.parametrize("condition", [None, 'col("y") < 15'])
def test_rows_that_repeat_are_counted_as_in_pandas(connection: Any, table: Any, frame: Any, condition: Any) -> None:
    kept = frame[frame.y < 15] if condition else frame
    extra = {"row_condition": condition, "condition_parser": "great_expectations"} if condition else {}
    one_column = one(connection, table, "expect_column_values_to_be_unique", "row", column="x", **extra)
    some = kept[kept.x.notna()]
    assert one_column.unexpected_count == some.x.duplicated(keep=False).sum() > 0
    assert set(one_column.examples) <= set(map(str, some.row[some.x.duplicated(keep=False)]))
    several = one(connection, table, "expect_compound_columns_to_be_unique", "row", column_list=["x", "order"], **extra)
    assert several.unexpected_count == kept.duplicated(["x", "order"], keep=False).sum() > 0


def test_what_is_observed_is_no_text_of_a_row(connection: Any, table: Any) -> None:
    highest = one(connection, table, "expect_column_distinct_values_to_be_in_set", column="colour", value_set=["red"])
    assert highest.success is False
    assert highest.observed is None


@pytest.mark.parametrize(("kind", "kwargs", "message", "remedy"), [
    ("expect_column_values_to_not_be_nul", {"column": "age"}, "has no expectation called",
     "the nearest is expect_column_values_to_not_be_null"),
    ("expect_column_values_to_be_between", {"column": "age", "minimum": 1}, "minimum: extra fields not permitted", ""),
    ("expect_column_values_to_be_between", {"min_value": 1}, "column: field required", ""),
    ("expect_column_values_to_be_between", {"column": "age"}, "min_value and max_value cannot both be None", ""),
    ("expect_column_values_to_be_increasing", {"column": "age"}, "in SQL", "leave it out"),
])  # fmt: skip
def test_what_is_no_expectation_names_its_entry(
    connection: Any, table: Any, kind: str, kwargs: dict[str, Any], message: str, remedy: str
) -> None:
    with pytest.raises(UsageError) as caught:
        one(connection, table, kind, **kwargs)
    assert caught.value.where == "suite.json: expectations[0]"
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_the_process_is_left_as_it_was(
    connection: Any, table: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GX_ANALYTICS_ENABLED", "mine")
    logger = logging.getLogger("great_expectations")
    before = (dict(os.environ), logger.level, warnings.filters[:])
    threads = connection.con.execute("SELECT current_setting('threads')").fetchone()
    one(connection, table, "expect_column_mean_to_be_between", column="colour", min_value=1)
    one(connection, table, "expect_column_values_to_be_between", column="age", min_value=10)
    assert (dict(os.environ), logger.level, warnings.filters[:]) == before
    assert connection.con.execute("SELECT current_setting('threads')").fetchone() == threads
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_great_expectations_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, ml_compliance.measure.data; print([m for m in sys.modules if m.split('.')[0] in %r])"
    heavy = ("great_expectations", "pandas", "numpy", "ibis", "duckdb", "sqlalchemy", "pydantic")
    done = subprocess.run([sys.executable, "-c", code % (heavy,)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_nothing_is_printed_when_the_program_ends(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n2\n")
    (tmp_path / "program.py").write_text(
        "from pathlib import Path\n"
        "from ml_compliance.engine.expectations import Expectation, run\n"
        "from ml_compliance.engine.tables import connect, open_table\n"
        "def main():\n"
        "    connection = connect()\n"
        "    table = open_table(connection, Path(), 't.csv')\n"
        "    expected = Expectation('expect_column_values_to_be_between', {'column': 'a', 'min_value': 2}, '')\n"
        "    print(run(connection, table, None, [expected])[0].examples)\n"
        "main()\n"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-W", "ignore", "program.py"], cwd=tmp_path, capture_output=True, text=True,
                          check=True, env=environment)  # fmt: skip
    assert (done.stdout, done.stderr) == ("('1',)\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["program.py", "t.csv"]
