"""What every judged table is checked for, whatever is predicted: columns that exist, values in every row, groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.model import MISSING_GROUP

if TYPE_CHECKING:
    import ibis.expr.types as ir

MAX_GROUPS = 2_000
"""More groups of one attribute than this are not groups of people, but an identifier."""


def require_columns(table: ir.Table, columns: Iterable[str], name: str) -> None:
    """Raise UsageError, with the nearest name, for the first of `columns` that `table` (called `name`) lacks."""
    import difflib

    for column in columns:
        if column in table.columns:
            continue
        near = difflib.get_close_matches(column, table.columns, n=1)
        shown = ", ".join(table.columns[:20]) + (", …" if len(table.columns) > 20 else "")
        remedy = f"did you mean {near[0]!r}?" if near else f"its columns are: {shown}"
        raise UsageError(f"there is no column {column!r}", where=name, remedy=remedy, named=column)


def known(column: ir.Column) -> Any:
    """`column` with NaN and empty text turned into null, which is what they mean in a table."""
    import ibis

    if column.type().is_floating():
        return ibis.ifelse(column.isnan(), None, column)
    return column.nullif("") if column.type().is_string() else column


def refuse_missing(table: ir.Table, column: Any, where: str, role: str) -> None:
    """Raise EvaluationError when `column` has nulls: how many, and the first row."""
    missing = column.isnull().sum().to_pyarrow().as_py()
    if missing:
        rows = "1 row has" if missing == 1 else f"{missing} rows have"
        raise EvaluationError(
            f"{rows} no {role}{first_row(table, column.isnull())}",
            where=where,
            remedy="fill in or leave out those rows, knowingly",
        )


def has_order(table: ir.Table) -> bool:
    """Whether the rows of `table` have an order, so that they can be numbered: those of DuckDB have that of the file.

    Elsewhere a table is a set of rows, and to number them would bring all of them to one machine.
    """
    return bool(table.get_backend().name == "duckdb")


def first_row(table: ir.Table, fault: Any) -> str:
    """Which row, from 1, is the first for which `fault` holds, as the end of a sentence; nothing without an order."""
    import ibis

    if not has_order(table):
        return ""
    numbered = table.select(fault=fault, row=ibis.row_number())
    return f" (the first is row {int(numbered.filter(numbered.fault).row.min().to_pyarrow().as_py()) + 1})"


def found_in(table: ir.Table, fault: Any) -> str:
    """As `first_row`, but the number of such rows where they have no order."""
    if has_order(table):
        return first_row(table, fault)
    count = fault.sum().to_pyarrow().as_py()
    return " (in 1 row)" if count == 1 else f" (in {count} rows)"


def constant(role: str, value: str, where: str, wanted: str = "both classes") -> EvaluationError:
    """The error that the label or the prediction (`role`) has one value, so that nothing can be told apart."""
    return EvaluationError(
        f"the {role} is {value} in every row: there is nothing to tell apart",
        where=where,
        remedy=f"evaluate on data, and with a model, that has {wanted}",
    )


def check_groups(table: ir.Table, sensitive: tuple[str, ...], name: str) -> None:
    """Raise EvaluationError for a sensitive attribute that is missing everywhere, or is an identifier."""
    for attribute in sensitive:
        column = known(table[attribute])
        where = f"{name}, column {attribute!r}"
        groups, present = (
            table.aggregate(groups=column.nunique(), present=column.count()).to_pyarrow().to_pylist()[0].values()
        )
        if not present:
            raise EvaluationError(
                "the sensitive attribute is missing in every row",
                where=where,
                remedy="fill it in, or take it out of data.sensitive",
            )
        if groups > MAX_GROUPS:
            raise EvaluationError(
                f"the sensitive attribute has {groups} groups, more than {MAX_GROUPS}",
                where=where,
                remedy="an identifier is no group: bin it, or take it out of data.sensitive",
            )


def group_columns(table: ir.Table, sensitive: tuple[str, ...]) -> dict[str, Any]:
    """One text column for each attribute, under a numbered name; a missing value is the group "(missing)"."""
    return {
        f"attribute_{place}": _text(known(table[attribute])).fill_null(MISSING_GROUP)
        for place, attribute in enumerate(sensitive)
    }


def _text(column: Any) -> Any:
    """`column` as text, whole numbers in full: engines differ in when they write a float with an exponent."""
    if not column.type().is_floating():
        return column.cast("string")
    whole = (column == column.floor()) & (column.abs() < 2.0**53)
    return whole.ifelse(column.floor().cast("int64").cast("string") + ".0", column.cast("string"))
