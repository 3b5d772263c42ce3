"""Several classes: the judged table with a name for every class, and one query that counts label × prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_compliance.engine.checks import (
    check_groups,
    constant,
    found_in,
    group_columns,
    known,
    refuse_missing,
    require_columns,
)
from ml_compliance.engine.judged import Judged
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.stats.counts import Group
from ml_compliance.stats.multiclass import ClassCounts, ClassCube

if TYPE_CHECKING:
    import ibis.expr.types as ir

MAX_CLASSES = 200
"""More classes than this are not classes, but an identifier or a number."""
CLASS = "class"
"""What a class is called in the slice of a measurement, so that no sensitive attribute can be."""


def judge_classes(table: ir.Table, name: str, label: str, prediction: str, sensitive: tuple[str, ...]) -> Judged:
    """Check `table` (called `name` in messages) and give label and prediction as names: 1, 1.0 and "1" are one class.

    Raises UsageError when a column is absent or an attribute is called "class", EvaluationError when its content
    cannot be judged: missing values, a single class, more than 200, numbers with a fraction, labels and predictions
    without a class in common, an identifier where a sensitive attribute should be.
    """
    require_columns(table, (label, prediction, *sensitive), name)
    if CLASS in sensitive:
        raise UsageError(
            "a sensitive attribute is called 'class', as the classes are in reports",
            where=name,
            remedy="give the column another name",
        )
    named = {
        role: names_of(table, column, role, name) for role, column in (("label", label), ("prediction", prediction))
    }
    check_groups(table, sensitive, name)
    judged = table.select(**named, **group_columns(table, sensitive))
    _check_found(judged, name, {"label": label, "prediction": prediction})
    rows = int(judged.count().to_pyarrow().as_py())
    return Judged(judged, sensitive, False, rows, name)


def count_classes(judged: Judged) -> ClassCube:
    """The class cube over all sensitive attributes of `judged`: one query, one scan."""
    table = judged.table
    found = table.group_by([*judged.keys, "label", "prediction"]).agg(n=table.count()).to_pyarrow().to_pylist()
    pairs: dict[Group, dict[tuple[str, str], int]] = {}
    for row in found:
        group = tuple(row[key] for key in judged.keys)
        pairs.setdefault(group, {})[row["label"], row["prediction"]] = row["n"]
    classes = tuple(sorted({name for row in found for name in (row["label"], row["prediction"])}))
    return ClassCube(judged.attributes, classes, {group: ClassCounts(counts) for group, counts in pairs.items()})


def names_of(table: ir.Table, name_of_column: str, role: str, name: str) -> Any:
    """The column as text; numbers are whole, and written without a fraction. Raises EvaluationError for others."""
    column = known(table[name_of_column])
    kind = column.type()
    where = f"{name}, column {name_of_column!r}"
    if not (kind.is_string() or kind.is_boolean() or kind.is_numeric()):
        raise EvaluationError(
            f"the {role} holds {str(kind).lower()}", where=where, remedy="classes are text, whole numbers or true/false"
        )
    refuse_missing(table, column, where, role)
    if kind.is_floating() or kind.is_decimal():
        broken = (column != column.round()) | (column.abs() >= 2.0**53)
        if broken.any().to_pyarrow().as_py():
            raise EvaluationError(
                f"the {role} holds numbers that are not whole{found_in(table, broken)}",
                where=where,
                remedy="classes are text, whole numbers or true/false; for numbers write data.task: regression",
            )
        column = column.cast("int64")
    return column.cast("string")


def _check_found(judged: ir.Table, name: str, columns: dict[str, str]) -> None:
    found: dict[str, set[str]] = {}
    for role, column in columns.items():
        where = f"{name}, column {column!r}"
        values = judged.select(value=judged[role]).distinct().limit(MAX_CLASSES + 1).to_pyarrow()["value"].to_pylist()
        if len(values) == 1:
            raise constant(role, repr(values[0]), where, "several classes")
        found[role] = set(values)
        if len(found["label"] | found[role]) > MAX_CLASSES:
            raise EvaluationError(
                f"the {role} has more than {MAX_CLASSES} classes",
                where=where,
                remedy="an identifier is no class; for numbers write data.task: regression",
            )
    if not found["label"] & found["prediction"]:
        shown = {role: ", ".join(map(repr, sorted(values)[:5])) for role, values in found.items()}
        raise EvaluationError(
            f"no class is predicted that is a label: labels are {shown['label']}, predictions {shown['prediction']}",
            where=name,
            remedy="write both columns in the same words",
        )
