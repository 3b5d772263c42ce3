"""Counting the values of columns in the cells of a grid: one scan, and a small table whatever the number of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_compliance.stats.cells import Cells

if TYPE_CHECKING:
    import ibis.expr.types as ir

    Tables = tuple[ir.Table, ir.Table]

MANTISSA = 53
"""Whole numbers below two to this power are exact in a float."""
# A finer grid costs more to count, a coarser one leaves more rows to be sorted.
_PARTS = 2**16
# Of a cell that its rows fill to less than this, the sums are too coarse.
_FILLED = 1 / 16


@dataclass(frozen=True)
class Segment:
    """A stretch of the values of one column, both ends included, in cells of `width` that start at multiples of it.

    `width` is a power of two, so that the borders of cells are the same on every engine; 0 is one cell.
    """

    column: int
    low: float
    high: float
    rows: int
    width: float = 0.0

    @property
    def start(self) -> float:
        return math.floor(self.low / self.width) * self.width if self.width else self.low

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
    return None if width < 16 * math.ulp(max(abs(low), abs(high))) else Segment(column, low, high, rows, width)


def _exactly(value: float) -> Any:
    """A literal, as text: an engine that reads digits as a decimal number may be one bit off."""
    import ibis

    return ibis.literal(repr(value)).cast("float64")


def rows_of(tables: Tables, columns: Sequence[str], segments: dict[int, Segment]) -> Any:
    """The rows of all segments below each other: segment, side (1 is current), value `x`, cell, and ticks into it."""
    import ibis

    parts = []
    for side, table in enumerate(tables):
        for place, segment in segments.items():
            x = table[columns[segment.column]]
            cell, tick = ibis.literal(0, "int64"), ibis.literal(0.0, "float64")
            if segment.width:
                start, width, scale = (_exactly(value) for value in (segment.start, segment.width, 1 / segment.width))
                # Subtraction keeps the order, and a power of two does not round: cells are in the order of values.
                cell = ((x - start) * scale).floor().cast("int64")
                tick = ((x - (start + cell * width)) * scale * segment.ticks + 0.5).floor().cast("float64")
            chosen = table.filter(x.between(_exactly(segment.low), _exactly(segment.high)))
            about = {"segment": ibis.literal(place, "int64"), "side": ibis.literal(side, "int32")}
            parts.append(chosen.select(**about, x=x, cell=cell, tick=tick))
    return ibis.union(*parts)


def counted(tables: Tables, columns: Sequence[str], segments: list[Segment], first: int) -> list[Cells]:
    """The cells of each segment that hold rows; segments are numbered from `first`."""
    import numpy as np

    rows = rows_of(tables, columns, dict(enumerate(segments, first)))
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
