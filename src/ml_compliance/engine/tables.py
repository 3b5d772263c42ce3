"""Opening tables: CSV, TSV and Parquet, read by DuckDB through Ibis, never copied into Python.

Parquet is read where it lies; text is copied into DuckDB's own form first, where there is a folder for that.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from ml_compliance.engine import scratch
from ml_compliance.engine.sources import DELIMITERS, PARQUET, Source, is_remote, table_files
from ml_compliance.errors import EvaluationError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

_ENDINGS = {b"\r\n": "CR LF", b"\n": "LF"}
_FETCH = "let DuckDB fetch it once: python -c \"import duckdb; duckdb.sql('INSTALL httpfs')\"; or name a file here"


def connect(folder: Path | None = None) -> Backend:
    """A new embedded DuckDB. To `folder`, which stays its owner's to remove, it copies text and spills."""
    import ibis

    connection = ibis.duckdb.connect()
    configure(connection)
    if folder:
        scratch.attach(connection, folder)
    return connection


def configure(connection: Backend) -> None:
    """Make a DuckDB silent and exact."""
    connection.raw_sql("SET enable_progress_bar = false")
    # Row order is what makes "row 17" mean something.
    connection.raw_sql("SET preserve_insertion_order = true")
    # By Parquet's rules, least and greatest values leave NaN out, and DuckDB concludes from them that there is none:
    # `isnan` is false, and row groups are skipped (https://github.com/duckdb/duckdb/issues/25521).
    connection.raw_sql("SET disabled_optimizers = 'statistics_propagation,filter_pushdown'")


def open_table(connection: Backend, folder: Path, written: str) -> ir.Table:
    """The table that `written` names: a file, a folder or a pattern relative to `folder`, or an object store's URL.

    Raises UsageError when there is no such file or it is of no known kind, EvaluationError when it is empty
    or cannot be read.
    """
    remote = is_remote(written)
    sources = (Source(Path(written), written),) if remote else table_files(folder, written)
    paths = [written] if remote else [str(source.path) for source in sources]
    suffix = Path(written if remote else paths[0]).suffix.lower()
    if suffix in DELIMITERS and not remote:
        _check_headers(sources, DELIMITERS[suffix])
    try:
        table = _read(connection, paths, suffix)
        rows = table.count().to_pyarrow().as_py()
    except _duckdb_errors() as error:
        where, fault = (written, "") if remote or suffix in PARQUET else _first_bad_row(sources, DELIMITERS[suffix])
        if remote and "httpfs" in str(error):
            raise EvaluationError("DuckDB reads URLs by its extension httpfs, which could not be fetched",
                                  where=written, remedy=_FETCH) from error  # fmt: skip
        remedy = "make it readable for this job" if remote else "mend that line, or write the file again"
        if type(error).__name__ == "IOException" and not fault and not remote:
            remedy = (
                "make it readable for this job, and leave room for a copy in the folder for temporary files (TMPDIR)"
            )
        raise EvaluationError(f"the table cannot be read: {fault or _first_lines(error)}", where=where or written,
                              remedy=remedy) from error  # fmt: skip
    if rows == 0:
        raise EvaluationError("the table has a header but no rows", where=written, remedy="give it at least one row")
    return table


def _read(connection: Backend, paths: list[str], suffix: str) -> ir.Table:
    if suffix not in DELIMITERS:
        return connection.read_parquet(paths)
    # The dialect is pinned: a sniffer that may skip lines or guess a delimiter turns a broken file into another table.
    dialect = {
        "header": True,
        "skip": 0,
        "delim": DELIMITERS[suffix],
        "quote": '"',
        "escape": '"',
        "comment": "",
        "sample_size": -1,
        "strict_mode": True,
        "null_padding": False,
        "ignore_errors": False,
    }
    if scratch.is_attached(connection):
        return scratch.copy_text(connection, paths, dialect)
    return connection.read_csv(paths, **dialect)


def _check_headers(sources: tuple[Source, ...], delimiter: str) -> None:
    first: list[str] = []
    for source in sources:
        with source.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            header = next(csv.reader(file, delimiter=delimiter), [])
        # DuckDB trims names and tells no case apart: of two such columns it would call the second by another name.
        plain = [column.strip().casefold() for column in header]
        twice = sorted({column for column, name in zip(header, plain, strict=True) if plain.count(name) > 1})
        if twice:
            raise EvaluationError(
                f"the header names {', '.join(map(repr, twice))} more than once",
                where=f"{source.name}:1",
                remedy="give each column a name of its own",
            )
        first = first or header
        if header != first:
            raise EvaluationError(
                f"the header differs from that of {sources[0].name}",
                where=f"{source.name}:1",
                remedy="write the same columns in the same order into every file",
            )


def _first_bad_row(sources: tuple[Source, ...], delimiter: str) -> tuple[str, str]:
    """Where the first row stands that is not like its header, and what is wrong with it; ("", "") if none is."""
    for source in sources:
        line, fault = _bad_encoding(source.path)
        if not line:
            line, fault = _bad_shape(source.path, delimiter)
        if not line:
            line, fault = _mixed_endings(source.path)
        if line:
            return f"{source.name}:{line}", fault
    return "", ""


def _bad_encoding(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return number, f"byte {error.start + 1} of the line is not UTF-8"
    return 0, ""


def _bad_shape(path: Path, delimiter: str) -> tuple[int, str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        header: list[str] = []
        try:
            for row in reader:
                header = header or row
                if row and len(row) != len(header):
                    return reader.line_num, f"the row has {len(row)} fields, the header {len(header)}"
        except csv.Error as error:
            return reader.line_num, str(error)
    return 0, ""


def _mixed_endings(path: Path) -> tuple[int, str]:
    """Where line endings are no longer those of the lines before: Python reads such a file, DuckDB does not."""
    seen: set[str] = set()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            ending = next((ending for ending in (b"\r\n", b"\n") if line.endswith(ending)), b"")
            seen |= {_ENDINGS[ending]} if ending else set()
            seen |= {"CR"} if b"\r" in line.removesuffix(ending) else set()
            if len(seen) > 1:
                return number, f"the line endings are mixed: {', '.join(sorted(seen))}"
    return 0, ""


def _duckdb_errors() -> tuple[type[Exception], ...]:
    import duckdb

    return duckdb.Error, UnicodeDecodeError


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("LINE ")]
    return "; ".join(lines[:2])
