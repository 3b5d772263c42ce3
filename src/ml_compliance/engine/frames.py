"""From Arrow to the pandas frame that a model expects: types follow its signature, and nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.models import Feature
from ml_compliance.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_FLOATS = {"double": "float64", "float": "float32"}
_INTEGERS = {"long": "int64", "integer": "int32"}


def model_frame(table: pa.Table, signature: Sequence[Feature]) -> pd.DataFrame:
    """The columns of `table` as plain numpy columns of the types in `signature` (columns not in it stay as read).

    Integers with nulls become floats with NaN; decimals become floats; 0 and 1 become booleans where the model
    wants them. Raises UsageError, naming the column, where a value would change its meaning.
    """
    kinds = {feature.name: feature.type for feature in signature}
    frame = table.to_pandas(date_as_object=False)
    for name in table.column_names:
        frame[name] = _converted(frame[name], table.schema.field(name).type, kinds.get(name, ""), name)
    return frame


def _converted(column: pd.Series[Any], stored: pa.DataType, kind: str, name: str) -> pd.Series[Any]:
    import pyarrow as pa

    number = pa.types.is_integer(stored) or pa.types.is_floating(stored) or pa.types.is_boolean(stored)
    if pa.types.is_decimal(stored) or (pa.types.is_null(stored) and kind in _FLOATS):
        column, number = column.astype("float64"), True
    if kind in _FLOATS and number:
        return column.astype(_FLOATS[kind])
    if kind in _INTEGERS and number:
        return _integers(column, kind, name)
    if kind == "boolean" and number:
        return _booleans(column, name)
    if (kind == "string" and number) or (kind in (*_FLOATS, *_INTEGERS, "boolean") and not number):
        raise UsageError(f"the column {name!r} is {stored}, the model's signature says {kind}",
                         remedy=f"store the column as {kind}, as it was when the model was trained")  # fmt: skip
    return column


def _integers(column: pd.Series[Any], kind: str, name: str) -> pd.Series[Any]:
    import numpy as np

    values = column.astype("float64") if column.dtype == object else column
    present = values[values.notna()]
    whole = bool((present == np.floor(present)).all()) if values.dtype.kind == "f" else True
    limits = np.iinfo(_INTEGERS[kind])
    if not whole or bool(((present < limits.min) | (present > limits.max)).any()):
        raise UsageError(f"the column {name!r} has values that are no {kind} of the model's signature",
                         remedy="round them where the data is made, or log the model with a double")  # fmt: skip
    return values.astype(_INTEGERS[kind]) if len(present) == len(values) else values


def _booleans(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    present = column[column.notna()]
    if not bool(present.isin([0, 1]).all()):
        raise UsageError(f"the column {name!r} has values other than 0 and 1, the model's signature says boolean",
                         remedy="store the column as boolean")  # fmt: skip
    return column.astype(bool) if len(present) == len(column) else column
