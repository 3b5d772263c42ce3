"""How far two distributions are apart, from the counts of their bins. scipy is the reference for what it has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Log = Literal["e", "2"]
_BASE: dict[Log, float] = {"e": math.e, "2": 2.0}
# Below this the exact formula loses more digits than its series.
_SMALL = 1e-3
# For λ below the one P(D ≥ d) is 1 to all digits; above the other the series for large λ converges faster.
_SURE, _LARGE = 0.04, 1.18
_TERMS = 20


@dataclass(frozen=True)
class Test:
    """A test statistic, its degrees of freedom and its p-value."""

    statistic: float
    dof: int
    p: float


def psi(reference: Sequence[int], current: Sequence[int], floor: float, log: Log) -> float:
    """Population stability index, Σ (r − c)·log(r/c) over the shares r and c of each bin.

    Shares below `floor` count as `floor`, so that an empty bin weighs much and not infinitely; they are not brought
    back to a sum of 1. Counts are in the same order; neither side may be empty.
    """
    pairs = [(max(r, floor), max(c, floor)) for r, c in zip(_shares(reference), _shares(current), strict=True)]
    return math.fsum((r - c) * math.log(r / c) for r, c in pairs) / math.log(_BASE[log])


def jensen_shannon(reference: Sequence[int], current: Sequence[int], log: Log) -> float:
    """Jensen–Shannon distance: the root of the mean divergence of both from their mean, 0 to √(log 2).

    As `scipy.spatial.distance.jensenshannon`, but by terms that are never negative (see `_excess`), so that no digits
    are lost where the two are nearly equal.
    """
    terms = []
    for r, c in zip(_shares(reference), _shares(current), strict=True):
        if r + c > 0:
            terms.append((r + c) / 4 * _excess((r - c) / (r + c)))
    return math.sqrt(math.fsum(terms) / math.log(_BASE[log]))


def _excess(d: float) -> float:
    """(1 + d)·ln(1 + d) + (1 − d)·ln(1 − d) for −1 ≤ d ≤ 1."""
    if abs(d) < _SMALL:
        return d * d * (1 + d * d / 6 + d**4 / 15)
    return math.fsum((1 + side) * math.log1p(side) for side in (d, -d) if side > -1)


def chi_squared(reference: Sequence[int], current: Sequence[int]) -> Test:
    """Pearson's test of independence of a 2 × k table; bins that are empty in both tables are left out.

    As `scipy.stats.chi2_contingency(…, correction=False)`.
    """
    pairs = [(r, c) for r, c in zip(reference, current, strict=True) if r + c]
    n, m = sum(reference), sum(current)
    # (observed − expected)² / expected of both cells of a column, added up.
    terms = [(r * m - c * n) ** 2 / (n * m * (r + c)) for r, c in pairs]
    statistic, dof = math.fsum(terms), len(pairs) - 1
    return Test(statistic, dof, chi_squared_p(statistic, dof))


def chi_squared_p(statistic: float, dof: int) -> float:
    """P(χ² ≥ statistic): the finite sums of Abramowitz & Stegun 26.4.4 and 26.4.5."""
    half = statistic / 2
    if half <= 0 or dof == 0:
        return 1.0
    start, tail = (1.0, 0.0) if dof % 2 == 0 else (0.5, math.erfc(math.sqrt(half)))
    powers = [
        math.exp(exponent * math.log(half) - half - math.lgamma(exponent + 1))
        for exponent in (start - 1 + step if dof % 2 == 0 else start + step for step in range(dof // 2))
    ]
    return min(1.0, math.fsum([tail, *powers]))


def kolmogorov_p(distance: float, n: int, m: int) -> float:
    """P(D ≥ distance) for samples of n and m from one distribution, by Kolmogorov's limit.

    λ = D·√(nm/(n + m)), as `scipy.special.kolmogorov(λ)`: for large λ 2·Σ(−1)^(k−1)·exp(−2k²λ²), for small ones
    1 − √(2π)/λ·Σ exp(−(2k − 1)²π²/(8λ²)).
    """
    scaled = distance * math.sqrt(n * m / (n + m))
    if scaled < _SURE:
        return 1.0
    if scaled < _LARGE:
        terms = (math.exp(-(((2 * k - 1) * math.pi / scaled) ** 2) / 8) for k in range(1, _TERMS))
        return 1 - math.sqrt(2 * math.pi) / scaled * math.fsum(terms)
    return 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, _TERMS))


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts]
