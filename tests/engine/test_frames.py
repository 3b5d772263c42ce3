"""Types on the way to the model: what is lossless happens, what is not is refused."""

from __future__ import annotations

import decimal
from typing import Any

import pyarrow as pa
import pytest

from ml_compliance.engine.frames import model_frame
from ml_compliance.engine.models import Feature
from ml_compliance.errors import UsageError


def converted(values: list[Any], kind: str, stored: pa.DataType | None = None) -> Any:
    return model_frame(pa.table({"x": pa.array(values, stored)}), [Feature("x", kind)])["x"]


@pytest.mark.parametrize(
    ("values", "kind", "dtype"),
    [
        ([1, 2], "double", "float64"),
        ([1, None], "double", "float64"),
        ([1.0, 2.0], "float", "float32"),
        ([1.0, 2.0], "long", "int64"),
        ([1, None], "long", "float64"),
        ([1, 2], "integer", "int32"),
        ([True, None], "double", "float64"),
        ([0, 1], "boolean", "bool"),
        ([decimal.Decimal("1.5"), None], "double", "float64"),
        ([None, None], "double", "float64"),
    ],
)
def test_lossless_conversions(values: list[Any], kind: str, dtype: str) -> None:
    column = converted(values, kind)
    assert column.dtype == dtype
    assert column.notna().tolist() == [value is not None for value in values]
    assert column.dropna().tolist() == [value for value in values if value is not None]


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1.5], "long"), ([2**40], "integer"), ([1, 2], "boolean"), (["1"], "double"), ([1], "string"),
     (["a"], "boolean")],
)  # fmt: skip
def test_what_would_change_a_value_is_refused_by_name(values: list[Any], kind: str) -> None:
    with pytest.raises(UsageError, match="the column 'x'"):
        converted(values, kind)


def test_columns_that_the_signature_does_not_name_stay_as_they_are() -> None:
    frame = model_frame(pa.table({"x": [1, 2], "t": ["a", None]}), [])
    assert frame["x"].dtype == "int64"
    assert frame["t"].tolist()[0] == "a"
