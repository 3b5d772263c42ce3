"""Tables that stay where they are: Spark, a warehouse or a database, by the URL of an Ibis backend."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from ml_compliance.engine.sources import DELIMITERS, PARQUET, table_files
from ml_compliance.errors import EvaluationError, UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

_WHERE = "compliance.yaml: data.backend"
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


@dataclass(frozen=True)
class Link:
    """An open Ibis backend, and how to let go of it; what was open before is left open."""

    backend: Any
    close: Callable[[], None]


def connect_to(url: str) -> Link:
    """The Ibis backend at `url`, such as `pyspark://?spark.master=local[2]`; `$NAME` is an environment variable.

    Raises UsageError when a variable is not set, nobody speaks that kind of URL or a package is missing,
    EvaluationError when there is no connection. No message holds a part of the URL but its kind.
    """
    import ibis

    resolved = _VARIABLE.sub(lambda found: _value(found, url), url)
    kind = resolved.partition("://")[0].replace("postgresql", "postgres")
    known = sorted(point.name for point in ibis.util.backend_entry_points())
    if "://" not in resolved or kind not in known:
        raise UsageError("this is no URL of a backend of Ibis", where=_WHERE, named=url,
                         remedy=f"write pyspark://, or one of {', '.join(known)}")  # fmt: skip
    try:
        if kind == "pyspark":
            from ml_compliance.engine import spark

            return Link(*spark.connect(resolved))
        backend = ibis.connect(resolved)
        if kind == "duckdb":
            from ml_compliance.engine.tables import configure

            configure(backend)
    except (UsageError, EvaluationError):
        raise
    except ImportError as error:
        extra = "ml-compliance[spark]" if kind == "pyspark" else f"ibis-framework[{kind}]"
        raise UsageError(f"the Python packages for {kind} are missing", where=_WHERE,
                         remedy=f"install it: pip install '{extra}'") from error  # fmt: skip
    # The border to the backends, each of which has errors of its own: whichever it is, there is no connection.
    except Exception as error:
        raise EvaluationError(f"there is no connection: {_told(error, resolved)}", where=f"{_WHERE} {kind}://…",
                              remedy="is it running, and are user and password right?") from error  # fmt: skip
    return Link(backend, backend.disconnect)


def open_there(backend: Any, folder: Path, written: str) -> ir.Table:
    """The table `written`: the backend's table of that name, or a file, folder or URL that the backend can read.

    Raises UsageError when a folder has no table files, EvaluationError when there is no such table, when it cannot be
    read, or has no rows.
    """
    suffix = _suffix(folder, written)
    if suffix and backend.name == "duckdb":
        from ml_compliance.engine.tables import open_table

        return open_table(backend, folder, written)
    try:
        table = _read(backend, written if "://" in written else str((folder / written).resolve()), written, suffix)
        rows = table.count().to_pyarrow().as_py()
    # As above: what matters is that the table is not there to be judged.
    except Exception as error:
        remedy = "correct its name, or data.backend" if not suffix else "make it readable for the backend"
        raise EvaluationError(f"{backend.name} cannot read the table: {_first_line(error)}", where=written,
                              remedy=remedy) from error  # fmt: skip
    if rows == 0:
        raise EvaluationError("the table has no rows", where=written, remedy="give it at least one row")
    return table


def stream(table: ir.Table, rows: int) -> Iterator[pa.RecordBatch]:
    """The rows of `table` in batches of at most about `rows`; those of DuckDB in their order.

    The connection is free again after the last one.
    """
    import ibis

    backend = table.get_backend()
    if backend.name == "pyspark":
        from ml_compliance.engine import spark

        yield from spark.batches(table)
    elif backend.name == "duckdb":
        # Not Ibis's own to_pyarrow_batches: it calls a method that DuckDB 2 no longer has.
        relation = backend.con.sql(ibis.to_sql(table, dialect="duckdb"))
        with (getattr(relation, "to_arrow_reader", None) or relation.fetch_record_batch)(rows) as reader:
            yield from reader
    else:
        yield from table.to_pyarrow_batches(chunk_size=rows)


def _value(found: re.Match[str], url: str) -> str:
    """The value of a variable in `url`, escaped where it would otherwise change what the URL says."""
    name = found[1] or found[2]
    if name not in os.environ:
        raise UsageError(f"the environment variable {name} is not set", where=_WHERE, remedy=f"set {name}", named=url)
    escaped = "?" in url[: found.start()] or "@" in re.split("[/?]", url[found.end() :], maxsplit=1)[0]
    return quote(os.environ[name], safe="") if escaped else os.environ[name]


def _told(error: Exception, resolved: str) -> str:
    """What an error says, without anything that the URL may hold in confidence."""
    parts = urlsplit(resolved)
    secrets = {resolved, parts.netloc, parts.username, parts.password, *(value for _, value in parse_qsl(parts.query))}
    text = f"{type(error).__name__}: {_first_line(error)}"
    for secret in sorted((found for found in secrets if found), key=len, reverse=True):
        for form in (secret, quote(secret, safe="")):
            text = text.replace(form, "***")
    return text


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _suffix(folder: Path, written: str) -> str:
    """The kind of file that `written` is read as; nothing if it is a table's name."""
    suffix = Path(written).suffix.lower()
    if suffix in (*DELIMITERS, *PARQUET):
        return suffix
    if "://" in written:
        return PARQUET[0]
    return table_files(folder, written)[0].path.suffix.lower() if (folder / written).is_dir() else ""


def _read(backend: Any, place: str, written: str, suffix: str) -> ir.Table:
    if suffix in PARQUET:
        return backend.read_parquet(place)
    if suffix in DELIMITERS and backend.name == "pyspark":
        from ml_compliance.engine import spark

        return spark.read_csv(backend, place, DELIMITERS[suffix])
    if suffix in DELIMITERS:
        return backend.read_csv(place)
    database, _, name = written.rpartition(".")
    return backend.table(name, database=database or None)
