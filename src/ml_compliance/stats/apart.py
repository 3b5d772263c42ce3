"""How far two distributions of numbers are apart, whichever way that was found, and their counts by quantiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Edge:
    """A value at which a quantile of the reference lies, with the rows of each table below it and up to it."""

    value: float
    reference: tuple[int, int]
    current: tuple[int, int]


@dataclass(frozen=True)
class Bins:
    """Counts by bins, which are open at both ends and contain their upper edge; the last count is missing values."""

    edges: tuple[float, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]


@dataclass(frozen=True)
class Apart:
    """Two distributions of `rows` values: D = max |F − G|, as `scipy.stats.ks_2samp` defines it, and ∫|F − G|dx in the
    unit of the values, as `scipy.stats.wasserstein_distance` does.

    `wasserstein` is not finite when the values are infinite or it exceeds the range of a float. `edges` are the values
    on which one of the quantiles 1/`bins`, 2/`bins`, … 1 of the reference falls.
    """

    rows: tuple[int, int]
    kolmogorov_smirnov: float
    wasserstein: float
    bins: int
    edges: tuple[Edge, ...]

    def binned(self, missing: tuple[int, int]) -> Bins:
        """Counts by the quantiles of the reference (the least value x with F(x) ≥ i/bins), ties collapsed.

        A value that several quantiles fall on has a bin of its own, so that a move below or above it is seen.
        `missing` counts the missing values of each table.
        """
        n, m = self.rows
        cuts: list[tuple[float, int, int]] = []
        for edge in sorted(self.edges, key=lambda edge: edge.value):
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


def _steps(cumulated: Sequence[int], total: int) -> tuple[int, ...]:
    every = [0, *cumulated, total]
    return tuple(after - before for before, after in pairwise(every))
