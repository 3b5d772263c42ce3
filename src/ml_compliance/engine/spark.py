"""Spark below Ibis: the session that a URL asks for, files read strictly, and rows that stream to this process."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from ml_compliance.errors import EvaluationError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

# What a session that is started here has unless the URL says otherwise. Arrow brings results as they are stored.
_DEFAULTS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}


def connect(url: str) -> tuple[Any, Callable[[], None]]:
    """The Ibis backend of the Spark session at `url`, and what to call at the end: only an own session is stopped.

    The query of the URL holds Spark's settings, its path spark.sql.warehouse.dir. A session that the process already
    has is used, and takes those of the settings that can still be changed. Not by `ibis.connect`, which sets all of
    them once more on the running session, where Spark refuses most. Raises EvaluationError when there is no Java,
    ImportError without PySpark.
    """
    import ibis
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    parts = urlsplit(url)
    settings = dict(parse_qsl(parts.query))
    if parts.path.strip("/"):
        settings["spark.sql.warehouse.dir"] = str(Path(parts.path[1:]).absolute())
    remote = "spark.remote" in settings or "SPARK_REMOTE" in os.environ
    if SparkContext._active_spark_context is not None or SparkSession.getActiveSession() is not None:
        return ibis.pyspark.connect(_session(settings)), lambda: None
    if remote:
        session = _session(settings)
        return ibis.pyspark.connect(session), session.stop
    _require_java()
    # Spark makes this folder, though nothing is put into it: it would lie where the command is run.
    warehouse = TemporaryDirectory(prefix="ml-compliance-")
    with _this_python(settings.get("spark.master", "local")):
        session = _session(_DEFAULTS | {"spark.sql.warehouse.dir": warehouse.name} | settings)
    _silence(session)

    def close() -> None:
        session.stop()
        warehouse.cleanup()

    return ibis.pyspark.connect(session), close


def read_csv(backend: Any, place: str, delimiter: str) -> ir.Table:
    """The table in the file or folder `place`. A line that is not like the header makes Spark fail when it is read."""
    import ibis

    # Ibis passes no option on that PySpark does not list, and without this one Spark does not look at all of a line.
    reader = (
        backend._session.read.option("columnPruning", "false").option("mode", "FAILFAST").option("multiLine", "true")
    )
    read = reader.csv(place, sep=delimiter, quote='"', escape='"', header=True, inferSchema=True, enforceSchema=False)
    name = ibis.util.gen_name("read_csv")
    read.createOrReplaceTempView(name)
    return backend.table(name)


def frame(table: ir.Table) -> Any:
    """The Spark DataFrame behind `table`."""
    import ibis

    return table.get_backend().raw_sql(ibis.to_sql(table, dialect="pyspark"))


def batches(table: ir.Table) -> Iterator[pa.RecordBatch]:
    """The rows of `table`, one partition after the other, so that no more than one is in memory here."""
    import pyarrow as pa

    def packed(parts: Iterator[Any]) -> Iterator[Any]:
        # This runs on Spark's workers, which have PyArrow but not this package: it is sent there by value.
        import pyarrow as pa

        for part in parts:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, part.schema) as writer:
                writer.write_batch(part)
            yield pa.RecordBatch.from_arrays([pa.array([sink.getvalue().to_pybytes()], pa.binary())], ["batch"])

    for row in frame(table).mapInArrow(packed, "batch binary").toLocalIterator():
        yield from pa.ipc.open_stream(row["batch"])


def _session(settings: dict[str, str]) -> Any:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _silence(session: Any) -> None:
    """What fails is told once, by the error that comes here; Spark's logs would also hold values of rows."""
    from pyspark.logger import PySparkLogger

    session.sparkContext.setLogLevel("OFF")
    for name in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL + 1)


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME", "")
    if "PYSPARK_GATEWAY_PORT" in os.environ or shutil.which(str(Path(home) / "bin" / "java") if home else "java"):
        return
    raise EvaluationError(
        f"Spark needs Java 17 or 21, and there is none in JAVA_HOME, {home}" if home
        else "Spark needs Java 17 or 21, and there is none",
        where="compliance.yaml: data.backend",
        remedy="install it, such as with: apt-get install openjdk-17-jre-headless; or set JAVA_HOME",
    )  # fmt: skip


@contextmanager
def _this_python(master: str) -> Iterator[None]:
    """Let workers on this machine run the Python that runs here, which has what they need, unless one is named."""
    name = "PYSPARK_PYTHON"
    if name in os.environ or not master.startswith("local"):
        yield
        return
    os.environ[name] = sys.executable
    try:
        yield
    finally:
        del os.environ[name]
