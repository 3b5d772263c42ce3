"""scipy is the reference for each distance; the PSI has an independent formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.special import chdtrc, kolmogorov
from scipy.stats import chi2_contingency

from ml_compliance.stats import drift

SIDES = st.integers(1, 12).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, 10_000), min_size=size, max_size=size)] * 2)
).filter(lambda sides: all(map(sum, sides)))  # fmt: skip


@given(SIDES, st.sampled_from([1e-4, 1e-6, 0.01]))
def test_psi_by_entropies(sides: tuple[list[int], list[int]], floor: float) -> None:
    """Σ (r − c)·ln(r/c) is the sum of both relative entropies."""
    r, c = (np.maximum(np.array(side) / sum(side), floor) for side in sides)
    expected = float(np.sum(r * np.log(r)) - np.sum(r * np.log(c)) + np.sum(c * np.log(c)) - np.sum(c * np.log(r)))
    assert drift.psi(*sides, floor, "e") == pytest.approx(expected, abs=1e-12)
    assert drift.psi(*sides, floor, "2") == pytest.approx(expected / math.log(2), abs=1e-12)


def test_psi_worked_by_hand() -> None:
    assert drift.psi([50, 50], [80, 20], 1e-4, "e") == pytest.approx(0.3 * math.log(1.6) + 0.3 * math.log(2.5))
    assert drift.psi([100, 0], [100, 0], 1e-4, "e") == 0
    # An empty bin counts as the floor, not as nothing.
    assert drift.psi([100, 0], [0, 100], 1e-4, "e") == pytest.approx(2 * (1 - 1e-4) * math.log(1e4))


@given(SIDES)
def test_jensen_shannon_is_scipys(sides: tuple[list[int], list[int]]) -> None:
    r, c = (np.array(side) / sum(side) for side in sides)
    for log, base in (("e", None), ("2", 2)):
        with np.errstate(invalid="ignore"):
            expected = float(jensenshannon(r, c, base=base))
        found = drift.jensen_shannon(*sides, log)  # type: ignore[arg-type]
        # The square: scipy's own root of a difference of nearly equal numbers keeps half the digits, or is NaN.
        assert found**2 == pytest.approx(0.0 if math.isnan(expected) else expected**2, abs=1e-12)
        if expected > 1e-3:
            assert found == pytest.approx(expected, abs=1e-12)


def test_jensen_shannon_keeps_its_digits_where_the_two_are_nearly_equal() -> None:
    n = 10**9
    # To second order, JS = Σ (r − c)² / (8·mean).
    expected = math.sqrt(2 * (1 / n) ** 2 / 8 / 0.5)
    assert drift.jensen_shannon([n // 2, n // 2], [n // 2 + 1, n // 2 - 1], "e") == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("d", [0.0009999, 0.001, 0.0010001])
def test_the_series_meets_the_formula(d: float) -> None:
    exact = (1 + d) * math.log1p(d) + (1 - d) * math.log1p(-d)
    assert drift._excess(d) == pytest.approx(exact, rel=1e-9)


@given(SIDES)
def test_chi_squared_is_scipys(sides: tuple[list[int], list[int]]) -> None:
    table = np.array(sides)
    expected = chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False)
    found = drift.chi_squared(*sides)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12, abs=1e-12)
    assert found.dof == expected.dof
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-12)


@given(st.floats(0, 2_000), st.integers(1, 500))
def test_the_tail_of_chi_squared_is_scipys(statistic: float, dof: int) -> None:
    assert drift.chi_squared_p(statistic, dof) == pytest.approx(chdtrc(dof, statistic), rel=1e-9, abs=1e-12)


@given(st.floats(0, 1), st.integers(1, 100_000), st.integers(1, 100_000))
def test_the_tail_of_kolmogorov_is_scipys(distance: float, n: int, m: int) -> None:
    expected = kolmogorov(distance * math.sqrt(n * m / (n + m)))
    assert drift.kolmogorov_p(distance, n, m) == pytest.approx(expected, rel=1e-9, abs=1e-12)
