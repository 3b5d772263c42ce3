"""Two distributions of numbers as consecutive cells of counts, and what is exact about them without the rows.

A cell is a stretch of the number line with the rows of each table in it. How far two distribution functions are apart
is known at its two ends. Between them it matters only where the greatest distance may lie, where the functions may
cross, and where a decile lies: only such cells have to be looked into.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ml_compliance.stats.apart import Apart, Edge

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """Cells in ascending order, an array for each property.

    `low` and `high` are the least and the greatest value inside. `reference` and `current` count rows; the areas are
    Σ (high − x) over them, exact enough to be used where `summed` holds. `segment` and `number` say where the cell
    is found again.
    """

    low: Floats
    high: Floats
    reference: Integers
    current: Integers
    reference_area: Floats
    current_area: Floats
    summed: Flags
    segment: Integers
    number: Integers

    def __len__(self) -> int:
        return len(self.low)

    def where(self, chosen: Flags | Integers) -> Cells:
        """The cells that a mask or an array of places chooses."""
        return Cells(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


@dataclass(frozen=True)
class Inside:
    """What looking into cells found: the greatest |F·n·m − G·n·m|, ∫|F − G|dx over the cells, and their edges."""

    distance: int = 0
    area: float = 0.0
    edges: tuple[Edge, ...] = ()


def point(value: float, reference: int, current: int) -> Cells:
    """One cell that is a single value."""
    return whole(value, value, reference, current)


def whole(low: float, high: float, reference: int, current: int, segment: int = -1) -> Cells:
    """One cell of which nothing is known but its ends and its rows."""
    import numpy as np

    return Cells(
        np.array([low]), np.array([high]), np.array([reference]), np.array([current]), np.zeros(1), np.zeros(1),
        np.array([False]), np.array([segment]), np.array([0]),
    )  # fmt: skip


def joined(parts: Sequence[Cells]) -> Cells:
    """All cells of `parts`, in ascending order."""
    import numpy as np

    every: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Cells)
    }
    return Cells(**every).where(np.argsort(every["low"], kind="stable"))


@dataclass(frozen=True)
class Pair:
    """Two distributions over the same cells; both have rows."""

    cells: Cells
    bins: int

    @property
    def rows(self) -> tuple[int, int]:
        return int(self.cells.reference.sum()), int(self.cells.current.sum())

    def before(self) -> tuple[Integers, Integers]:
        """How many rows of each table are in the cells before each."""
        return tuple(counts.cumsum() - counts for counts in (self.cells.reference, self.cells.current))  # type: ignore[return-value]

    def _apart(self) -> tuple[Integers, Integers]:
        """(F − G)·n·m before and after each cell: whole numbers, so that nothing is rounded."""
        n, m = self.rows
        reference, current = self.before()
        start = reference * m - current * n
        return start, start + self.cells.reference * m - self.cells.current * n

    def _passed(self) -> tuple[Integers, Integers]:
        """How many quantiles of the reference lie before, and up to the end of, each cell."""
        n, _ = self.rows
        before, _ = self.before()
        return before * self.bins // n, (before + self.cells.reference) * self.bins // n

    def unclear(self) -> Flags:
        """The cells that have to be looked into: the answer depends on where in them the rows are."""
        import numpy as np

        n, m = self.rows
        start, end = self._apart()
        # Between its ends F − G is at most what it is when all reference rows of the cell come first.
        most, least = start + self.cells.reference * m, start - self.cells.current * n
        known = int(np.abs(end).max())
        further = (most > known) | (least < -known)
        crossing = (most > 0) & (least < 0)
        first, last = self._passed()
        inner = self.cells.low < self.cells.high
        result: Flags = inner & (further | crossing | (first < last) | ~self.cells.summed)
        return result

    def apart(self, inside: Inside) -> Apart:
        """How far the two are apart, when `inside` is what the unclear cells hold."""
        edges = (*inside.edges, *self._points())
        return Apart(self.rows, self._distance(inside), self._area(inside), self.bins, edges)

    def _distance(self, inside: Inside) -> float:
        """max |F − G|."""
        import numpy as np

        n, m = self.rows
        _, end = self._apart()
        return max(int(np.abs(end).max()), inside.distance) / (n * m)

    def _area(self, inside: Inside) -> float:
        """∫|F − G|dx."""
        import numpy as np

        n, m = self.rows
        start, end = self._apart()
        clear = ~self.unclear()
        cells = self.cells
        with np.errstate(all="ignore"):
            within = start / (n * m) * (cells.high - cells.low) + cells.reference_area / n - cells.current_area / m
            apart = np.where(cells.high > cells.low, np.abs(within), 0.0)[clear]
            between = np.abs(end[:-1]) / (n * m) * (cells.low[1:] - cells.high[:-1])
        # An infinity that both tables have as often is no distance, but none that a difference can tell.
        terms = [inside.area, *apart.tolist(), *between.tolist()]
        return math.fsum(terms) if all(map(math.isfinite, terms)) else math.nan

    def _points(self) -> list[Edge]:
        """The edges that are cells of a single value."""
        first, last = self._passed()
        reference, current = self.before()
        places = ((first < last) & (self.cells.low == self.cells.high)).nonzero()[0]
        return [
            Edge(
                float(self.cells.low[place]),
                (int(reference[place]), int(reference[place] + self.cells.reference[place])),
                (int(current[place]), int(current[place] + self.cells.current[place])),
            )
            for place in places
        ]
