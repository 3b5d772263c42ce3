"""Two distributions of numbers as consecutive cells of counts, and what is exact about them without the rows.

A cell is a stretch of the number line with the rows of each table in it. How far two distribution functions are apart
is known at its two ends. Between them it matters only where the greatest distance may lie, where the functions may
cross, and where a decile lies: only such cells have to be looked into.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

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
class Edge:
    """A value at which a quantile of the reference lies, with the rows of each table below it and up to it."""

    value: float
    reference: tuple[int, int]
    current: tuple[int, int]


@dataclass(frozen=True)
class Inside:
    """What looking into cells found: the greatest |F·n·m − G·n·m|, ∫|F − G|dx over the cells, and their edges."""

    distance: int = 0
    area: float = 0.0
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True)
class Bins:
    """Counts by bins, which are open at both ends and contain their upper edge; the last count is missing values."""

    edges: tuple[float, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]


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

    def kolmogorov_smirnov(self, inside: Inside) -> float:
        """D = max |F − G|, as `scipy.stats.ks_2samp` defines it."""
        import numpy as np

        n, m = self.rows
        _, end = self._apart()
        return max(int(np.abs(end).max()), inside.distance) / (n * m)

    def wasserstein(self, inside: Inside) -> float:
        """∫|F − G|dx in the unit of the values, as `scipy.stats.wasserstein_distance` defines it.

        Infinite or NaN when the values are infinite or the result exceeds the range of a float.
        """
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

    def binned(self, inside: Inside, missing: tuple[int, int]) -> Bins:
        """Counts by the quantiles of the reference (the least value x with F(x) ≥ i/bins), ties collapsed.

        A value that several quantiles fall on has a bin of its own, so that a move below or above it is seen.
        `missing` counts the missing values of each table.
        """
        n, m = self.rows
        cuts: list[tuple[float, int, int]] = []
        for edge in sorted([*inside.edges, *self._points()], key=lambda edge: edge.value):
            first, last = (count * self.bins // n for count in edge.reference)
            if not math.isfinite(edge.value):
                continue
            if last - first > 1:
                below = math.nextafter(edge.value, -math.inf)
                cuts += [(below, edge.reference[0], edge.current[0])] if math.isfinite(below) else []
            elif last == self.bins:
                continue  # the greatest value needs no edge: above it there is nothing to tell apart from it
            cuts.append((edge.value, edge.reference[1], edge.current[1]))
        reference, current = _steps([cut[1] for cut in cuts], n), _steps([cut[2] for cut in cuts], m)
        edges = tuple(cut[0] for cut in cuts)
        return Bins(edges, (*reference, missing[0]), (*current, missing[1]))

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


def _steps(cumulated: Sequence[int], total: int) -> tuple[int, ...]:
    every = [0, *cumulated, total]
    return tuple(after - before for before, after in pairwise(every))
