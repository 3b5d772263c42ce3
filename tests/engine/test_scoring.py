"""Batch scoring: the same answers as in one go, whole files or none, and errors that name rows and columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_compliance.engine.models import Feature, LoadedModel, load
from ml_compliance.engine.scoring import PREDICTION, SCORE, score
from ml_compliance.engine.tables import connect
from ml_compliance.errors import EvaluationError, UsageError
from tests.mlflow_store import rows, store

pytestmark = pytest.mark.filterwarnings("ignore:fetch_:DeprecationWarning")


class Steps:
    """Progress that counts."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0

    @contextmanager
    def __call__(self, description: str, total: int | None) -> Iterator[Any]:
        self.total = total
        yield self.advance

    def advance(self, steps: int) -> None:
        self.done += steps


def scored(name: str, frame: pd.DataFrame, tmp_path: Path, positive: Any = 1, batch_rows: int = 50_000) -> pd.DataFrame:
    model = load(f"models:/{name}/1", store().uri, Path())
    frame.to_parquet(tmp_path / "in.parquet")
    table = connect().read_parquet(tmp_path / "in.parquet")
    score(model, table, (), positive, tmp_path / "out.parquet", Steps(), batch_rows)
    return pd.read_parquet(tmp_path / "out.parquet")


def test_batches_give_what_one_call_gives_in_the_order_of_the_rows(tmp_path: Path) -> None:
    frame = rows(5000)
    model = load("models:/linear/1", store().uri, Path())
    frame.to_parquet(tmp_path / "in.parquet")
    table, steps = connect().read_parquet(tmp_path / "in.parquet"), Steps()
    score(model, table, (), 1, tmp_path / "out.parquet", steps, batch_rows=2048)
    found = pd.read_parquet(tmp_path / "out.parquet")
    labels, scores = model.predict(frame[["a", "b", "c"]].astype(float), 1)
    assert list(found.columns) == [*frame.columns, PREDICTION, SCORE]
    assert (found["a"] == frame["a"]).all()
    assert (found[PREDICTION] == labels).all()
    assert found[SCORE].to_numpy() == pytest.approx(scores)
    assert (steps.total, steps.done) == (5000, 5000)
    # The connection is free for the next query.
    assert table.count().to_pyarrow().as_py() == 5000


def test_text_classes_are_kept(tmp_path: Path) -> None:
    assert set(scored("words", rows(), tmp_path, "approve")[PREDICTION]) == {"approve", "refuse"}


def test_a_model_without_scores_has_no_score_column(tmp_path: Path) -> None:
    assert SCORE not in scored("labels", rows(), tmp_path).columns


def test_a_pipeline_sees_categories(tmp_path: Path) -> None:
    assert scored("pipeline", rows(), tmp_path)[SCORE].between(0, 1).all()


def test_absent_columns_are_named_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the model reads a, c, which the table does not have"):
        scored("linear", rows()[["b", "y"]], tmp_path)


def test_a_reserved_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=PREDICTION):
        scored("linear", rows().assign(**{PREDICTION: 1}), tmp_path)


def test_a_model_that_raises_names_cause_and_rows_and_leaves_no_file(tmp_path: Path) -> None:
    frame = rows(5000)
    frame["a"] = 0.0
    frame.loc[4000, "a"] = 3.0
    with pytest.raises(EvaluationError, match=r"ZeroDivisionError: a feature was zero \(rows 2049 to 4096\)"):
        scored("raises", frame, tmp_path, batch_rows=2048)
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_another_number_of_rows_cannot_be_evaluated(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="answered 300 rows with 299 predictions"):
        scored("short", rows(), tmp_path)


def test_a_missing_prediction_cannot_be_evaluated(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"no class \(NaN\) for 1 of 300 rows"):
        scored("blank", rows(), tmp_path)


def test_a_folder_that_is_not_there_is_the_users_error(tmp_path: Path) -> None:
    model = load("models:/linear/1", store().uri, Path())
    rows().to_parquet(tmp_path / "in.parquet")
    table = connect().read_parquet(tmp_path / "in.parquet")
    with pytest.raises(UsageError, match="cannot be written"):
        score(model, table, (), 1, tmp_path / "none" / "out.parquet", Steps())


def test_a_table_without_rows_cannot_be_evaluated(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no rows"):
        scored("linear", rows().head(0), tmp_path)


class Probabilities:
    """A stand-in for an estimator whose probabilities are wrong."""

    classes_ = np.array([0, 1])

    def __init__(self, value: float) -> None:
        self.value = value

    def predict(self, frame: Any) -> Any:
        return np.zeros(len(frame), dtype=int)

    def predict_proba(self, frame: Any) -> Any:
        return np.full((len(frame), 2), self.value)


@pytest.mark.parametrize("value", [float("nan"), 1.5, -0.1])
def test_scores_outside_zero_and_one_cannot_be_evaluated(value: float) -> None:
    source = load("models:/linear/1", store().uri, Path()).source
    model = LoadedModel("models:/wrong/1", "sklearn", source, (Feature("a"),))
    vars(model)["raw"] = Probabilities(value)
    with pytest.raises(EvaluationError, match=r"2 of 2 rows a probability that is not in \[0, 1\]"):
        model.predict(pd.DataFrame({"a": [1.0, 2.0]}), 1)
