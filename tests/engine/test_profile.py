from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_compliance.engine import profile
from ml_compliance.engine.judged import judge_table
from ml_compliance.engine.tables import connect, open_table
from ml_compliance.errors import EvaluationError
from ml_compliance.facts import Column


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    opened = connect()
    yield opened
    opened.disconnect()


def table(connection: Any, **columns: Any) -> Any:
    return connection.create_table("t", pa.table(columns), overwrite=True, temp=True)


def test_counts_nulls_and_nans_apart_and_leaves_them_out_of_the_range(connection: Any) -> None:
    found = profile.profile(table(connection, x=[1.5, None, math.nan, -2.0], t=["a", None, None, "b"]))
    assert found["x"] == profile.Column("x", "number", 4, nulls=1, nans=1, low=-2.0, high=1.5)
    assert (found["x"].missing_share, found["x"].values) == (0.5, 2)
    assert (found["t"].nulls, found["t"].distinct, found["t"].low) == (2, 2, None)


def test_a_column_without_values_has_no_range(connection: Any) -> None:
    import pyarrow as pa

    nothing = {"x": pa.array([None, None], pa.float64()), "n": pa.array([None, None], pa.int8())}
    found = profile.profile(table(connection, **nothing))
    assert (found["x"].low, found["x"].missing_share) == (None, 1.0)
    assert (found["n"].kind, found["n"].high) == ("whole number", None)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.floats(allow_infinity=False, width=32), min_size=1, max_size=30))
def test_numbers_are_as_python_counts_them(connection: Any, values: list[float | None]) -> None:
    import pyarrow as pa

    column = profile.profile(table(connection, x=pa.array(values, pa.float64())))["x"]
    real = [value for value in values if value is not None and not math.isnan(value)]
    assert (column.nulls, column.rows, column.values) == (values.count(None), len(values), len(real))
    assert (column.low, column.high) == ((min(real), max(real)) if real else (None, None))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.sampled_from(["a", "b", "C", "", "d'\"", "é"]), min_size=1), st.sets(st.text()))
def test_unseen_is_what_is_not_known(connection: Any, values: list[str | None], known: set[str]) -> None:
    import pyarrow as pa

    found = profile.unseen(table(connection, x=pa.array(values, pa.string())), {"x": {*known, "a"}}, 2)
    new = [value for value in values if value is not None and value not in known | {"a"}]
    assert ("x" in found) == bool(new)
    if new:
        assert (found["x"].rows, found["x"].values) == (len(new), len(set(new)))
        assert found["x"].examples == tuple(sorted(set(new), key=lambda value: (-new.count(value), value.encode())))[:2]


def test_unseen_keeps_columns_apart(connection: Any) -> None:
    found = profile.unseen(table(connection, x=["a", "b"], y=["b", "a"]), {"x": {"a"}, "y": {"a", "b"}}, 5)
    assert found == {"x": profile.Unseen(1, 1, ("b",))}


def test_outside_counts_neither_nan_nor_null(connection: Any) -> None:
    found = profile.outside(table(connection, x=[0.0, 1.0, 1.1, math.nan, None, -9.0]), {"x": (0.0, 1.0)})
    assert found == {"x": 2}


def test_a_hundred_columns_are_one_query(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = table(connection, **{f"c{index}": [1.0, 2.0] for index in range(100)})
    executed: list[Any] = []
    original = type(connection).to_pyarrow

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        executed.append(args)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(type(connection), "to_pyarrow", counted)
    assert len(profile.profile(wide)) == 100
    assert len(executed) == 1


@pytest.mark.parametrize(
    ("value", "text"), [(3.0, "3"), (-0.5, "-0.5"), (1e300, "1e+300"), (math.inf, "inf"), (1 / 3, "0.333333")]
)
def test_numbers_for_people(value: float, text: str) -> None:
    assert profile.number(value) == text


def test_nan_is_found_in_a_file_whose_statistics_leave_it_out(tmp_path: Path) -> None:
    """As PyArrow writes them: least and greatest value of a column are those of what is not NaN."""
    pq.write_table(pa.table({"a": [0.25, math.nan, 0.75]}), tmp_path / "t.parquet")
    written = open_table(connect(), tmp_path, "t.parquet")
    column = profile.profile(written)["a"]
    assert (column.nans, column.low, column.high) == (1, 0.25, 0.75)
    assert written.filter(written.a.isnan()).count().to_pyarrow().as_py() == 1
    both = written.mutate(y=ibis.row_number() % 2, p=ibis.row_number() % 2)
    with pytest.raises(EvaluationError, match=r"1 row has no score \(the first is row 2\)"):
        judge_table(both, "t", Column("y"), Column("p"), "a", ())
