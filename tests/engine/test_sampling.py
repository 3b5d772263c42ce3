"""The sample depends on the rows and not on their order, and is uniform enough to trust."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_compliance.engine.sampling import ROW, sample
from ml_compliance.engine.tables import connect, open_table

pytestmark = pytest.mark.filterwarnings("ignore:fetch_:DeprecationWarning")


def drawn(frame: pd.DataFrame, rows: int, salt: str = "s", id_column: str | None = "id") -> dict[str, list[Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        frame.to_parquet(path)
        return dict(sample(open_table(connect(), path.parent, path.name), ["x"], rows, salt, id_column).to_pydict())


def ids(frame: pd.DataFrame, rows: int, salt: str = "s") -> list[str]:
    return drawn(frame, rows, salt)[ROW]


def test_the_order_of_the_rows_does_not_matter() -> None:
    frame = pd.DataFrame({"id": range(1000), "x": 1.0})
    assert ids(frame, 50) == ids(frame.sample(frac=1, random_state=0), 50)


def test_salts_give_different_samples() -> None:
    frame = pd.DataFrame({"id": range(1000), "x": 1.0})
    assert set(ids(frame, 50)) != set(ids(frame, 50, "other"))


def test_without_an_id_rows_are_counted_from_one() -> None:
    found = drawn(pd.DataFrame({"x": [5.0, 6.0, 7.0]}), 10, id_column=None)
    assert dict(zip(found[ROW], found["x"], strict=True)) == {"1": 5.0, "2": 6.0, "3": 7.0}


def test_the_sample_is_spread_over_the_table() -> None:
    frame = pd.DataFrame({"id": range(10_000), "x": 1.0})
    mean = sum(map(int, ids(frame, 400))) / 400
    # The standard error of the mean of 400 uniform numbers below 10,000 is 144.
    assert mean == pytest.approx(5000, abs=5 * 144)
