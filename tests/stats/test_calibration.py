"""Calibration against scikit-learn and formulas of its own, its intervals against simulation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import halfnorm
from sklearn.calibration import calibration_curve

from ml_compliance.stats import calibration as stats
from ml_compliance.stats.calibration import Bin, Cutoffs, Reliability
from ml_compliance.stats.counts import Group


def reliability(score: Any, label: Any, bins: int = 10) -> Reliability:
    number = np.minimum((np.asarray(score) * bins).astype(int), bins - 1)
    return Reliability(
        {
            int(one): Bin(
                int((number == one).sum()),
                int(label[number == one].sum()),
                sum((Decimal(float(value)) for value in score[number == one]), Decimal(0)),
            )
            for one in np.unique(number)
        }
    )


def drawn(n: int = 2_000, seed: int = 3) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    score = random.random(n)
    return score, (random.random(n) < score**1.5).astype(int)


def test_bins_and_errors_are_those_of_scikit_learns_curve() -> None:
    score, label = drawn()
    found = reliability(score, label)
    rates, means = calibration_curve(label, score, n_bins=10)
    assert [part.rate for part in found.bins.values()] == pytest.approx(rates.tolist(), abs=1e-12)
    assert [part.mean_score for part in found.bins.values()] == pytest.approx(means.tolist(), abs=1e-12)
    shares = np.array([part.n for part in found.bins.values()]) / len(score)
    ece, mce, gap = stats.calibrations(found, 30)
    assert ece.value == pytest.approx(float((shares * abs(rates - means)).sum()), abs=1e-12)
    assert mce.value == pytest.approx(float(abs(rates - means).max()), abs=1e-12)
    assert mce.method["bin"] == abs(rates - means).argmax()
    assert gap.value == pytest.approx(float(score.mean() - label.mean()), abs=1e-12)
    assert [item.name for item in (ece, mce, gap)] == list(stats.NAMES)


PARTS = st.tuples(st.integers(1, 60), st.floats(0, 1), st.floats(0, 1)).map(
    lambda part: Bin(part[0], round(part[0] * part[1]), (Decimal(part[2]) * part[0]).quantize(Decimal("1e-17")))
)


@given(st.dictionaries(st.integers(0, 9), PARTS, min_size=1))
def test_estimates_lie_in_their_intervals_and_in_range(bins: dict[int, Bin]) -> None:
    ece, mce, gap = stats.calibrations(Reliability(bins), 1)
    for found, least in ((ece, 0.0), (mce, 0.0), (gap, -1.0)):
        assert found.value is not None
        assert found.interval is not None
        assert least - 1e-12 <= found.interval.low <= found.value <= found.interval.high <= 1 + 1e-12
    assert ece.value is not None
    assert mce.value is not None
    assert gap.value is not None
    assert abs(gap.value) <= ece.value + 1e-12
    assert ece.value <= mce.value + 1e-12


@given(st.dictionaries(st.integers(0, 9), PARTS), st.dictionaries(st.integers(0, 9), PARTS))
def test_bins_of_groups_add_up(one: dict[int, Bin], other: dict[int, Bin]) -> None:
    both = Reliability(one) + Reliability(other)
    assert list(both.bins) == sorted(one.keys() | other.keys())
    assert both.total == Reliability(one).total + Reliability(other).total


def test_one_class_alone_is_calibrated_or_not_like_any_other() -> None:
    nobody = Reliability({0: Bin(500, 0, Decimal(5))})
    ece, _, gap = stats.calibrations(nobody, 30)
    assert (ece.value, gap.value) == (0.01, 0.01)
    assert gap.interval is not None
    assert gap.interval.low < 0.01


def test_the_greatest_error_is_not_that_of_a_bin_with_one_case() -> None:
    found = Reliability({0: Bin(100, 10, Decimal(5)), 9: Bin(1, 0, Decimal("0.95"))})
    mce = stats.maximum_calibration_error(found, 30)
    assert mce.value == pytest.approx(0.05)
    assert mce.method == {
        "least_cases": 30, "excluded_bins": 1, "over_every_bin": pytest.approx(0.95), "bin": 0, "cases": 100
    }  # fmt: skip
    nothing = stats.maximum_calibration_error(found, 101)
    assert (nothing.value, nothing.reason) == (None, "no bin has 101 cases")


@pytest.mark.parametrize("shift", [0.0, 0.03, 0.2])
@pytest.mark.parametrize("n", [60, 400, 5_000])
def test_intervals_cover_the_truth_also_where_it_is_nothing(n: int, shift: float) -> None:
    """Nominal 95 %; the standard error of a share of 400 is 1.1 %."""
    random = np.random.default_rng(n)
    score = random.beta(0.8, 2, n)
    true = np.clip(score + shift * np.where(score < 0.3, 1, -1), 0, 1)
    number = np.minimum((score * 10).astype(int), 9)
    gaps = np.array([abs((score - true)[number == one].sum()) for one in range(10)])
    cases = np.bincount(number, minlength=10)
    least = 10 if n < 100 else 30
    large = cases >= least
    truth = (gaps.sum() / n, (gaps[large] / cases[large]).max(), (score - true).mean())
    hits = np.zeros(3)
    for _ in range(400):
        found = stats.calibrations(reliability(score, (random.random(n) < true).astype(int)), least)
        for place, (item, value) in enumerate(zip(found, truth, strict=True)):
            assert item.interval is not None
            hits[place] += item.interval.low - 1e-9 <= value <= item.interval.high + 1e-9
    assert (hits / 400 >= 0.93).all(), hits / 400


def test_of_a_calibrated_model_is_what_a_calibrated_model_gives() -> None:
    random = np.random.default_rng(1)
    score = random.random(500)
    runs = [stats.expected_calibration_error(reliability(score, (random.random(500) < score).astype(int)))
            for _ in range(300)]  # fmt: skip
    mean = np.mean([run.value for run in runs if run.value is not None])
    assert runs[0].method["of_a_calibrated_model"] == pytest.approx(mean, rel=0.05)


def test_the_quantile_of_half_normals_is_scipys() -> None:
    assert stats._half_normal_quantile([1.0]) == pytest.approx(halfnorm.ppf(0.95), rel=0.015)
    random = np.random.default_rng(2)
    for scales in ([1.0, 1.0], [3.0, 1.0, 0.5], [1.0] * 10, [0.01] * 3 + [1.0]):
        drawn = (abs(random.standard_normal((100_000, len(scales)))) * scales).sum(axis=1)
        assert stats._half_normal_quantile(scales) == pytest.approx(np.quantile(drawn, 0.95), rel=0.02)


def cut(score: Any, label: Any, steps: int = 100) -> Cutoffs:
    grid = np.arange(steps + 1) / steps
    selected = np.asarray(score)[:, None] >= grid
    return Cutoffs((selected & (label == 1)[:, None]).sum(axis=0), (selected & (label == 0)[:, None]).sum(axis=0))


def test_metrics_at_a_cutoff() -> None:
    groups = cut(np.array([0.2, 0.4, 0.6, 0.9]), np.array([0, 1, 0, 1]))
    assert groups.at(50) == {"cutoff": 0.5, "accuracy": 0.5, "precision": 0.5, "recall": 0.5, "selection_rate": 0.5}
    assert groups.at(0)["selection_rate"] == 1
    assert groups.at(95)["precision"] is None
    assert cut(np.array([0.2]), np.array([0])).at(50)["recall"] is None
    assert (groups + groups).at(50) == groups.at(50)
    assert (groups + groups).n == 8


def test_the_nearest_cutoff_at_which_parity_is_reached() -> None:
    random = np.random.default_rng(8)
    score = {("a",): random.random(1_000), ("b",): random.random(1_000) ** 2, ("c",): random.random(20)}
    groups: dict[Group, Cutoffs] = {group: cut(values, np.ones(len(values))) for group, values in score.items()}
    both = groups[("a",)] + groups[("b",)]
    difference = stats.parity_by_cutoff(groups, 30)
    assert difference is not None
    for k in (10, 50, 90):
        rates = [(values >= k / 100).mean() for group, values in score.items() if group != ("c",)]
        assert difference[k] == pytest.approx(max(rates) - min(rates), abs=1e-12)
    for limit in (0.02, 0.1, 0.2):
        found = stats.cutoff_for(limit, difference, both.selection_rate, 0.5)
        assert found is not None
        assert difference[found] <= limit
        assert 0 < both.selection_rate[found] < 1
        nearer = range(50 - abs(found - 50) + 1, 50 + abs(found - 50))
        assert all(difference[k] > limit for k in nearer)
    assert stats.cutoff_for(0.3, difference, both.selection_rate, 0.5) == 50
    assert stats.cutoff_for(-1, difference, both.selection_rate, 0.5) is None
    assert stats.parity_by_cutoff({("c",): groups[("c",)], ("a",): groups[("a",)]}, 30) is None


def test_selecting_everybody_or_nobody_is_no_answer() -> None:
    difference, rate = np.array([0.0, 0.4, 0.3, 0.0]), np.array([1.0, 0.7, 0.2, 0.0])
    assert stats.cutoff_for(0.2, difference, rate, 0.5) is None
    assert stats.cutoff_for(0.3, difference, rate, 0.0) == 2
