"""DuckDB for SQLAlchemy, as far as Great Expectations asks: reading tables over a connection that is already open.

Three things differ from treating DuckDB as PostgreSQL. Rows are fetched before the cursor is given back, because
DuckDB has one result per connection and Great Expectations reads it late. `~` searches, as in PostgreSQL, where
DuckDB's own matches the whole text. And there are no transactions, so that a query that fails spoils no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, registry
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect, PGIdentifierPreparer

from ml_compliance.engine import scratch

_URL = "mlcomplianceduckdb://"


def engine(raw: Any) -> tuple[sa.Engine, DuckDBConnection]:
    """A SQLAlchemy engine over `raw`, an open DuckDB connection, and the link to cut when it is no longer needed."""
    connection = DuckDBConnection(raw)
    return sa.create_engine(_URL, creator=lambda: connection, poolclass=sa.pool.StaticPool), connection


class DuckDBConnection:
    """The DB-API face of an open DuckDB connection, which stays its owner's to close."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    def cursor(self) -> DuckDBCursor:
        return DuckDBCursor(self)

    def release(self) -> None:
        """Forget the DuckDB connection, whoever still holds this object."""
        self.raw = None

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


class DuckDBCursor:
    """A cursor that holds its rows itself."""

    arraysize = 1
    rowcount = -1

    def __init__(self, connection: DuckDBConnection) -> None:
        self.connection = connection
        self.description: list[tuple[Any, ...]] | None = None
        self._rows: Iterator[tuple[Any, ...]] = iter(())

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        result = scratch.execute(self.connection.raw, statement, parameters)
        # The type codes are left out: they are objects of DuckDB that would outlive the connection.
        self.description = [(column[0], *[None] * 6) for column in result.description or ()] or None
        self._rows = iter(result.fetchall() if self.description else ())

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        return [row for row, _ in zip(self._rows, range(size), strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)

    def close(self) -> None:
        self._rows = iter(())


class _Compiler(PGCompiler):
    def visit_custom_op_binary(self, element: Any, operator: Any, **kw: Any) -> str:
        if operator.opstring in ("~", "!~"):
            searched = f"regexp_matches({self.process(element.left, **kw)}, {self.process(element.right, **kw)})"
            return searched if operator.opstring == "~" else f"NOT {searched}"
        return str(super().visit_custom_op_binary(element, operator, **kw))  # type: ignore[no-untyped-call]


class _Preparer(PGIdentifierPreparer):
    def _requires_quotes(self, value: str) -> bool:
        # DuckDB reserves other words than PostgreSQL, and ignores case in quoted names too.
        return True


class DuckDBDialect(PGDialect):
    """Reads; never writes, and has neither schemas nor keys."""

    name = "duckdb"
    driver = "mlcompliance"
    supports_statement_cache = True
    default_paramstyle = "numeric_dollar"
    statement_compiler = _Compiler
    preparer = _Preparer

    def __init__(self, **kw: Any) -> None:
        super().__init__(**{**kw, "paramstyle": "numeric_dollar"})  # type: ignore[no-untyped-call]

    @classmethod
    def import_dbapi(cls) -> Any:
        import duckdb

        return duckdb

    def initialize(self, connection: Any) -> None:
        self.server_version_info = (15, 0)
        self.default_schema_name = "main"

    def do_begin(self, dbapi_connection: Any) -> None: ...

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **kw: Any) -> list[Any]:
        quoted = self.identifier_preparer.quote_identifier(table_name)
        rows = connection.exec_driver_sql(f"DESCRIBE {quoted}").fetchall()
        return [{"name": row[0], "type": column_type(row[1]), "nullable": True, "default": None} for row in rows]

    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return {"constrained_columns": [], "name": None}


_TYPES: dict[str, Any] = {
    "BOOLEAN": sa.BOOLEAN, "TINYINT": sa.SMALLINT, "UTINYINT": sa.SMALLINT, "SMALLINT": sa.SMALLINT,
    "USMALLINT": sa.INTEGER, "INTEGER": sa.INTEGER, "UINTEGER": sa.BIGINT, "BIGINT": sa.BIGINT, "UBIGINT": sa.NUMERIC,
    "HUGEINT": sa.NUMERIC, "FLOAT": sa.REAL, "DOUBLE": sa.DOUBLE_PRECISION, "VARCHAR": sa.VARCHAR, "BLOB": sa.BLOB,
    "DATE": sa.DATE, "TIME": sa.TIME, "TIMESTAMP": sa.TIMESTAMP, "UUID": sa.UUID,
}  # fmt: skip


def column_type(name: str) -> sa.types.TypeEngine[Any]:
    """The SQLAlchemy type of a DuckDB type name such as `DECIMAL(18,3)`; NullType when SQL has none like it."""
    if decimal := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", name):
        return sa.NUMERIC(int(decimal[1]), int(decimal[2]))
    if name.startswith("TIMESTAMP"):
        return sa.TIMESTAMP(timezone="WITH TIME ZONE" in name)
    return _TYPES[name]() if name in _TYPES else sa.types.NullType()


class _Family(postgresql.dialect):  # type: ignore[misc, valid-type]
    """Whose operators Great Expectations is to use: PostgreSQL's for patterns, and for the uniqueness of several
    columns what it keeps for MySQL, a window in which missing values equal each other, as they do in pandas.
    """

    name = "mysql"
    supports_statement_cache = False


# What Great Expectations takes for the dialect's module: above all names of types that a suite may expect, which
# are DuckDB's, generic ones of SQL, and what pandas calls the same.
DIALECT_MODULE = SimpleNamespace(
    __name__="duckdb",
    dialect=_Family,
    **_TYPES,
    **{
        "INT": sa.Integer, "DECIMAL": sa.NUMERIC, "NUMERIC": sa.NUMERIC, "DOUBLE_PRECISION": sa.DOUBLE_PRECISION,
        "REAL": sa.REAL, "TEXT": sa.VARCHAR, "STRING": sa.VARCHAR, "BOOL": sa.BOOLEAN, "DATETIME": sa.TIMESTAMP,
        "int": sa.Integer, "int8": sa.SMALLINT, "int16": sa.SMALLINT, "int32": sa.INTEGER, "int64": sa.BIGINT,
        "float": sa.Float, "float32": sa.REAL, "float64": sa.DOUBLE_PRECISION, "object": sa.VARCHAR, "str": sa.VARCHAR,
        "string": sa.VARCHAR, "bool": sa.BOOLEAN, "boolean": sa.BOOLEAN, "datetime64[ns]": sa.TIMESTAMP,
    },
)  # fmt: skip

registry.register("mlcomplianceduckdb", __name__, "DuckDBDialect")
