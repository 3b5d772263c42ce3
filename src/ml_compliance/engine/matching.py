"""Joining the predictions of two models by the id of the row: every id exactly once on both sides, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_compliance.engine.checks import known, refuse_missing, require_columns
from ml_compliance.engine.judged import Judged, judge_table
from ml_compliance.engine.paired import Paired, columns_of
from ml_compliance.errors import EvaluationError
from ml_compliance.facts import Column

if TYPE_CHECKING:
    import ibis.expr.types as ir

_ID = "ml_compliance_id"


def judge_predictions(table: ir.Table, name: str, prediction: Column, score: str | None) -> Judged:
    """Check a table of nothing but predictions, called `name` in messages. Raises as `judge_table` does.

    The true class is taken from the evaluation table.
    """
    return judge_table(table, name, None, prediction, score, ())


def match(challenger: Judged, champion: Judged, id_column: str) -> Paired:
    """Pair two judged tables by the column `id_column` of the tables they were made from.

    Raises UsageError when a table has no such column, EvaluationError when an id is missing, or is not exactly once in
    both tables.
    """
    ours, columns = columns_of(challenger, "challenger")
    theirs, more = columns_of(champion, "champion")
    for table, name in ((ours, challenger.name), (theirs, champion.name)):
        require_columns(table, [id_column], name)
        refuse_missing(table, known(table[id_column]), f"{name}, column {id_column!r}", "id")
    one, two = _ids(ours[id_column], theirs[id_column])
    left = ours.select(**{_ID: one}, **columns)
    right = theirs.select(**{_ID: two}, **more)
    _refuse_unmatched(left, right, challenger.name, champion.name, id_column)
    return Paired(left.join(right, _ID).drop(_ID), challenger, challenger.has_score and champion.has_score)


def _ids(one: ir.Column, two: ir.Column) -> tuple[Any, Any]:
    """Ids of two types are compared as they are written: a column of digits may be text in one file only."""
    if one.type().copy(nullable=True) == two.type().copy(nullable=True):
        return one, two
    if one.type().is_integer() and two.type().is_integer():
        return one.cast("int64"), two.cast("int64")
    return one.cast("string"), two.cast("string")


def _refuse_unmatched(left: ir.Table, right: ir.Table, one: str, two: str, id_column: str) -> None:
    import ibis

    sides = (left.select(_ID, here=1, there=0), right.select(_ID, here=0, there=1))
    ids = ibis.union(*sides).group_by(_ID)
    counted = ids.agg(here=lambda t: t.here.sum(), there=lambda t: t.there.sum())
    faults = {
        "twice_here": counted.here > 1,
        "twice_there": counted.there > 1,
        "only_here": (counted.here > 0) & (counted.there == 0),
        "only_there": (counted.there > 0) & (counted.here == 0),
    }
    asked: dict[str, Any] = {}
    for name, fault in faults.items():
        asked |= {name: fault.sum(), f"{name}_such_as": counted[_ID].min(where=fault)}
    found = counted.aggregate(**asked).to_pyarrow().to_pylist()[0]
    words = {
        "twice_here": (f"occurs more than once in {one}", one),
        "twice_there": (f"occurs more than once in {two}", two),
        "only_here": (f"of {one} has no row in {two}", two),
        "only_there": (f"of {two} has no row in {one}", two),
    }
    for name, (what, where) in words.items():
        count = found[name]
        if count:
            more = "" if count == 1 else f", and so it is with {count - 1} more"
            raise EvaluationError(
                f"the {id_column} {found[f'{name}_such_as']!r} {what}{more}",
                where=where,
                remedy="models are compared on the same rows: write one prediction of each for every row",
            )
