"""fairlearn is the reference: the same numbers, to 1e-12, for every metric that both define."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import fairlearn.metrics as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score

from ml_compliance.stats.counts import Counts, Group
from ml_compliance.stats.fairness import DISPARITIES, Disparity, Minimum, disparities

NOBODY_EXCLUDED = Minimum(cases=1, positives=1, negatives=1)

# Both classes in every group: where a class is absent, fairlearn says 0 and we say "not estimable".
both_classes = st.builds(
    Counts, tp=st.integers(0, 40), fp=st.integers(0, 40), fn=st.integers(0, 40), tn=st.integers(0, 40)
).filter(lambda counts: counts.positives > 0 and counts.negatives > 0)
tables = st.lists(both_classes, min_size=2, max_size=6).map(lambda cells: {(f"g{i}",): c for i, c in enumerate(cells)})


def rows(groups: dict[Group, Counts]) -> tuple[Any, Any, Any]:
    """Label, prediction and group of each row that the counts stand for."""
    label, prediction, group = [], [], []
    for (name,), counts in groups.items():
        for y, p, times in ((1, 1, counts.tp), (0, 1, counts.fp), (1, 0, counts.fn), (0, 0, counts.tn)):
            label += [y] * times
            prediction += [p] * times
            group += [name] * times
    return np.array(label), np.array(prediction), np.array(group)


def _fairlearn(name: str) -> Callable[..., float]:
    if name.startswith("predictive_parity"):
        frame = {"difference": "difference", "ratio": "ratio"}[name.rsplit("_", 1)[1]]
        metrics = {"precision": precision_score}
        return lambda y, p, sensitive_features: getattr(
            reference.MetricFrame(metrics=metrics, y_true=y, y_pred=p, sensitive_features=sensitive_features), frame
        )(method="between_groups")["precision"]
    if name.endswith("_mean"):
        function = getattr(reference, name.removesuffix("_mean"))
        return lambda y, p, sensitive_features: function(y, p, sensitive_features=sensitive_features, agg="mean")
    found: Callable[..., float] = getattr(reference, name)
    return found


def by_name(found: list[Disparity]) -> dict[str, Disparity]:
    return {disparity.name: disparity for disparity in found}


@settings(max_examples=60, deadline=None)
@given(tables)
def test_every_disparity_equals_fairlearn(groups: dict[Group, Counts]) -> None:
    label, prediction, group = rows(groups)
    ours = by_name(disparities(groups, NOBODY_EXCLUDED))
    assert tuple(ours) == DISPARITIES
    for name, found in ours.items():
        if name.startswith("predictive_parity") and any(counts.selected == 0 for counts in groups.values()):
            continue  # scikit-learn calls a precision over nobody 0; it is not estimable here
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            theirs = _fairlearn(name)(label, prediction, sensitive_features=group)
        if math.isnan(theirs) or (found.value is None and name.endswith(("_ratio", "_ratio_mean"))):
            assert found.value is None, name
            assert "ratio is undefined" in found.reason
        else:
            assert found.value == pytest.approx(theirs, abs=1e-12), name
        assert found.over_every_group == found.value


@given(tables)
def test_the_interval_holds_the_estimate(groups: dict[Group, Counts]) -> None:
    for found in disparities(groups, NOBODY_EXCLUDED):
        if found.value is not None:
            assert found.interval is not None
            assert 0 <= found.interval.low <= found.value + 1e-12
            assert found.value - 1e-12 <= found.interval.high <= 1


def test_a_group_without_positives_has_no_rate_and_is_named() -> None:
    groups: dict[Group, Counts] = {
        ("a",): Counts(20, 20, 20, 20),
        ("b",): Counts(20, 10, 20, 30),
        ("c",): Counts(0, 20, 0, 60),
    }
    found = by_name(disparities(groups, Minimum()))
    odds = found["equalized_odds_difference"]
    assert odds.excluded == (("c",),)
    assert odds.value == pytest.approx(0.25)
    # Its selection rate is known all the same, so it takes part where no class is needed.
    assert found["demographic_parity_difference"].excluded == ()
    assert found["demographic_parity_difference"].value == pytest.approx(0.5 - 0.25)


def test_a_group_of_two_people_neither_blocks_nor_hides() -> None:
    groups: dict[Group, Counts] = {
        ("a",): Counts(50, 0, 0, 50),
        ("b",): Counts(50, 0, 0, 50),
        ("c",): Counts(1, 1, 0, 0),
    }
    found = by_name(disparities(groups, Minimum()))["demographic_parity_difference"]
    assert found.value == 0
    assert found.excluded == (("c",),)
    assert found.over_every_group == pytest.approx(0.5)


def test_one_group_is_no_comparison() -> None:
    for found in disparities({("a",): Counts(50, 50, 50, 50)}, Minimum()):
        assert found.value is None
        assert found.interval is None
        assert "fewer than two groups" in found.reason


def test_no_selection_anywhere_has_no_ratio() -> None:
    groups: dict[Group, Counts] = {("a",): Counts(0, 0, 50, 50), ("b",): Counts(0, 0, 50, 50)}
    found = by_name(disparities(groups, Minimum()))
    assert found["demographic_parity_ratio"].value is None
    assert found["demographic_parity_difference"].value == 0


@pytest.mark.parametrize(
    ("rates", "name", "limit"),
    [
        (((80, 100), (70, 100)), "demographic_parity_difference", 0.1),
        (((90, 100), (60, 100)), "demographic_parity_difference", 0.3),
        (((8, 100), (10, 100)), "demographic_parity_ratio", 0.8),
    ],
)
def test_a_disparity_at_its_limit_is_the_limit(rates: tuple[tuple[int, int], ...], name: str, limit: float) -> None:
    groups: dict[Group, Counts] = {(f"g{i}",): Counts(tp=x, fn=n - x) for i, (x, n) in enumerate(rates)}
    assert by_name(disparities(groups, Minimum()))[name].value == limit


def test_equalized_odds_is_of_the_groups_that_are_compared() -> None:
    groups: dict[Group, Counts] = {
        ("a",): Counts(60, 40, 40, 60), ("b",): Counts(60, 50, 40, 50), ("c",): Counts(8, 1, 1, 40),
    }  # fmt: skip
    odds = by_name(disparities(groups, Minimum()))["equalized_odds_difference"]
    assert (odds.compared, odds.excluded) == ((("a",), ("b",)), (("c",),))
    assert odds.value == pytest.approx(0.1)
    assert odds.over_every_group == pytest.approx(0.5 - 1 / 41)
