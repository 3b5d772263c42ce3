"""How the values of columns are distributed in two tables: counted in SQL, exact to the row, read as small tables.

Values are counted in the cells of a grid, once. Only cells that the answer depends on (`stats.cells`) are sorted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.grid import MANTISSA, Segment, counted, finer, grid, rows_of
from ml_compliance.engine.pairing import Batch, Side, batches
from ml_compliance.stats.apart import Apart, Edge
from ml_compliance.stats.cells import Cells, Inside, Pair, joined, point, whole

if TYPE_CHECKING:
    from ml_compliance.engine.pairing import Kind, Tables

# Cells with more rows than this, and more than their share, are split again: an outlier must not spoil the grid.
_HEAVY, _SHARE, _DEEPEST = 2**16, 8, 4
# More rows than this in unclear cells of a column are counted once more, in finer cells, before the rest is sorted.
_MANY = 2**15
# 2 to the power of −this is still a float.
_TINIEST = -1000
# Columns that a query counts at a time.
_AT_ONCE = 16
# More rows than any table has.
_NOWHERE = 2**40


def ordered(
    tables: Tables, rows: tuple[int, int], kinds: Mapping[str, Kind], bins: int
) -> Iterator[tuple[str, tuple[Side, Side], Apart | None]]:
    """What the tables, of `rows`, hold in each ordered column of `kinds`, and how far they are apart in it.

    None where one of them has no values. Two scans of a copy of the columns, more only where values are very unevenly
    spread.
    """
    for batch in batches(tables, rows, kinds):
        able = [name for name, sides in batch.sides.items() if all(side.values for side in sides)]
        found: dict[str, Apart] = {}
        for start in range(0, len(able), _AT_ONCE):
            found |= _apart(batch, able[start : start + _AT_ONCE], bins)
        for name, sides in batch.sides.items():
            yield name, sides, found.get(name)


def _apart(batch: Batch, names: Sequence[str], bins: int) -> dict[str, Apart]:
    columns = [batch.keys[name] for name in names]
    segments: list[Segment] = []
    cells = [_start(batch.sides[name], place, segments) for place, name in enumerate(names)]
    for _ in range(_DEEPEST):
        cells = _split(batch.tables, columns, cells, segments)
    for _ in range(_DEEPEST):
        cells = _refine(batch.tables, columns, [Pair(found, bins) for found in cells], segments)
    pairs = [Pair(found, bins) for found in cells]
    found = _inside(batch.tables, columns, pairs, segments)
    return {name: pair.apart(inside) for name, pair, inside in zip(names, pairs, found, strict=True)}


def _start(sides: tuple[Side, Side], column: int, segments: list[Segment]) -> Cells:
    """One cell of all finite values, and one for each infinity that occurs."""
    found = []
    if sum(side.finite for side in sides):
        low = min(side.low for side in sides if side.low is not None)
        high = max(side.high for side in sides if side.high is not None)
        found.append(whole(low, high, sides[0].finite, sides[1].finite, len(segments)))
        segments.append(Segment(column, low, high, sides[0].finite + sides[1].finite))
    for value, counts in ((-math.inf, [side.below for side in sides]), (math.inf, [side.above for side in sides])):
        if any(counts):
            found.append(point(value, *counts))
    return joined(found)


def _split(tables: Tables, columns: Sequence[str], cells: list[Cells], segments: list[Segment]) -> list[Cells]:
    """The cells of each column, with the heavy ones split where that is possible; adds to `segments`. One scan."""
    new: list[Segment] = []
    parts: list[list[Cells]] = []
    for column, found in enumerate(cells):
        rows = found.reference + found.current
        heavy = (rows > max(_HEAVY, int(rows.sum()) // _SHARE)) & (found.low < found.high)
        for place in heavy.nonzero()[0]:
            segment = grid(column, float(found.low[place]), float(found.high[place]), int(rows[place]))
            if segment is None:
                heavy[place] = False
            else:
                new.append(segment)
        parts.append([found.where(~heavy)])
    if not new:
        return cells
    for segment, found in zip(new, counted(tables, columns, new, len(segments)), strict=True):
        parts[segment.column].append(found)
    segments += new
    return [joined(found) for found in parts]


def _refine(tables: Tables, columns: Sequence[str], pairs: Sequence[Pair], segments: list[Segment]) -> list[Cells]:
    """The cells of each column, with the unclear ones counted anew in finer cells where too many rows are in them.

    Adds to `segments`. One scan.
    """
    import numpy as np

    new: list[Segment] = []
    only: list[Any] = []
    parts: list[list[Cells]] = []
    for pair in pairs:
        cells, unclear = pair.cells, pair.unclear()
        rows, kept = cells.reference + cells.current, np.full(len(cells), True)
        for place in np.unique(cells.segment[unclear]).tolist() if rows[unclear].sum() > _MANY else ():
            mine = unclear & (cells.segment == place)
            segment = finer(segments[place], int(mine.sum()), int(rows[mine].sum())) if segments[place].width else None
            if segment is not None:
                only.append(cells.number[mine])
                new.append(segment)
                kept &= ~mine
        parts.append([cells.where(kept)])
    if not new:
        return [pair.cells for pair in pairs]
    for segment, found in zip(new, counted(tables, columns, new, len(segments), only), strict=True):
        parts[segment.column].append(found)
    segments += new
    return [joined(found) for found in parts]


def _inside(tables: Tables, columns: Sequence[str], pairs: Sequence[Pair], segments: list[Segment]) -> list[Inside]:
    """What is inside the unclear cells of each pair. One scan."""
    import numpy as np

    every: dict[str, Any] = {}
    for column, pair in enumerate(pairs):
        for name, values in _wanted(column, pair).items():
            every[name] = np.concatenate([every[name], values]) if name in every else values
    if not len(every["cell"]):
        return [Inside() for _ in pairs]
    rows, stride = rows_of(tables, columns, {place: segments[place] for place in np.unique(every["segment"]).tolist()})
    every["key"] = every.pop("segment") * stride + every.pop("cell")
    answers = _sorted(rows, every, pairs[0].bins)
    found = []
    for column in range(len(pairs)):
        mine = [row for row in answers if row["column"] == column]
        area = [
            _times_power((row["coarse"] + row["fine"] / row["ticks"]) / row["ticks"], row["exponent"] + 1)
            for row in mine
        ]  # fmt: skip
        edges = {
            row["x"]: Edge(row["x"], (row["n_before"], row["n_here"]), (row["m_before"], row["m_here"]))
            for row in mine if row["passed"]
        }  # fmt: skip
        distance = max((row["distance"] for row in mine), default=0)
        found.append(Inside(distance, math.fsum(area), tuple(edges.values())))
    return found


def _wanted(column: int, pair: Pair) -> dict[str, Any]:
    """The unclear cells of a column, the rows of each table before them, and all rows of each table."""
    import numpy as np

    unclear = pair.unclear()
    cells = pair.cells.where(unclear)
    n_first, m_first = (counts[unclear] for counts in pair.before())
    n, m = pair.rows
    # Whole numbers of which as many as there are rows stay below 2^53 are added exactly, in whatever order.
    ticks = 2.0 ** (MANTISSA - 2 - math.ceil(math.log2(max(int((cells.reference + cells.current).sum()), 2))))
    return {
        "segment": cells.segment, "cell": cells.number, "n_first": n_first, "m_first": m_first,
        "column": np.full(len(cells), column), "n_all": np.full(len(cells), n), "m_all": np.full(len(cells), m),
        "ticks": np.full(len(cells), ticks),
    }  # fmt: skip


def _times_power(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.inf


def _sorted(rows: Any, cells: dict[str, Any], bins: int) -> list[dict[str, Any]]:
    """Inside `cells`: the greatest distance and the area between the distribution functions, and the quantiles.

    A row of the answer stands for the terms of one power of two of one column, or for one value on which a quantile
    falls (`passed`). Terms are added as two whole numbers, which together hold all digits of a float.
    """
    import ibis
    import pyarrow as pa

    chosen = rows.inner_join(ibis.memtable(pa.table(cells)), "key")
    every, own = (ibis.window(group_by=keys, order_by="x") for keys in ("key", ["key", "side"]))

    def up_to(keys: Any) -> Any:
        return ibis.range_window(group_by=keys, order_by="x", preceding=None, following=0)

    # Counts up to a value and before it, of both tables and of the row's own. Ties count all alike.
    counts = chosen.mutate(
        next=chosen.x.lead().over(every),
        here=chosen.count().over(up_to("key")),
        own=chosen.count().over(up_to(["key", "side"])),
        before=ibis.rank().over(every),
        own_before=ibis.rank().over(own),
    )
    of_reference = counts.side == 0
    steps = counts.mutate(
        n_here=ibis.ifelse(of_reference, counts.own, counts.here - counts.own) + counts.n_first,
        m_here=ibis.ifelse(of_reference, counts.here - counts.own, counts.own) + counts.m_first,
        # Only a row of the reference can be its quantile.
        n_before=ibis.ifelse(of_reference, counts.own_before + counts.n_first, _NOWHERE),
        m_before=counts.before - counts.own_before + counts.m_first,
    )
    return _terms(steps, bins)


def _terms(steps: Any, bins: int) -> list[dict[str, Any]]:
    import ibis

    apart = (steps.n_here * steps.m_all - steps.m_here * steps.n_all).abs()
    # Halves, because the difference of two floats may not be one. After a cell's last value there is none.
    step = (steps.next / 2 - steps.x / 2).fill_null(0.0)
    steps = steps.mutate(
        apart=apart, term=apart.cast("float64") / (steps.n_all.cast("float64") * steps.m_all.cast("float64")) * step
    )
    exponent = ibis.ifelse(steps.term > 0, steps.term, 1.0).log2().floor().cast("int64").clip(lower=_TINIEST)
    passed = (steps.n_before * bins // steps.n_all) < (steps.n_here * bins // steps.n_all)
    steps = steps.mutate(exponent=exponent, passed=ibis.ifelse(passed, steps.n_here, 0))
    steps = steps.mutate(scaled=steps.term * ibis.literal(2.0, "float64").pow(-steps.exponent) * steps.ticks)
    steps = steps.mutate(coarse=steps.scaled.floor().cast("float64"))
    steps = steps.mutate(fine=((steps.scaled - steps.coarse) * steps.ticks).floor().cast("float64"))
    found = steps.group_by("column", "exponent", "passed").agg(
        distance=steps.apart.max(), coarse=steps.coarse.sum(), fine=steps.fine.sum(), x=steps.x.max(),
        n_before=steps.n_before.max(), n_here=steps.n_here.max(),
        m_before=steps.m_before.max(), m_here=steps.m_here.max(), ticks=steps.ticks.max(),
    )  # fmt: skip
    listed: list[dict[str, Any]] = found.to_pyarrow().to_pylist()
    return listed
