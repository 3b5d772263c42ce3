"""A small sample of a table, the same every time for the same table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ml_compliance.engine.checks import has_order

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

ROW = "ml_compliance_row"
_KEY = "ml_compliance_key"


def sample(table: ir.Table, columns: Sequence[str], rows: int, salt: str, id_column: str | None) -> pa.Table:
    """At most `rows` rows of `columns`, and their ids as text in the column `ROW`.

    The rows whose MD5 of `salt` and id is smallest are taken: a uniform sample without a random generator, which does
    not depend on the engine's version. An id is the value of `id_column`, or else the row's number from 1. Where rows
    have no order they have no number either: then the values of `columns` decide alone, and the ids are empty.
    """
    import ibis

    if id_column is None and not has_order(table):
        values = [table[column].cast("string").fill_null("") for column in columns]
        key = ibis.literal(f"{salt}:") + ibis.literal("\x1f").join(values)
        keyed = table.mutate(ibis.literal("").name(ROW), key.hexdigest("md5").name(_KEY))
        return keyed.order_by([_KEY, *columns]).limit(rows).select(ROW, *columns).to_pyarrow()
    identity = ibis.row_number() + 1 if id_column is None else table[id_column]
    named = table.mutate(identity.cast("string").fill_null("").name(ROW))
    keyed = named.mutate((ibis.literal(f"{salt}:") + named[ROW]).hexdigest("md5").name(_KEY))
    # Where ids repeat, the values decide, so that the order of the file still does not.
    return keyed.order_by([_KEY, *columns]).limit(rows).select(ROW, *columns).to_pyarrow()
