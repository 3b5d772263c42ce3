"""Batch scoring: a table of any size through a model into one Parquet file, with flat memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ml_compliance.engine.backends import stream
from ml_compliance.engine.frames import model_frame
from ml_compliance.engine.models import LoadedModel, Scalar, feature_columns
from ml_compliance.errors import EvaluationError, UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa
    import pyarrow.parquet as pq

PREDICTION = "ml_compliance_prediction"
SCORE = "ml_compliance_score"

Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]


def score(
    model: LoadedModel,
    table: ir.Table,
    features: Sequence[str],
    positive: Scalar | tuple[Scalar, ...] | None,
    target: Path,
    progress: Progress,
    batch_rows: int = 50_000,
) -> None:
    """Write `table` with the model's predictions and, where it has them, scores of the `positive` class to `target`.

    `features` name the model's columns when it does not know them itself. `progress(description, rows)` yields a
    function that is told how many rows are done. `target` appears when it is complete, or not at all. Raises
    UsageError when columns are absent, EvaluationError with the rows concerned when the model fails.
    """
    reserved = sorted({PREDICTION, SCORE} & set(table.columns))
    if reserved:
        raise UsageError(f"the table has a column {reserved[0]}, which is where predictions are put",
                         remedy="name it as data.prediction in compliance.yaml, or rename it")  # fmt: skip
    columns = feature_columns(model, features, table.columns, "data.evaluation")
    rows = int(table.count().to_pyarrow().as_py())
    if rows == 0:
        raise EvaluationError("the table has no rows to score", remedy="give it at least one row")
    with progress("scoring", rows) as advance, _replacing(target) as path, _Writer(path) as writer:
        done = 0
        for batch in stream(table, batch_rows):
            writer.write(_scored(model, batch, columns, positive, done))
            done += batch.num_rows
            advance(batch.num_rows)


def copy(table: ir.Table, target: Path, batch_rows: int = 50_000) -> None:
    """Write `table` to the Parquet file `target`, wherever it lies; it appears when it is complete, or not at all."""
    import pyarrow as pa

    with _replacing(target) as path, _Writer(path) as writer:
        for batch in stream(table, batch_rows):
            writer.write(pa.Table.from_batches([batch]))


def _scored(
    model: LoadedModel,
    batch: pa.RecordBatch,
    features: Sequence[str],
    positive: Scalar | tuple[Scalar, ...] | None,
    done: int,
) -> pa.Table:
    import pyarrow as pa

    try:
        frame = model_frame(pa.Table.from_batches([batch.select(list(features))]), model.signature)
        labels, scores = model.predict(frame, positive)
        table = pa.Table.from_batches([batch]).append_column(PREDICTION, pa.array(labels.tolist()))
    except EvaluationError as error:
        message = f"{error.message} (rows {done + 1} to {done + batch.num_rows})"
        raise EvaluationError(message, where=error.where, remedy=error.remedy) from error
    except pa.ArrowException as error:
        raise EvaluationError(f"the model {model.uri!r} predicted classes of several types: {error}",
                              remedy="a model must predict classes of one type") from error  # fmt: skip
    return table if scores is None else table.append_column(SCORE, pa.array(scores, pa.float64()))


class _Writer:
    """A Parquet file whose columns are those of the first table written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: pq.ParquetWriter | None = None

    def __enter__(self) -> _Writer:
        return self

    def write(self, table: pa.Table) -> None:
        import pyarrow.parquet as pq

        if self.file is None:
            self.file = pq.ParquetWriter(self.path, table.schema, compression="zstd")
        if table.schema != self.file.schema:
            was, now = self.file.schema.field(PREDICTION).type, table.schema.field(PREDICTION).type
            raise EvaluationError(f"the model predicted {was} at first and {now} later",
                                  remedy="a model must predict classes of one type")  # fmt: skip
        self.file.write_table(table)

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A temporary name beside `target` that takes its place at the end, and is removed when there is no end."""
    path = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield path
        path.replace(target)
    except OSError as error:
        raise UsageError(f"the predictions cannot be written: {error.strerror or error}", where=str(target.parent),
                         remedy="choose a folder that can be written with --out") from error  # fmt: skip
    finally:
        path.unlink(missing_ok=True)
