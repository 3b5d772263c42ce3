"""Counting the values of columns in the cells of a grid: one scan, and a small table whatever the number of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ml_compliance.stats.cells import Cells

if TYPE_CHECKING:
    from ml_compliance.engine.pairing import Tables

MANTISSA = 53
"""Whole numbers below two to this power are exact in a float."""
# A finer grid costs more to count, a coarser one leaves more rows to be counted again.
_PARTS, _FINER_PARTS = 2**13, 2**16
# Of a cell that its rows fill to less than this, the sums are too coarse.
_FILLED = 1 / 16
# Cells are not narrower than so many neighbouring floats.
_COARSE = 16


@dataclass(frozen=True)
class Segment:
    """A stretch of the values of one column, both ends included, in cells of `width` from `start` on.

    `width` is a power of two, so that the borders of cells are the same on every engine; 0 is one cell. A finer
    segment counts only the rows in some cells of a coarser one, which has the same start and `coarser` as its width.
    """

    column: int
    low: float
    high: float
    rows: int
    start: float = 0.0
    width: float = 0.0
    coarser: float = 0.0

    def numbers(self, coarser: bool) -> int:
        """How many numbers its cells, or those of the coarser segment, can have."""
        width = self.coarser if coarser else self.width
        return int((self.high - self.start) / width) + 2 if width else 1

    @property
    def ticks(self) -> float:
        """In how many parts the width of a cell is told: all rows together stay below 2^53, exact in whatever order."""
        return 2.0 ** (MANTISSA - 1 - math.ceil(math.log2(max(self.rows, 2))))


def grid(column: int, low: float, high: float, rows: int) -> Segment | None:
    """A segment in many cells; None where floats are too coarse, or too small, for that."""
    part = high / _PARTS - low / _PARTS
    if not 2.0**-900 < part < 2.0**900:
        return None
    width = 2.0 ** math.ceil(math.log2(part))
    if width < _COARSE * math.ulp(max(abs(low), abs(high))):
        return None
    return Segment(column, low, high, rows, math.floor(low / width) * width, width)


def finer(segment: Segment, cells: int, rows: int) -> Segment | None:
    """`segment` in finer cells, for `rows` in `cells` of its own; None where floats are too coarse for that."""
    times = 2.0 ** math.floor(math.log2(max(_FINER_PARTS / cells, 1.0)))
    limit = _COARSE * math.ulp(max(abs(segment.low), abs(segment.high)))
    while times > 1 and segment.width / times < limit:
        times /= 2
    if times == 1:
        return None
    return replace(segment, rows=rows, width=segment.width / times, coarser=segment.width)


def _exactly(value: float) -> Any:
    """A literal, as text: an engine that reads digits as a decimal number may be one bit off."""
    import ibis

    return ibis.literal(repr(value)).cast("float64")


def rows_of(
    tables: Tables, columns: Sequence[str], segments: dict[int, Segment], coarser: bool = False
) -> tuple[Any, int]:
    """The rows of all segments below each other, and a stride.

    Columns: segment, side (1 is current), value `x`, its cell, `tick` (how far into the cell), and `key`, which is
    segment · stride + cell, or `coarser` cell: a single and dense number is what engines join by fastest.
    """
    import ibis

    stride = max(segment.numbers(coarser) for segment in segments.values())

    parts = []
    for side, table in enumerate(tables):
        for place, segment in segments.items():
            x = table[columns[segment.column]]
            cell, tick = ibis.literal(0, "int64"), ibis.literal(0.0, "float64")
            key = cell
            if segment.width:
                start, width, scale = (_exactly(value) for value in (segment.start, segment.width, 1 / segment.width))
                # Subtraction keeps the order, and a power of two does not round: cells are in the order of values.
                cell = ((x - start) * scale).floor().cast("int64")
                key = ((x - start) * _exactly(1 / segment.coarser)).floor().cast("int64") if coarser else cell
                tick = ((x - (start + cell * width)) * scale * segment.ticks + 0.5).floor().cast("float64")
            chosen = table.filter(x.between(_exactly(segment.low), _exactly(segment.high)))
            about = {"segment": ibis.literal(place, "int64"), "side": ibis.literal(side, "int32")}
            parts.append(chosen.select(**about, x=x, cell=cell, tick=tick, key=key + place * stride))
    return ibis.union(*parts), stride


def counted(
    tables: Tables, columns: Sequence[str], segments: list[Segment], first: int, only: Sequence[Any] = ()
) -> list[Cells]:
    """The cells of each segment that hold rows; segments are numbered from `first`.

    Of finer segments, `only` has the numbers of the coarser cells whose rows are counted, an array for each.
    """
    import ibis
    import numpy as np
    import pyarrow as pa

    rows, stride = rows_of(tables, columns, dict(enumerate(segments, first)), coarser=bool(only))
    if only:
        keys = np.concatenate([numbers + place * stride for place, numbers in enumerate(only, first)])
        rows = rows.inner_join(ibis.memtable(pa.table({"key": keys})), "key")
    counted = rows.group_by("segment", "cell").agg(
        rows=rows.count(), current=rows.side.sum(), low=rows.x.min(), high=rows.x.max(),
        ticks=rows.tick.sum(), current_ticks=(rows.tick * rows.side).sum(),
    ).to_pyarrow()  # fmt: skip
    every = {name: counted[name].to_numpy() for name in counted.column_names}
    order = np.lexsort((every["cell"], every["segment"]))
    every = {name: values[order] for name, values in every.items()}
    ends = np.searchsorted(every["segment"], np.arange(first, first + len(segments) + 1))
    return [
        _cells(segment, {name: values[start:end] for name, values in every.items()})
        for segment, start, end in zip(segments, ends, ends[1:], strict=False)
    ]


def _cells(segment: Segment, found: dict[str, Any]) -> Cells:
    current = found["current"].astype("int64")
    reference = found["rows"] - current
    # Σ (high − x), from how far high and the rows are into the cell.
    into = found["high"] - (segment.start + found["cell"] * segment.width)
    unit = segment.width / segment.ticks
    return Cells(
        found["low"], found["high"], reference, current,
        reference * into - (found["ticks"] - found["current_ticks"]) * unit,
        current * into - found["current_ticks"] * unit,
        found["high"] - found["low"] >= segment.width * _FILLED, found["segment"], found["cell"],
    )  # fmt: skip
