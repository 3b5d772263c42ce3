"""Great Expectations on DuckDB, as the gate runs it, against Great Expectations on pandas; reading the file included.

Both evaluate the same expectations on the same file, CSV and Parquet, and their results must be equal: success, counts,
percentages and what was observed. Ours also finds example rows of what failed; the peer has its default result format.
The floor is DuckDB hashing every value of the file. Both sides have imported Great Expectations before.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import click

from benchmarks import harness

ROWS = 10_000_000
PEERS = ("great_expectations",)
FORMATS = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet"}
COLUMNS = ("id", "age", "income", "debt", "score", "state", "email", "label")
# Some incomes are missing, some ages impossible, some debts above the income, some emails none, each at its own rate.
TABLE = """
COPY (
    SELECT i AS id,
           CASE WHEN hash(2 * i) % 10000 = 0 THEN 200 ELSE 18 + (hash(3 * i) % 70)::int END AS age,
           CASE WHEN hash(5 * i) % 1000 = 0 THEN NULL ELSE (hash(7 * i) % 9000000) / 100 END AS income,
           (hash(11 * i) % 100000) / 100 AS debt,
           hash(13 * i) / 18446744073709551616.0 AS score,
           ['CA', 'NY', 'TX', 'WA', 'OR'][(1 + hash(17 * i) % 5)::int] AS state,
           'user' || (hash(19 * i) % 1000000) || CASE WHEN hash(23 * i) % 700 = 0 THEN '' ELSE '@example.org' END
               AS email,
           (hash(29 * i) % 2)::int AS label
    FROM range(1, 1 + {rows}) AS source(i)
) TO '{path}' ({options})
"""
EXPECTATIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("expect_table_row_count_to_be_between", {"min_value": 1}),
    ("expect_table_columns_to_match_set", {"column_set": list(COLUMNS)}),
    ("expect_column_values_to_be_unique", {"column": "id"}),
    ("expect_column_values_to_not_be_null", {"column": "id"}),
    ("expect_column_values_to_not_be_null", {"column": "income"}),
    ("expect_column_values_to_be_between", {"column": "age", "min_value": 18, "max_value": 120}),
    ("expect_column_values_to_be_between", {"column": "income", "min_value": 0, "max_value": 100_000}),
    ("expect_column_values_to_be_between", {"column": "score", "min_value": 0, "max_value": 1}),
    ("expect_column_values_to_be_in_set", {"column": "label", "value_set": [0, 1]}),
    ("expect_column_values_to_be_in_set", {"column": "state", "value_set": ["CA", "NY", "TX", "WA"], "mostly": 0.7}),
    ("expect_column_distinct_values_to_be_in_set", {"column": "state", "value_set": ["CA", "NY", "TX", "WA", "OR"]}),
    ("expect_column_value_lengths_to_equal", {"column": "state", "value": 2}),
    ("expect_column_values_to_match_regex", {"column": "email", "regex": "^[a-z0-9]+@[a-z]+[.][a-z]+$"}),
    ("expect_column_mean_to_be_between", {"column": "income", "min_value": 40_000, "max_value": 50_000}),
    ("expect_column_stdev_to_be_between", {"column": "score", "min_value": 0.2, "max_value": 0.4}),
    ("expect_column_max_to_be_between", {"column": "age", "max_value": 120}),
    ("expect_column_pair_values_a_to_be_greater_than_b",
     {"column_A": "income", "column_B": "debt", "ignore_row_if": "either_value_is_missing"}),
)  # fmt: skip


def write(path: Path, rows: int) -> None:
    """The table, in the format that the file's name says."""
    import duckdb

    with duckdb.connect(config={"memory_limit": "1GB", "preserve_insertion_order": False}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(TABLE.format(rows=rows, path=path, options=FORMATS[path.suffix[1:]]))


def ours(path: str) -> Callable[[], Any]:
    """The measurement `data` on a new context."""
    from ml_compliance.context import Context
    from ml_compliance.engine.validator import quiet
    from ml_compliance.facts import Data, Facts
    from ml_compliance.measure import data

    file = Path(path)
    facts = Facts("benchmark", Data(file.name, "label"))
    settings = data.Settings(expectations=tuple({"type": kind, "kwargs": kwargs} for kind, kwargs in EXPECTATIONS))

    def run() -> Any:
        context = Context(facts, None, file.parent, file.parent)
        found = data.measure(context, settings)
        context.close()
        if found.status != "measured":
            raise SystemExit(found.reason)
        suites: Any = found.facts["suites"]
        return suites[0]["expectations"]

    with quiet():
        return run


def pandas(path: str) -> Callable[[], Any]:
    """Great Expectations as its own documentation shows it for a pandas DataFrame."""
    import great_expectations
    import pandas as pd
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    read = pd.read_csv if path.endswith(".csv") else pd.read_parquet
    configurations = [
        ExpectationConfiguration(type=kind, kwargs=dict(kwargs), meta={"place": place})
        for place, (kind, kwargs) in enumerate(EXPECTATIONS)
    ]

    def run() -> Any:
        context = great_expectations.get_context(mode="ephemeral")
        context.variables.progress_bars = cast(Any, {"globally": False})
        asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("table")
        whole = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": read(path)})
        suite = great_expectations.ExpectationSuite("suite", expectations=configurations)
        validated: Any = whole.validate(context.suites.add(suite))
        found = validated.to_json_dict()["results"]
        # A suite does not keep the order in which it was written.
        found.sort(key=lambda one: one["expectation_config"]["meta"]["place"])
        names = ("element_count", "unexpected_count", "unexpected_percent")
        return [
            {"type": one["expectation_config"]["type"], "success": one["success"],
             "observed": one["result"].get("observed_value"), **{name: one["result"].get(name) for name in names}}
            for one in found
        ]  # fmt: skip

    return run


def differences(mine: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[str]:
    """In which expectations the two differ, apart from what we do not pass on: observed values that are no numbers."""
    found = []
    for (kind, _), one, other in zip(EXPECTATIONS, mine, theirs, strict=True):
        for key in ("type", "success", "element_count", "unexpected_count", "unexpected_percent", "observed"):
            here, there = one.get(key), other.get(key)
            if key == "observed" and not isinstance(there, int | float):
                continue
            if not (here == there or _close(here, there)):
                found.append(f"{kind}, {key}: {here} and on pandas {there}")
    return found


def _close(one: Any, other: Any) -> bool:
    """Sums of many numbers depend on the order in which they are added."""
    return isinstance(one, float) and isinstance(other, float) and math.isclose(one, other, rel_tol=1e-9)


def run(rows: int) -> Iterator[harness.Result]:
    """CSV and Parquet. Raises ClickException when the results differ from those on pandas."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in FORMATS:
            path = Path(folder) / f"table.{suffix}"
            write(path, rows)
            floor = harness.measure(harness.scan, path=str(path), columns=list(COLUMNS))
            mine, theirs = harness.measure(ours, path=str(path)), harness.measure(pandas, path=str(path))
            path.unlink()
            unequal = differences(mine.answer, theirs.answer)
            if unequal:
                raise click.ClickException("the results are not those of pandas:\n" + "\n".join(unequal))
            peer = harness.Peer("Great Expectations on pandas, with the same results", theirs)
            yield harness.result(f"validation, {len(EXPECTATIONS)} expectations, {suffix}", rows, mine, floor, peer)


if __name__ == "__main__":
    harness.main("validation")
