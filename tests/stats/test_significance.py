"""p-values against scipy, and in simulation where nothing is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, false_discovery_control, ttest_ind_from_stats

from ml_compliance.stats import intervals, significance
from ml_compliance.stats.counts import Counts, Group
from ml_compliance.stats.fairness import DISPARITIES, Minimum, disparities
from ml_compliance.stats.regression import Mean
from ml_compliance.stats.residual_fairness import differs_from_rest, range_exceeds, range_of_means


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
    p = significance.range_exceeds([rates], limit, max)
    if abs(low - limit) > 1e-6:
        assert (p < 0.05) == (low > limit)
    _, high = intervals.ratio_of_rates(rates)
    q = significance.ratio_falls_short([rates], 0.8, min)
    if abs(high - 0.8) > 1e-6:
        assert (q < 0.05) == (high < 0.8)


@given(st.lists(st.tuples(*[st.integers(0, 60)] * 4), min_size=2, max_size=5), st.floats(0, 1))
def test_every_disparity_is_beyond_a_limit_just_when_its_interval_is(
    cells: list[tuple[int, int, int, int]], limit: float
) -> None:
    groups: dict[Group, Counts] = {}
    for place, (tp, fp, fn, tn) in enumerate(cells):
        groups[str(place),] = Counts(tp + 20, fp + 20, fn + 20, tn + 20)
    for found in disparities(groups, Minimum(), dict.fromkeys(DISPARITIES, (limit,))):
        assert found.interval
        (test,) = found.tests
        end = found.interval.low if "difference" in found.name else found.interval.high
        beyond = end > limit if "difference" in found.name else end < limit
        assert test.limit == limit
        if abs(end - limit) > 1e-6:
            assert (test.p < 0.05) == beyond


def test_without_a_limit_the_question_is_whether_there_is_a_disparity_at_all() -> None:
    groups: dict[Group, Counts] = {("a",): Counts(450, 0, 50, 500), ("b",): Counts(250, 0, 250, 500)}
    found = {item.name: item.tests for item in disparities(groups, Minimum())}
    assert [test.limit for test in found["equal_opportunity_difference"]] == [0.0]
    assert [test.limit for test in found["equal_opportunity_ratio"]] == [1.0]
    assert found["equal_opportunity_difference"][0].p < 1e-30
    assert found["demographic_parity_difference"][0].p < 1e-15
    alike: dict[Group, Counts] = {group: Counts(450, 0, 50, 500) for group in groups}
    assert {test.p for item in disparities(alike, Minimum()) for test in item.tests} == {1.0}


@given(st.floats(0, 19), st.integers(2, 60))
def test_the_tail_of_the_range_falls_and_keeps_its_digits(z: float, k: int) -> None:
    tail = significance.range_tail(z, k)
    assert 0 < tail <= 1 + 1e-12
    assert significance.range_tail(z + 0.5, k) < tail or tail > 0.999
    assert tail <= k * (k - 1) / 2 * math.erfc(z / math.sqrt(2)) * (1 + 1e-6) + 1e-12


def test_two_groups_are_tested_as_by_the_interval_for_their_difference() -> None:
    """Newcombe's interval of two rates at the confidence 1 − p just reaches the limit."""
    p = significance.range_exceeds([[(90, 200), (55, 200)]], 0.05, max)
    low, _ = intervals.range_of_rates([(90, 200), (55, 200)], 1 - p)
    assert low == pytest.approx(0.05, abs=1e-6)


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 3), st.integers(12, 400)), min_size=2, max_size=5),
    st.floats(0, 3),
)
def test_means_are_beyond_a_limit_just_when_their_interval_is(
    groups: list[tuple[float, float, int]], limit: float
) -> None:
    means = [Mean(value, spread / math.sqrt(n), n) for value, spread, n in groups]
    bounds = range_of_means(means)
    assert bounds
    p = range_exceeds(means, limit)
    if abs(bounds[0] - limit) > 1e-6:
        assert (p < 0.05) == (bounds[0] > limit)


@given(st.floats(-5, 5), st.floats(0.1, 3), st.integers(2, 50), st.integers(2, 500))
def test_a_mean_against_the_rest_is_welchs(value: float, spread: float, n: int, m: int) -> None:
    found = differs_from_rest([(Mean(value, spread / math.sqrt(n), n), Mean(0.3, 1 / math.sqrt(m), m))])
    expected = ttest_ind_from_stats(value, spread, n, 0.3, 1.0, m, equal_var=False).pvalue
    assert found == pytest.approx([expected], rel=1e-9, abs=1e-300)


def test_a_single_row_or_no_spread_is_no_test() -> None:
    one, none = Mean(3.0, None, 1), Mean(2.0, 0.0, 9)
    assert differs_from_rest([(one, none), (none, none), (none, Mean(2.5, 0.0, 3))]) == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(("k", "n", "gap"), [(2, 80, 0.1), (6, 60, 0.0), (6, 400, 0.1)])
def test_a_disparity_at_its_limit_is_rarely_called_beyond_it(k: int, n: int, gap: float) -> None:
    random = np.random.default_rng(5)
    truth = np.full(k, 0.3)
    truth[-1] += gap
    draws = random.binomial(n, truth, size=(150, k))
    called = [significance.range_exceeds([[(int(x), n) for x in draw]], gap, max) < 0.05 for draw in draws]
    assert np.mean(called) <= 0.06
