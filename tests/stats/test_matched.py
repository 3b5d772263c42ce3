"""Intervals and tests for two estimates from the same rows, against published values, scipy and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from ml_compliance.stats import matched
from ml_compliance.stats.intervals import normal_quantile, wilson

counts = st.integers(0, 300)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        # Newcombe 1998 (Statistics in Medicine 17:2635), table II, method 10.
        ((36, 12, 2, 0), 0.0569, 0.3404),
        # Fagerland, Lydersen and Laake 2017 (Statistical Analysis of Contingency Tables), chapter 8.
        ((59, 6, 16, 80), -0.1186, -0.0046),
    ],
)
def test_paired_rates_are_the_published_ones(table: tuple[int, int, int, int], low: float, high: float) -> None:
    assert matched.paired_rates(*table) == pytest.approx((low, high), abs=5e-5)


def test_the_ratio_of_paired_rates_is_the_published_one() -> None:
    # Fagerland, Lydersen and Laake 2017, chapter 8: variance recovery from Wilson's limits, with φ as it is.
    both, first, second, neither = 59, 6, 16, 80
    n, one, two = 161, both + first, both + second
    z = normal_quantile(0.95)
    phi = (both * neither - first * second) / math.sqrt(one * (n - one) * two * (n - two))
    found = matched.ratio_bounds(one / n, wilson(one, n, z), two / n, wilson(two, n, z), phi)
    assert found == pytest.approx((0.7592, 0.9866), abs=5e-5)


@given(counts, counts, counts, counts)
def test_paired_rates_hold_the_estimate_and_turn_with_the_models(
    both: int, first: int, second: int, neither: int
) -> None:
    n = both + first + second + neither
    if n == 0:
        return
    low, high = matched.paired_rates(both, first, second, neither)
    assert -1 <= low <= (first - second) / n <= high <= 1
    assert low < high
    assert matched.paired_rates(both, second, first, neither) == pytest.approx((-high, -low), abs=1e-12)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemar_is_scipys_binomial_test(first: int, second: int) -> None:
    reference = binomtest(first, first + second).pvalue if first + second else 1.0
    # Where the reference has come to 0 already, ours may still be a number.
    assert matched.mcnemar(first, second) == pytest.approx(reference, rel=1e-9, abs=1e-300 if reference else 1e-290)


def test_mcnemar_of_many_rows_is_quick_and_close() -> None:
    assert matched.mcnemar(5_001_000, 4_999_000) == pytest.approx(binomtest(5_001_000, 10_000_000).pvalue, rel=1e-6)


def test_a_ratio_to_what_may_be_zero_has_no_bounds() -> None:
    assert matched.ratio_bounds(0.5, (0.4, 0.6), 0.1, (-0.1, 0.3), 0.0) is None
    assert matched.ratio_bounds(0.5, (0.4, 0.6), 0.0, (0.0, 0.1), 0.0) is None


@given(st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(-1, 1), st.floats(0.01, 0.09))
def test_a_bound_of_the_ratio_is_where_a_bound_of_the_difference_is_zero(
    one: float, two: float, correlation: float, off: float
) -> None:
    limits = (one - off, one + off), (two - off / 2, two + off / 2)
    found = matched.ratio_bounds(one, limits[0], two, limits[1], correlation)
    assert found is not None
    for place, ratio in enumerate(found):
        of_two = tuple(ratio * bound for bound in limits[1])
        bounds = matched.difference_bounds(one, limits[0], ratio * two, (of_two[0], of_two[1]), correlation)
        assert bounds[place] == pytest.approx(0, abs=1e-7)


def test_the_bootstrap_repeats_itself_and_has_the_right_moments() -> None:
    cells = (40, 3, 5, 12, 8, 2, 1, 29)
    draws = matched.resampled(cells)
    assert draws.shape == (8, matched.DRAWS)
    assert np.array_equal(draws, matched.resampled(cells))
    assert (draws.sum(axis=0) == 100).all()
    expected = 100 * (np.array(cells) + 0.25) / 102
    assert draws.mean(axis=1) == pytest.approx(expected, abs=0.5)


def test_percentiles_hold_the_estimate_and_need_every_draw() -> None:
    draws = np.linspace(0, 1, 1001)
    assert matched.percentiles(draws, 0.5) == pytest.approx((0.025, 0.975))
    assert matched.percentiles(draws, -0.1) == pytest.approx((-0.1, 0.975))
    assert matched.percentiles(np.array([0.1, np.nan]), 0.1) is None
    assert matched.percentiles(np.array([0.1, np.inf]), 0.1) is None
