"""The judged table: true class, predicted class, score and sensitive attributes of every row, checked before use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.checks import (
    check_groups,
    constant,
    first_row,
    group_columns,
    known,
    refuse_missing,
    require_columns,
)
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.facts import Column, Scalar

if TYPE_CHECKING:
    import ibis.expr.types as ir


# What a reader of CSV takes for true and false.
_YES, _NO = ("1", "true", "t", "yes", "y"), ("0", "false", "f", "no", "n")


@dataclass(frozen=True)
class Judged:
    """`table` has the columns label and prediction, score (0 to 1) if `has_score`, and one text column
    for each attribute, named by `keys`; a missing sensitive value is the group "(missing)".

    Label and prediction are 0 or 1 for two classes, names for several, and float64 numbers for a regression.
    """

    table: ir.Table
    attributes: tuple[str, ...]
    has_score: bool
    rows: int
    name: str

    @property
    def keys(self) -> list[str]:
        return self.keys_of(self.attributes)

    def keys_of(self, attributes: tuple[str, ...]) -> list[str]:
        """The table's columns for `attributes`. They are numbered, since an attribute may be called "label"."""
        return [f"attribute_{self.attributes.index(name)}" for name in attributes]


def judge_table(
    table: ir.Table, name: str, label: Column | None, prediction: Column, score: str | None, sensitive: tuple[str, ...]
) -> Judged:
    """Check `table` (called `name` in messages) and reduce it to what the statistics need; without `label`, it is a
    table of nothing but predictions.

    Raises UsageError when a column is absent or its positive value is not said, EvaluationError when its content
    cannot be judged: missing values, one class only, more than two classes, scores outside [0, 1], an identifier
    where a sensitive attribute should be.
    """
    roles = {"label": label, "prediction": prediction} if label else {"prediction": prediction}
    columns = {role: spec.column for role, spec in roles.items()}
    require_columns(table, [*columns.values(), *([score] if score else []), *sensitive], name)
    if label and label.column in (prediction.column, score):
        raise UsageError(
            f"{label.column!r} is the label, and is judged against itself",
            where=name,
            remedy="name the column that holds what was predicted",
        )
    for role, spec in roles.items():
        _check_classes(table, spec, role, name)
    if score:
        _check_score(table, score, name)
    check_groups(table, sensitive, name)
    wanted: dict[str, Any] = {
        role: positive_of(table[spec.column], spec, role, name).cast("int8") for role, spec in roles.items()
    }
    if score:
        wanted["score"] = table[score].cast("float64")
    judged = table.select(**wanted, **group_columns(table, sensitive))
    rows = _refuse_constant(judged, name, columns)
    return Judged(judged, sensitive, score is not None, rows, name)


def _refuse_constant(judged: ir.Table, name: str, columns: Mapping[str, str]) -> int:
    """The number of rows, once both classes are seen to occur in the label and in the prediction."""
    positives = {role: judged[role].sum() for role in columns}
    found = judged.aggregate(rows=judged.count(), **positives).to_pyarrow().to_pylist()[0]
    for role, column in columns.items():
        if found[role] in (0, found["rows"]):
            which = "negative" if found[role] == 0 else "positive"
            raise constant(role, which, f"{name}, column {column!r}")
    return int(found["rows"])


def _check_classes(table: ir.Table, spec: Column, role: str, name: str) -> None:
    column = known(table[spec.column])
    where = f"{name}, column {spec.column!r}"
    refuse_missing(table, column, where, role)
    if spec.at_least is not None:
        if not column.type().is_numeric():
            raise UsageError(f"at_least needs a column of numbers; this one holds {column.type()}", where=where)
        return
    values = [row["value"] for row in _distinct(table.select(value=column))]
    told = _told(spec)
    if len(values) == 1:
        raise constant(role, repr(values[0]), where)
    shown = ", ".join(map(repr, sorted(values, key=str)[:8])) + (", …" if len(values) > 8 else "")
    several = ", or write data.task: multiclass" if len(values) > 2 else ""
    unseen = [value for value in told if _convert(value, column, role, where) not in values]
    if unseen:
        raise EvaluationError(
            f"the value {unseen[0]!r} of the {role} does not occur; it holds {shown}",
            where=where,
            remedy=f"correct data.{role} in compliance.yaml" + several,
        )
    if spec.negative is None and not isinstance(spec.positive, tuple) and len(values) > 2:
        raise EvaluationError(
            f"the {role} has more than two values: {shown}",
            where=where,
            remedy=f"list every positive value, data.{role}: {{column: {spec.column}, positive: [{told[0]}, …]}}, "
            "or name the negative one" + several,
        )


def _distinct(table: ir.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.distinct().limit(1_000).to_pyarrow().to_pylist()
    return found


def positive_of(column: ir.Column, spec: Column, role: str, name: str) -> Any:
    """Whether `column` is of the positive class that `spec` names. Raises UsageError when it never can be."""
    where = f"{name}, column {spec.column!r}"
    if spec.at_least is not None:
        return column >= spec.at_least
    inside = column.isin([_convert(value, column, role, where) for value in _told(spec)])
    return inside if spec.negative is None else ~inside


def _told(spec: Column) -> tuple[Scalar, ...]:
    """The values that `spec` lists, positive or negative; 1 is positive when it lists none."""
    value = spec.negative if spec.negative is not None else spec.positive
    if value is None:
        return (1,)
    return value if isinstance(value, tuple) else (value,)


def _convert(value: Scalar, column: Any, role: str, where: str) -> Scalar:
    """`value` as the column's type has it; YAML says 1, "1" and true where a table has its own idea."""
    kind = column.type()
    if kind.is_string():
        return str(value)
    if kind.is_boolean() and str(value).lower() in (*_YES, *_NO):
        return str(value).lower() in _YES
    if kind.is_numeric():
        try:
            return float(value)
        except ValueError:
            pass
    raise UsageError(
        f"the {role} column holds {str(kind).lower()}, which is never {value!r}",
        where=where,
        remedy=f"say in compliance.yaml which value is positive: data.{role}: {{column: …, positive: …}}",
    )


def _check_score(table: ir.Table, score: str, name: str) -> None:
    where = f"{name}, column {score!r}"
    if not table[score].type().is_numeric():
        raise EvaluationError(
            f"the score holds {str(table[score].type()).lower()}, not numbers",
            where=where,
            remedy="write probabilities between 0 and 1",
        )
    column = known(table[score].cast("float64"))
    refuse_missing(table, column, where, "score")
    outside = (column < 0) | (column > 1)
    count = outside.sum().to_pyarrow().as_py()
    if count:
        rows = "1 row" if count == 1 else f"{count} rows"
        raise EvaluationError(
            f"the score is outside [0, 1] in {rows}{first_row(table, outside)}",
            where=where,
            remedy="a score is the probability of the positive class",
        )
