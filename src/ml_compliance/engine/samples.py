"""Columns of two tables that are small enough for one column to be in memory: read, sorted and compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from ml_compliance.engine.backends import stream
from ml_compliance.engine.pairing import SQUARABLE, Kind, Side, plain
from ml_compliance.errors import EvaluationError
from ml_compliance.stats.apart import Apart
from ml_compliance.stats.samples import apart

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np
    from numpy.typing import NDArray

    from ml_compliance.engine.pairing import Tables

    Floats = NDArray[np.float64]

FEW = 2**24
"""Two tables of up to so many rows together are compared in memory: a column of both is 128 MiB."""
# Values of a table that are read at a time, and in one piece.
_AT_ONCE, _PIECE = 2**22, 2**16
# One sorts while another is waited for; reading has threads of its own.
_SORTERS = 2

Compared = tuple[tuple[Side, Side], Apart | None]


def ordered(
    tables: Tables, rows: tuple[int, int], kinds: Mapping[str, Kind], bins: int
) -> Iterator[tuple[str, tuple[Side, Side], Apart | None]]:
    """What the tables, of `rows`, hold in each ordered column of `kinds`, and how far they are apart in it.

    None where one of them has no values. Columns are sorted while the next ones are read. Raises EvaluationError when a
    table does not have the rows that it had.
    """
    names = list(kinds)
    size = max(1, _AT_ONCE // max(rows))
    with ThreadPoolExecutor(_SORTERS) as sorters:
        begun: list[tuple[str, Future[Compared]]] = []
        for start in range(0, len(names), size):
            some = {name: kinds[name] for name in names[start : start + size]}
            values = zip(*(_read(table, count, some) for table, count in zip(tables, rows, strict=True)), strict=True)
            before = begun
            begun = [
                (name, sorters.submit(_compared, reference, current, bins))
                for name, (reference, current) in zip(some, values, strict=True)
            ]
            del values
            for name, compared in before:
                yield name, *compared.result()
        for name, compared in begun:
            yield name, *compared.result()


def _read(table: ir.Table, rows: int, kinds: Mapping[str, Kind]) -> list[Floats]:
    """The columns of `kinds`, in whatever order the rows come; missing values are NaN."""
    import numpy as np

    chosen = table.select(**{f"c{place}": plain(table[name], kind) for place, (name, kind) in enumerate(kinds.items())})
    columns = [np.empty(rows) for _ in kinds]
    end = 0
    for piece in stream(chosen, _PIECE):
        start, end = end, end + piece.num_rows
        if end > rows:
            break
        for column, values in zip(columns, piece.columns, strict=True):
            column[start:end] = values.to_numpy(zero_copy_only=False)
    if end != rows:
        raise EvaluationError("a table has other rows than a moment ago", where="compliance.yaml: data",
                              remedy="compare tables that nobody writes to meanwhile")  # fmt: skip
    return columns


def _compared(reference: Floats, current: Floats, bins: int) -> Compared:
    (values, there), (others, here) = (_sorted(side) for side in (reference, current))
    if not len(values) or not len(others):
        return (there, here), None
    return (replace(there, deviation=_deviation(values, there)), here), apart(values, others, bins)


def _sorted(column: Floats) -> tuple[Floats, Side]:
    """The values of `column`, which is put into their order, without NaN; and what they are."""
    import numpy as np

    column.sort()
    below = int(np.searchsorted(column, -math.inf, "right"))
    end, values = np.searchsorted(column, [math.inf, math.nan]).tolist()
    low, high = (float(column[below]), float(column[end - 1])) if below < end else (None, None)
    return column[:values], Side(len(column), len(column) - values, below, values - end, low, high)


def _deviation(values: Floats, side: Side) -> float | None:
    """The population's standard deviation; as for larger tables, None where there is none or a square overflows."""
    if side.low is None or side.high is None or side.finite < side.values:
        return None
    if max(abs(side.low), abs(side.high)) >= SQUARABLE:
        return None
    return float(values.std()) if side.low < side.high else 0.0
