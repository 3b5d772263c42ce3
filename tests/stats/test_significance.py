"""p-values against scipy, and in simulation where nothing is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, false_discovery_control

from ml_compliance.stats import intervals, significance


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_benjamini_hochberg_is_scipys(p_values: list[float]) -> None:
    found = significance.benjamini_hochberg(p_values)
    assert found == pytest.approx(list(false_discovery_control(p_values)), abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=5))
def test_a_group_against_the_rest_is_scipys_corrected_chi_squared(table: list[tuple[int, int]]) -> None:
    rates = [(hits, hits + misses) for hits, misses in table]
    hits, trials = sum(x for x, _ in rates), sum(n for _, n in rates)
    for (x, n), p in zip(rates, significance.differs_from_rest(rates), strict=True):
        square = [[x, n - x], [hits - x, trials - n - hits + x]]
        if 0 in (n, trials - n, hits, trials - hits):
            assert p == 1.0
        else:
            assert p == pytest.approx(chi2_contingency(square, correction=True).pvalue, abs=1e-12)


def test_no_more_than_one_in_twenty_findings_is_false_among_ten_thousand_null_slices() -> None:
    random = np.random.default_rng(20240611)
    wrong = 0
    for _ in range(20):
        slices = random.integers(20, 400, 500)
        rates = [(int(random.binomial(n, 0.3)), int(n)) for n in slices]
        adjusted = significance.benjamini_hochberg(significance.differs_from_rest(rates))
        wrong += any(p <= 0.05 for p in adjusted)
    assert wrong / 20 <= 0.1  # 5 % expected at most, of families in which every finding is false


@given(st.lists(st.tuples(st.integers(0, 80), st.just(80)), min_size=2, max_size=6), st.floats(0, 0.5))
def test_the_p_value_agrees_with_the_interval(rates: list[tuple[int, int]], limit: float) -> None:
    low, _ = intervals.range_of_rates(rates)
    p = significance.range_exceeds(rates, limit)
    if abs(low - limit) > 1e-6:
        assert (p < 0.05) == (low > limit)
    _, high = intervals.ratio_of_rates(rates)
    q = significance.ratio_falls_short(rates, 0.8)
    if abs(high - 0.8) > 1e-6:
        assert (q < 0.05) == (high < 0.8)


@pytest.mark.parametrize(("k", "n", "gap"), [(2, 80, 0.1), (6, 60, 0.0), (6, 400, 0.1)])
def test_a_disparity_at_its_limit_is_rarely_called_beyond_it(k: int, n: int, gap: float) -> None:
    random = np.random.default_rng(5)
    truth = np.full(k, 0.3)
    truth[-1] += gap
    draws = random.binomial(n, truth, size=(150, k))
    called = [significance.range_exceeds([(int(x), n) for x in draw], gap) < 0.05 for draw in draws]
    assert np.mean(called) <= 0.06
