"""Intervals against published values, scipy, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, studentized_range

from ml_compliance.stats import intervals


def test_wilson_is_newcombes_published_table() -> None:
    # Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3.
    for successes, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
                                    (1, 29, 0.0061, 0.1718)):  # fmt: skip
        found = intervals.rate_interval(successes, n)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(case: tuple[int, int]) -> None:
    successes, n = case
    found = intervals.rate_interval(successes, n)
    reference = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert found.low <= successes / n <= found.high


@pytest.mark.parametrize("k", [2, 3, 8, 50])
def test_the_studentised_range_is_scipys(k: int) -> None:
    reference = studentized_range.ppf(0.95, k, 1e9)
    assert intervals.studentized_range_quantile(0.95, k) == pytest.approx(reference, abs=1e-6)


def test_two_groups_give_newcombes_published_interval() -> None:
    # Newcombe 1998 (Statistics in Medicine 17:873), table II, method 10: 56/70 − 48/80.
    low, high = intervals.range_of_rates([(56, 70), (48, 80)])
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("k", "n", "gap"), [(2, 50, 0.0), (8, 50, 0.0), (8, 50, 0.2), (4, 500, 0.05)])
def test_the_range_of_rates_is_covered(k: int, n: int, gap: float) -> None:
    """The cells in which a percentile bootstrap covers between 0 % and 84 %."""
    random = np.random.default_rng(20240611)
    truth = np.full(k, 0.3)
    truth[-1] += gap
    draws = random.binomial(n, truth, size=(400, k))
    hits = 0
    for draw in draws:
        low, high = intervals.range_of_rates([(int(x), n) for x in draw])
        hits += low <= gap <= high
    assert hits / len(draws) >= 0.93


@pytest.mark.parametrize(("k", "n", "ratio"), [(2, 50, 1.0), (8, 50, 1.0), (4, 500, 0.8)])
def test_the_ratio_of_rates_is_covered(k: int, n: int, ratio: float) -> None:
    random = np.random.default_rng(20240611)
    truth = np.full(k, 0.4)
    truth[-1] *= ratio
    draws = random.binomial(n, truth, size=(400, k))
    bounds = [intervals.ratio_of_rates([(int(x), n) for x in draw]) for draw in draws]
    assert np.mean([low <= ratio <= high for low, high in bounds]) >= 0.95


def test_auc_bounds_are_covered_and_ordered() -> None:
    random = np.random.default_rng(7)
    hits = 0
    for _ in range(300):
        positives, negatives = random.normal(1.0, 1, 40), random.normal(0, 1, 60)
        auc = float(np.mean(positives[:, None] > negatives[None, :]))
        found = intervals.auc_interval(auc, 40, 60)
        assert found.low <= auc <= found.high
        hits += found.low <= 0.7602 <= found.high  # Φ(1/√2)
    assert hits / 300 >= 0.93


def test_a_perfect_auc_has_an_upper_bound_of_one() -> None:
    found = intervals.auc_interval(1.0, 30, 30)
    assert found.high == 1.0
    assert 0.8 < found.low < 1.0


def test_a_mean_of_one_row_has_no_interval() -> None:
    assert intervals.mean_interval(0.5, 0.25, 1) is None
    found = intervals.mean_interval(10.0, 12.0, 20)
    assert found is not None
    assert found.low < 0.5 < found.high
