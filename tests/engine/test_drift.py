from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import pytest

from ml_compliance.engine.drift import Drift, compare
from ml_compliance.engine.tables import connect


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    opened = connect()
    yield opened
    opened.disconnect()


def drift(connection: Any, here: dict[str, Any], there: dict[str, Any], **options: Any) -> Drift:
    import pyarrow as pa

    tables = [
        connection.create_table(name, pa.table(columns), overwrite=True, temp=True)
        for name, columns in (("here", here), ("there", there))
    ]
    return compare(*tables, **{"tolerance": 0.05, "limit": 50, **options})


def found(connection: Any, here: dict[str, Any], there: dict[str, Any], **options: Any) -> list[Any]:
    return [(item.kind, item.column, item.rows) for item in drift(connection, here, there, **options).anomalies]


def test_the_same_table_has_no_drift(connection: Any) -> None:
    columns = {"a": [1, 2, None], "b": [math.nan, 0.0, 1.0], "c": ["x", None, "y"], "d": [True, False, None]}
    assert found(connection, columns, columns) == []


def test_missing_and_new_columns(connection: Any) -> None:
    assert found(connection, {"a": [1], "new": [1]}, {"a": [1], "old": [1]}) == [
        ("missing_column", "old", None),
        ("new_column", "new", None),
    ]


def test_a_reference_needs_no_outputs_of_the_model_and_no_ids(connection: Any) -> None:
    here = {"a": [1, 1], "y": [0, 1], "p": [0, 1], "row": ["r1", "r2"]}
    assert found(connection, here, {"a": [1, 1]}, outputs=["y", "p"], identifiers=["row"]) == []


def test_ids_are_new_in_every_table(connection: Any) -> None:
    assert found(connection, {"row": [100, 101]}, {"row": [1, 2]}, identifiers=["row"]) == []


@pytest.mark.parametrize(
    ("here", "there", "detail"),
    [
        (["1"], [1], "text here, whole number in the reference"),
        ([1.5], [1], "number here, whole number in the reference"),
        ([True], [1], "true/false here, whole number in the reference"),
        ([dt.date(2026, 1, 1)], ["2026-01-01"], "date here, text in the reference"),
        ([1], [1.0], None),
    ],
)
def test_retyped(connection: Any, here: list[Any], there: list[Any], detail: str | None) -> None:
    anomalies = drift(connection, {"a": here}, {"a": there}, tolerance=1.0).anomalies
    assert [(item.kind, item.detail) for item in anomalies] == ([("retyped_column", detail)] if detail else [])


def test_a_column_without_values_has_no_type(connection: Any) -> None:
    import pyarrow as pa

    assert found(connection, {"a": pa.array([None], pa.string())}, {"a": [1]}, tolerance=1.0) == []


def test_a_new_category_tells_the_value_and_its_rows(connection: Any) -> None:
    (anomaly,) = drift(connection, {"c": ["x", "z", "z", "y"]}, {"c": ["x", "y", "x", "y"]}).anomalies
    assert (anomaly.kind, anomaly.detail, anomaly.rows) == ("new_category", "z (2 rows) is not in the reference", 2)


def test_many_new_categories_are_summed_up_and_long_ones_cut(connection: Any) -> None:
    new = [f"{letter}{'-' * 100}" for letter in "bcdefgh"]
    (anomaly,) = drift(connection, {"c": ["a", *new]}, {"c": ["a"]}).anomalies
    assert anomaly.rows == 7
    assert "and 2 more (7 rows) are not in the reference" in anomaly.detail
    assert len(anomaly.detail) < 5 * 45 + 60


def test_codes_are_categories_and_quantities_are_ranges(connection: Any) -> None:
    codes, amounts = [1, 2, 9] * 20, list(range(0, 300, 5))
    here = {"code": [1, 5, *codes[2:]], "amount": [7, 400, *amounts[2:]]}
    assert found(connection, here, {"code": codes, "amount": amounts}) == [
        ("new_category", "code", 1),
        ("out_of_range", "amount", 1),
    ]


def test_names_of_people_are_no_categories(connection: Any) -> None:
    names = [f"n{index}" for index in range(40)]
    result = drift(connection, {"name": [*names[:-1], "stranger"]}, {"name": names})
    assert (result.anomalies, result.many_valued) == ((), ("name",))


def test_more_categories_than_the_limit_are_not_compared(connection: Any) -> None:
    there = [f"c{index}" for index in range(12)] * 5
    assert found(connection, {"c": ["new"]}, {"c": there}, limit=12) == [("new_category", "c", 1)]
    assert found(connection, {"c": ["new"]}, {"c": there}, limit=11) == []


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1.1, -0.1])
def test_out_of_range(connection: Any, value: float) -> None:
    (anomaly,) = drift(connection, {"x": [0.5, value]}, {"x": [0.0, 1.0]}).anomalies
    assert (anomaly.kind, anomaly.rows) == ("out_of_range", 1)
    assert anomaly.detail.startswith("1 row outside 0 to 1 of the reference; here ")


@pytest.mark.parametrize(("nulls", "expected"), [(5, []), (6, [("missing_values", "x", 6)])])
def test_missing_values_beyond_the_tolerance(connection: Any, nulls: int, expected: list[Any]) -> None:
    here = {"x": [None] * nulls + [1] * (100 - nulls)}
    assert found(connection, here, {"x": [1] * 100}, tolerance=0.05) == expected


def test_nan_is_missing_and_an_anomaly_of_its_own(connection: Any) -> None:
    assert found(connection, {"x": [math.nan, 1.0]}, {"x": [1.0, 1.0]}) == [
        ("missing_values", "x", 1),
        ("nan_values", "x", 1),
    ]
    assert found(connection, {"x": [math.nan, 1.0]}, {"x": [math.nan, 1.0]}) == []


def test_boolean_is_always_a_category(connection: Any) -> None:
    assert found(connection, {"b": [True, False]}, {"b": [True, True]}) == [("new_category", "b", 1)]
