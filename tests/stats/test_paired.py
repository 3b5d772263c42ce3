"""Challenger against champion from joint counts: scikit-learn, exact fractions and simulation are the reference."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, sem
from sklearn import metrics as reference

from ml_compliance.stats.counts import Ranking
from ml_compliance.stats.delong import Covariance, ScorePairs, covariances
from ml_compliance.stats.paired import Comparison, Losses, Pairs
from ml_compliance.stats.paired_counts import COUNT_METRICS, count_comparisons
from ml_compliance.stats.paired_scores import score_comparisons
from ml_compliance.stats.ranking import StepRanking

UNRANKED = Ranking(0, Decimal(0))
ADDRESSES = [(label, one, two) for label in (0, 1) for one in (0, 1) for two in (0, 1)]


def compare(*cells: int) -> dict[str, Comparison]:
    return dict(count_comparisons(Pairs(cells)))


def rates(n: int, challenger: int, champion: int) -> dict[str, Comparison]:
    """Two models that are right on `challenger` and `champion` of `n` positives, the better on all of the other's."""
    both, alone = min(challenger, champion), abs(challenger - champion)
    only = (alone, 0) if challenger > champion else (0, alone)
    return compare(5, 0, 0, 0, n - both - alone, only[1], only[0], both)


def rows(cells: tuple[int, ...]) -> list[Any]:
    table = [address for address, n in zip(ADDRESSES, cells, strict=True) for _ in range(n)]
    return [np.array(column) for column in zip(*table, strict=True)]


@settings(max_examples=15, deadline=None)
@given(st.tuples(*[st.integers(5, 40)] * 8))
def test_every_metric_of_both_models_equals_scikit_learn(cells: tuple[int, ...]) -> None:
    y, one, two = rows(cells)
    functions = {
        "accuracy": reference.accuracy_score,
        "balanced_accuracy": reference.balanced_accuracy_score,
        "precision": reference.precision_score,
        "recall": reference.recall_score,
        "f1": reference.f1_score,
        "selection_rate": lambda _, p: p.mean(),
        "true_positive_rate": reference.recall_score,
        "false_positive_rate": lambda t, p: p[t == 0].mean(),
    }
    found = compare(*cells)
    assert tuple(found) == COUNT_METRICS == tuple(functions)
    for name, function in functions.items():
        comparison = found[name]
        expected = function(y, one), function(y, two)
        assert (comparison.challenger, comparison.champion) == pytest.approx(expected, abs=1e-12)
        assert comparison.difference == pytest.approx(expected[0] - expected[1], abs=1e-12)
        assert comparison.relative == pytest.approx((expected[0] - expected[1]) / expected[1], abs=1e-12)
        assert comparison.interval is not None
        assert comparison.difference is not None
        assert comparison.interval.low <= comparison.difference <= comparison.interval.high
        assert comparison.relative is not None
        assert comparison.relative_bounds is not None
        assert comparison.relative_bounds[0] <= comparison.relative <= comparison.relative_bounds[1]


@pytest.mark.parametrize(
    ("n", "challenger", "champion", "difference", "relative"),
    [
        (100, 84, 80, 0.04, 0.05),
        (100, 80, 84, -0.04, -4 / 84),
        (1000, 800, 790, 0.01, 10 / 790),
        (50, 15, 10, 0.1, 0.5),
        (1000, 3, 2, 0.001, 0.5),
        (10**8, 84 * 10**6, 80 * 10**6, 0.04, 0.05),
    ],
)
def test_what_a_law_can_write_down_is_met_exactly(
    n: int, challenger: int, champion: int, difference: float, relative: float
) -> None:
    """No tolerance: 0.84 − 0.80 in floats is less than 0.04, and 0.30 − 0.20 less than 0.1."""
    found = rates(n, challenger, champion)["recall"]
    assert found.difference == difference
    assert found.relative == relative


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n))))
@settings(max_examples=60, deadline=None)
def test_a_difference_is_the_float_nearest_to_it(case: tuple[int, int, int]) -> None:
    n, challenger, champion = case
    found = rates(n, challenger, champion)["recall"]
    assert found.difference == (challenger - champion) / n
    assert found.relative == ((challenger - champion) / champion if champion else None)


def test_the_tests_of_the_rates_rest_on_the_discordant_rows() -> None:
    found = compare(30, 2, 9, 1, 3, 4, 11, 40)
    assert found["accuracy"].method["test"] == {
        "name": "McNemar, exact binomial, two-sided", "challenger_only": 13, "champion_only": 13, "p": 1.0,
    }  # fmt: skip
    recall: Any = found["recall"].method["test"]
    assert (recall["challenger_only"], recall["champion_only"]) == (11, 4)
    selection: Any = found["selection_rate"].method["test"]
    assert (selection["challenger_only"], selection["champion_only"]) == (20, 6)


def test_what_cannot_be_estimated_says_of_whom_and_why() -> None:
    found = compare(5, 0, 0, 0, 5, 5, 0, 0)
    assert found["precision"].difference is None
    assert found["precision"].reason == "the challenger: no row is predicted positive"
    assert compare(5, 0, 5, 0, 5, 0, 0, 0)["precision"].reason == "the champion: no row is predicted positive"
    only_positives = compare(0, 0, 0, 0, 5, 5, 5, 5)
    assert only_positives["false_positive_rate"].reason == "both models: there are no negatives"
    assert only_positives["balanced_accuracy"].reason == "both models: one of the classes does not occur"


def test_a_bootstrap_in_which_a_metric_is_undefined_gives_no_bounds() -> None:
    assert compare(4, 0, 0, 0, 0, 1, 1, 1)["precision"].interval is None


def test_a_champion_at_zero_is_no_baseline() -> None:
    found = compare(20, 0, 0, 0, 5, 0, 5, 0)["recall"]
    assert found.champion == 0
    assert found.difference == 0.5
    assert found.relative is None
    assert found.relative_bounds is None


def test_equal_models_in_a_small_sample_are_not_equal_for_certain() -> None:
    for name, found in compare(20, 0, 0, 5, 5, 0, 0, 20).items():
        assert found.difference == 0
        assert found.interval is not None
        assert found.interval.low < -0.005 < 0.005 < found.interval.high, name


TRUTH = np.array([0.48, 0.06, 0.04, 0.08, 0.05, 0.03, 0.06, 0.20])


@pytest.mark.parametrize("n", [60, 400])
def test_intervals_are_covered(n: int) -> None:
    whole = compare(*(TRUTH * 10**6).round().astype(int).tolist())
    exact = {name: found.difference or 0.0 for name, found in whole.items()}
    random = np.random.default_rng(11)
    hits = dict.fromkeys(COUNT_METRICS, 0)
    for _ in range(300):
        for name, found in compare(*random.multinomial(n, TRUTH).tolist()).items():
            assert found.interval is not None
            hits[name] += found.interval.low <= exact[name] <= found.interval.high
    assert min(hits.values()) / 300 >= 0.92, hits


def scored(y: Any, one: Any, two: Any, group: Any = None, steps: int | None = None) -> ScorePairs:
    """Rows with the scores of both models, every row an entry of its own."""
    cells = [("",)] if group is None else [(name,) for name in sorted(set(group))]
    cell = np.zeros(len(y), int) if group is None else np.searchsorted([name for (name,) in cells], group)
    return ScorePairs(cells, cell, y, one, two, np.ones(len(y), int), steps)


def auc_of(y: Any, one: Any, two: Any) -> Comparison:
    positives, negatives = (y == 1).sum(), (y == 0).sum()
    ranked = [Ranking(round(2 * positives * negatives * reference.roc_auc_score(y, x)), Decimal(0)) for x in (one, two)]
    pairs = Pairs((int(negatives), 0, 0, 0, int(positives), 0, 0, 0))
    covariance = covariances(scored(y, one, two), [0]).get(("",))
    return dict(score_comparisons(pairs, (ranked[0], ranked[1]), covariance))["roc_auc"]


def delong(y: Any, one: Any, two: Any) -> Any:
    """By the definition: structural components of both areas, and their sample covariances."""
    orders = [
        (score[y == 1][:, None] > score[y == 0][None, :]) + 0.5 * (score[y == 1][:, None] == score[y == 0][None, :])
        for score in (one, two)
    ]
    over_positives, over_negatives = (np.cov([order.mean(axis=axis) for order in orders]) for axis in (1, 0))
    return over_positives / (y == 1).sum() + over_negatives / (y == 0).sum()


def pair_of_scores(seed: int, n: int, digits: int) -> tuple[Any, Any, Any]:
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, n)
    one, two = (np.round(y * weight + random.random(n), digits) for weight in (0.6, 0.4))
    return y, one, two


@pytest.mark.parametrize("digits", [1, 6])
def test_the_covariance_of_two_areas_is_delongs(digits: int) -> None:
    y, one, two = pair_of_scores(5, 150, digits)
    group = np.array(["a", "b", "c"])[np.arange(150) % 3]
    expected = delong(y, one, two)
    found = covariances(scored(y, one, two), [])[()]
    assert (found.challenger, found.champion, found.both) == pytest.approx(
        (expected[0, 0], expected[1, 1], expected[0, 1]), rel=1e-12
    )
    by_group = covariances(scored(y, one, two, group), [0])
    for name in "abc":
        of = group == name
        expected = delong(y[of], one[of], two[of])
        found = by_group[(name,)]
        assert (found.challenger, found.champion, found.both) == pytest.approx(
            (expected[0, 0], expected[1, 1], expected[0, 1]), rel=1e-12
        )


def test_a_group_with_one_row_of_a_class_has_no_covariance_and_leaves_the_others_theirs() -> None:
    y, one, two = pair_of_scores(6, 60, 2)
    group = np.array(["a"] * 30 + ["b"] * 30)
    y[:30] = 1
    y[0] = 0
    of = group == "b"
    found = covariances(scored(y, one, two, group), [0])
    assert found.keys() == {("b",)}
    assert found[("b",)].both == pytest.approx(delong(y[of], one[of], two[of])[0, 1], rel=1e-12)


def test_roc_auc_is_scikit_learns_and_its_test_is_delongs() -> None:
    y, one, two = pair_of_scores(5, 120, 1)
    found = auc_of(y, one, two)
    assert found.challenger == pytest.approx(reference.roc_auc_score(y, one), abs=1e-12)
    assert found.champion == pytest.approx(reference.roc_auc_score(y, two), abs=1e-12)
    covariance = delong(y, one, two)
    assert found.difference is not None
    z = found.difference / np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    test: Any = found.method["test"]
    assert test["p"] == pytest.approx(2 * norm.sf(abs(z)), rel=1e-9)
    correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert found.method["correlation"] == pytest.approx(correlation, rel=1e-9)


@pytest.mark.parametrize(("positives", "negatives", "correlation"), [(15, 30, 0.0), (15, 30, 0.8), (100, 150, 0.8)])
def test_the_interval_of_an_auc_difference_is_covered(positives: int, negatives: int, correlation: float) -> None:
    """Where the normal interval with DeLong's variance covers 90 to 94 %."""
    random = np.random.default_rng(2)
    root = np.linalg.cholesky(np.array([[1, correlation], [correlation, 1]]))
    y = np.repeat([1, 0], [positives, negatives])
    truth = norm.cdf(2 / np.sqrt(2)) - norm.cdf(1.5 / np.sqrt(2))
    hits = 0
    for _ in range(300):
        scores = random.normal(size=(len(y), 2)) @ root.T + y[:, None] * [2, 1.5]
        found = auc_of(y, scores[:, 0], scores[:, 1]).interval
        assert found is not None
        hits += found.low <= truth <= found.high
    assert hits / 300 >= 0.93


def test_what_steps_of_the_score_leave_open_widens_the_interval() -> None:
    exact, stepped = Ranking(80, Decimal(0)), StepRanking(80, Decimal(0), steps=64, pairs_error=10)
    pairs, covariance = Pairs((5, 0, 0, 0, 10, 0, 0, 0)), Covariance(0.01, 0.01, 0.005, steps=32)
    narrow = dict(score_comparisons(pairs, (exact, exact), None))["roc_auc"].interval
    found = dict(score_comparisons(pairs, (exact, stepped), covariance))["roc_auc"]
    assert narrow is not None
    assert found.interval is not None
    assert found.method["score_steps"] == {"challenger": {}, "champion": {"score_steps": 64, "error_bound": 0.1}}
    assert found.method["correlation_by_score_steps"] == 32
    assert found.method["correlation"] == pytest.approx(0.5)
    correlated = dict(score_comparisons(pairs, (exact, exact), covariance))["roc_auc"].interval
    assert correlated is not None
    assert found.interval.high - found.interval.low > correlated.high - correlated.low


def test_an_auc_over_one_positive_or_none() -> None:
    lone = auc_of(np.array([1, 0, 0]), np.array([0.9, 0.1, 0.2]), np.array([0.9, 0.1, 0.95]))
    assert lone.difference == 0.5
    assert "test" not in lone.method
    (_, found), *_ = score_comparisons(Pairs((5,) + (0,) * 7), (UNRANKED, UNRANKED), None)
    assert found.reason == "one of the classes does not occur"


def test_perfect_models_get_an_interval_with_a_width() -> None:
    y, score = np.array([1, 1, 1, 0, 0, 0]), np.array([0.8, 0.9, 0.95, 0.1, 0.2, 0.3])
    found = auc_of(y, score, score)
    assert found.difference == 0
    assert found.interval is not None
    assert found.interval.low < -0.1 < 0.1 < found.interval.high


def test_mean_losses_get_the_interval_of_their_paired_differences() -> None:
    random = np.random.default_rng(9)
    one, two = random.random((2, 50)).round(6)
    sums = [(Decimal(repr(float(x.sum().round(6)))), Decimal(repr(float((x * x).sum())))) for x in (one, two)]
    losses = Losses(sums[0], sums[1], Decimal(repr(float((one * two).sum()))))
    found = dict(score_comparisons(Pairs((50,) + (0,) * 7, {"brier": losses}), (UNRANKED, UNRANKED), None))["brier"]
    half = 1.959963984540054 * sem(one - two)
    assert found.difference == pytest.approx((one - two).mean(), abs=1e-12)
    assert found.interval is not None
    middle = (one - two).mean()
    assert (found.interval.low, found.interval.high) == pytest.approx((middle - half, middle + half), abs=1e-9)
    assert found.relative_bounds is not None
    assert found.relative_bounds[0] < middle / two.mean() < found.relative_bounds[1]


def test_one_row_has_a_mean_and_no_interval() -> None:
    losses = Losses((Decimal("0.5"), Decimal("0.25")), (Decimal("0.2"), Decimal("0.04")), Decimal("0.1"))
    found = dict(score_comparisons(Pairs((1,) + (0,) * 7, {"brier": losses}), (UNRANKED, UNRANKED), None))["brier"]
    assert (found.difference, found.relative, found.interval) == (0.3, 1.5, None)


def test_pairs_and_losses_add_up() -> None:
    losses = Losses((Decimal(1), Decimal(2)), (Decimal(3), Decimal(4)), Decimal(5))
    total = Pairs((1,) * 8, {"brier": losses}) + Pairs(tuple(range(8)), {"brier": losses})
    assert total.cells == tuple(range(1, 9))
    assert total.losses["brier"] == Losses((Decimal(2), Decimal(4)), (Decimal(6), Decimal(8)), Decimal(10))
    assert (total.counts.tp, total.counts.fp, total.counts.fn, total.counts.tn) == (15, 7, 11, 3)
