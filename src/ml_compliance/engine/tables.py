"""Opening tables: CSV, TSV and Parquet, read by DuckDB through Ibis, never copied into Python."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from ml_compliance.errors import EvaluationError, UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_PARQUET = (".parquet", ".pq")


def connect() -> Backend:
    """A new embedded DuckDB, which writes nothing to disk but what it spills."""
    import ibis

    connection = ibis.duckdb.connect()
    connection.raw_sql("SET enable_progress_bar = false")
    # Row order is what makes "row 17" mean something.
    connection.raw_sql("SET preserve_insertion_order = true")
    return connection


def open_table(connection: Backend, path: Path, name: str) -> ir.Table:
    """The table in the file `path`; `name` is how the user wrote it, for messages.

    Raises UsageError when there is no such file or it is of no known kind, EvaluationError when it is empty
    or cannot be read.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise UsageError(
            f"the table {what}", where=name, remedy="name a .csv, .tsv or .parquet file in compliance.yaml"
        )
    if path.stat().st_size == 0:
        raise EvaluationError("the file is empty", where=name, remedy="write a header line and at least one row")
    suffix = path.suffix.lower()
    if suffix not in (*_DELIMITERS, *_PARQUET):
        raise UsageError(
            f"no table is read from {suffix or 'a file without a suffix'}",
            where=name,
            remedy="use .csv, .tsv or .parquet",
        )
    if suffix in _DELIMITERS:
        _check_header(path, _DELIMITERS[suffix], name)
    try:
        table = _read(connection, path, suffix)
        rows = table.count().to_pyarrow().as_py()
    except _duckdb_errors() as error:
        line, fault = _first_bad_row(path, _DELIMITERS[suffix]) if suffix in _DELIMITERS else (0, "")
        where = f"{name}:{line}" if line else name
        raise EvaluationError(
            f"the table cannot be read: {fault or _first_lines(error)}",
            where=where,
            remedy="mend that line, or write the file again",
        ) from error
    if rows == 0:
        raise EvaluationError("the table has a header but no rows", where=name, remedy="give it at least one row")
    return table


def _read(connection: Backend, path: Path, suffix: str) -> ir.Table:
    if suffix in _PARQUET:
        return connection.read_parquet(path)
    # The dialect is pinned: a sniffer that may skip lines or guess a delimiter turns a broken file into another table.
    return connection.read_csv(
        path,
        header=True,
        delim=_DELIMITERS[suffix],
        quote='"',
        escape='"',
        sample_size=-1,
        strict_mode=True,
        null_padding=False,
        ignore_errors=False,
    )


def _check_header(path: Path, delimiter: str, name: str) -> None:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        header = next(csv.reader(file, delimiter=delimiter), [])
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise EvaluationError(
            f"the header names {', '.join(map(repr, twice))} more than once",
            where=f"{name}:1",
            remedy="give each column a name of its own",
        )


def _first_bad_row(path: Path, delimiter: str) -> tuple[int, str]:
    """The line of the first row that is not like the header, and what is wrong with it; (0, "") if none is."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return number, f"byte {error.start + 1} of the line is not UTF-8"
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


def _duckdb_errors() -> tuple[type[Exception], ...]:
    import duckdb

    return duckdb.Error, UnicodeDecodeError


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("LINE ")]
    return "; ".join(lines[:2])
