"""Where text is copied once, so that queries scan columns instead of parsing the file again; and a limit on memory.

A query over a CSV file reads all of it twice: for the types of its columns, and for its rows. The copy is a database
file of DuckDB in a folder of the caller's, who removes it; its pages need no memory while nobody looks at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

CATALOG = "ml_compliance_scratch"
MEMORY = "384.0 MiB"
"""What DuckDB may use where much is grouped and sorted, as DuckDB itself writes it; beyond, it spills to the folder."""


def attach(connection: Backend, folder: Path) -> None:
    """Let `connection` copy text to `folder`, which exists, and spill there."""
    connection.raw_sql(f"SET temp_directory = {_quoted(folder / 'spilled')}")
    # They make text a third as large, and copying it half as fast again.
    connection.raw_sql("SET disabled_compression_methods = 'fsst,dict_fsst'")
    connection.raw_sql(f"ATTACH {_quoted(folder / 'tables.duckdb')} AS {CATALOG}")


def is_attached(connection: Backend) -> bool:
    """Whether there is a folder to copy to and to spill to: that of the gate, not of a database that the facts name."""
    known = "SELECT count(*) FROM duckdb_databases() WHERE database_name = $1"
    return bool(connection.con.execute(known, [CATALOG]).fetchone() == (1,))


def copy_text(connection: Backend, paths: Sequence[str], dialect: dict[str, Any]) -> ir.Table:
    """A copy of the delimited files `paths`, in their order. Raises duckdb.Error when they cannot be read."""
    from ibis.util import gen_name

    name = gen_name("text")
    options = ", ".join(f"{option} = ${index}" for index, option in enumerate(dialect, 2))
    # Names in it are our own, and values are parameters.
    statement = f"CREATE TABLE {CATALOG}.main.{name} AS SELECT * FROM read_csv($1, {options})"  # noqa: S608
    with frugal(connection):
        execute(connection.con, statement, [list(paths), *dialect.values()])
    return connection.table(name, database=(CATALOG, "main"))


@contextmanager
def frugal(connection: Any) -> Iterator[None]:
    """Hold DuckDB to `MEMORY`, where it can spill; leave any other backend alone."""
    if connection.name != "duckdb" or not is_attached(connection):
        yield
        return
    connection.raw_sql(f"SET memory_limit = '{MEMORY}'")
    try:
        yield
    finally:
        connection.raw_sql("RESET memory_limit")


def execute(raw: Any, statement: str, parameters: Sequence[Any] = ()) -> Any:
    """The result of `statement` on the DuckDB connection `raw`.

    Some states, such as those of quantiles, cannot be spilled: a query that `MEMORY` is too little for gets what
    DuckDB takes by itself, until `frugal` ends.
    """
    import duckdb

    try:
        return raw.execute(statement, list(parameters))
    except duckdb.OutOfMemoryException:
        if raw.execute("SELECT current_setting('memory_limit')").fetchone()[0] != MEMORY:
            raise
        raw.execute("RESET memory_limit")
        return raw.execute(statement, list(parameters))


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
