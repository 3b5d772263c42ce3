"""How far two samples of numbers are apart, from their values in ascending order, NaN left out.

Sorting is all the work: what comes after looks at few of the values, or at each once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ml_compliance.stats.apart import Apart, Edge

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Of so many neighbouring values one is looked at first.
_STRIDE = 64
# Values that are subtracted at a time: few enough to stay in a processor's cache.
_CHUNK = 2**15
# Differences of values beyond this may exceed a float: they are taken at a smaller scale.
_LARGE, _SMALLER = 2.0**960, -80


def apart(reference: Floats, current: Floats, bins: int) -> Apart:
    """What is to be known of two sorted samples, neither of which is empty; infinities may be in them."""
    n, m = len(reference), len(current)
    distance = max(_ahead(reference, current), _ahead(current, reference)) / (n * m)
    return Apart((n, m), distance, _area(reference, current), bins, tuple(_edges(reference, current, bins)))


def _ahead(one: Floats, other: Floats) -> int:
    """max (F − G)·n·m, a whole number, where F is the distribution function of `one` and G that of `other`.

    It lies on a value of `one`. Between two values that were looked at, F is at most what it is at the later and G at
    least what it is at the earlier: most stretches cannot hold the maximum.
    """
    import numpy as np

    n, m = len(one), len(other)
    first = np.arange(0, n, _STRIDE)
    passed = np.searchsorted(other, one[first], "right")
    known = int(((first + 1) * m - passed * n).max())
    most = np.minimum(first + _STRIDE, n) * m - passed * n
    able, within = np.flatnonzero(most > known), np.arange(1, _STRIDE)
    for start in range(0, len(able), _CHUNK // _STRIDE):
        some = able[start : start + _CHUNK // _STRIDE]
        places = (first[some[most[some] > known], None] + within).ravel()
        places = places[places < n]
        gaps = (places + 1) * m - np.searchsorted(other, one[places], "right") * n
        known = max(known, int(gaps.max(initial=known)))
    return known


def _area(reference: Floats, current: Floats) -> float:
    """∫|F − G|dx as ∫|F⁻¹ − G⁻¹|du: both samples are spread over the same length, and facing values subtracted."""
    ends = [float(side[place]) for side in (reference, current) for place in (0, -1)]
    if not all(map(math.isfinite, ends)):
        return math.nan
    power = _SMALLER if max(map(abs, ends)) > _LARGE else 0
    if power:
        reference, current = reference * 2.0**power, current * 2.0**power
    one, other = (reference, current) if len(reference) >= len(current) else (current, reference)
    total = math.fsum(_facing(one, other, start) for start in range(0, len(one), _CHUNK))
    try:
        return math.ldexp(total / len(one), -power)
    except OverflowError:
        return math.inf


def _facing(one: Floats, other: Floats, start: int) -> float:
    """Σ |difference| between some values of `one`, from `start` on, and those of `other`, of which there are not more:
    a value of `one` faces one or two of them, in shares that add up to 1.
    """
    import numpy as np

    n, m = len(one), len(other)
    values = one[start : start + _CHUNK]
    if n == m:
        return float(np.abs(values - other[start : start + _CHUNK]).sum())
    # In units of 1 / (n·m), a value of `one` is m long and one of `other` n: all are whole numbers.
    begin = np.arange(start, start + len(values)) * m
    place = begin // n
    share = np.minimum((place + 1) * n - begin, m)
    first, second = np.abs(values - other[place]), np.abs(values - other[np.minimum(place + 1, m - 1)])
    return float((share / m * first + (m - share) / m * second).sum())


def _edges(reference: Floats, current: Floats, bins: int) -> Iterator[Edge]:
    """The values on which the quantiles of the reference fall."""
    import numpy as np

    n = len(reference)
    # Adding 0 makes 0 of −0, which compares equal to it and is written otherwise.
    values = np.unique(reference[-(-np.arange(1, bins + 1) * n // bins) - 1]) + 0.0
    counts = [
        np.searchsorted(side, values, where).tolist() for side in (reference, current) for where in ("left", "right")
    ]
    for value, below, here, others_below, others_here in zip(values.tolist(), *counts, strict=True):
        yield Edge(value, (below, here), (others_below, others_here))
