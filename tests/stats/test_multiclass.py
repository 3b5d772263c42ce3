"""scikit-learn is the reference; the counts come from DuckDB, as in a gate."""

from __future__ import annotations

import warnings
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics as reference

from ml_compliance.engine.classes import count_classes, judge_classes
from ml_compliance.stats.counts import Counts
from ml_compliance.stats.multiclass import AVERAGES, METRICS, PER_CLASS, ClassCounts, class_estimates, estimates

SCORES: dict[str, Any] = {
    "precision": reference.precision_score,
    "recall": reference.recall_score,
    "f1": reference.f1_score,
}


def sample(seed: int, n: int = 600, classes: int = 5) -> dict[str, Any]:
    """Classes of very unequal size, most predictions right, and two attributes."""
    random = np.random.default_rng(seed)
    names = np.array([f"class {i}" for i in range(classes)])
    label = random.choice(names, n, p=random.dirichlet(np.ones(classes)))
    prediction = np.where(random.random(n) < 0.7, label, random.choice(names, n))
    return {
        "label": label,
        "prediction": prediction,
        "race": random.choice(["a", "b", "c"], n),
        "sex": random.choice(["f", "m"], n),
    }


def theirs(metric: str, y: Any, p: Any, **how: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SCORES[metric](y, p, zero_division=np.nan, **how)


@pytest.mark.parametrize("seed", range(6))
def test_every_metric_equals_scikit_learn_overall_and_per_group(seed: int) -> None:
    data = sample(seed)
    cube = count_classes(judge_classes(ibis.memtable(pa.table(data)), "t", "label", "prediction", ("race", "sex")))
    masks: dict[tuple[str, ...], Any] = {(): np.ones(600, bool)}
    masks |= {(race, sex): (data["race"] == race) & (data["sex"] == sex) for race in "abc" for sex in "fm"}
    for group, mask in masks.items():
        counts = cube.by(("race", "sex") if group else ())[group]
        y, p = data["label"][mask], data["prediction"][mask]
        found = dict(estimates(counts))
        assert tuple(found) == METRICS
        assert found["accuracy"].value == pytest.approx(reference.accuracy_score(y, p), abs=1e-12)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a predicted class without labels
            balanced = reference.balanced_accuracy_score(y, p)
        assert found["balanced_accuracy"].value == pytest.approx(balanced, abs=1e-12)
        for metric in PER_CLASS:
            each = theirs(metric, y, p, average=None, labels=counts.classes)
            for name, value in zip(counts.classes, each, strict=True):
                ours = dict(class_estimates(counts, name))[metric]
                _equal(ours.value, value, ours.reason)
            known = not np.isnan(each).any()
            for average in AVERAGES:
                mine = found[f"{average}_{metric}"]
                if known:
                    _equal(mine.value, theirs(metric, y, p, average=average), mine.reason)
                elif average == "macro":
                    assert mine.value is None
        for estimate in found.values():
            if estimate.value is not None:
                assert estimate.interval is not None
                assert 0 <= estimate.interval.low <= estimate.value <= estimate.interval.high <= 1


def _equal(ours: float | None, value: float, reason: str) -> None:
    if np.isnan(value):
        assert ours is None
        assert "no row" in reason
    else:
        assert ours == pytest.approx(value, abs=1e-12)


def test_what_scikit_learn_calls_zero_has_no_value_and_a_reason() -> None:
    """Class c is never predicted, d never a label."""
    counts = ClassCounts({("a", "a"): 30, ("b", "b"): 20, ("c", "a"): 5, ("a", "d"): 2})
    found = dict(estimates(counts))
    assert dict(class_estimates(counts, "c"))["precision"].reason == "no row is predicted 'c'"
    assert dict(class_estimates(counts, "d"))["recall"].reason == "no row has the label 'd'"
    assert dict(class_estimates(counts, "d"))["precision"].value == 0.0
    assert (found["macro_precision"].value, found["macro_precision"].reason) == (None, "no row is predicted 'c'")
    assert (found["macro_recall"].value, found["macro_recall"].reason) == (None, "no row has the label 'd'")
    assert (found["weighted_precision"].value, found["weighted_precision"].reason) == (None, "no row is predicted 'c'")
    # A class without labels has no weight, and none in the mean recall of the classes that are labels.
    assert found["weighted_recall"].value == pytest.approx(50 / 57)
    assert found["balanced_accuracy"].value == pytest.approx((30 / 32 + 1 + 0) / 3)
    assert found["macro_f1"].value == pytest.approx((60 / 67 + 1 + 0 + 0) / 4)


def test_one_label_has_no_balanced_accuracy() -> None:
    found = dict(estimates(ClassCounts({("a", "a"): 3, ("a", "b"): 1})))
    assert (found["balanced_accuracy"].value, found["balanced_accuracy"].reason) == (
        None,
        "every row has the same label",
    )


@pytest.mark.parametrize("percent", [70, 80, 90])
def test_an_average_at_its_limit_is_the_limit(percent: int) -> None:
    pairs = {(name, name): percent for name in "abc"} | dict.fromkeys(zip("abc", "bca", strict=True), 100 - percent)
    found = dict(estimates(ClassCounts(pairs)))
    assert {estimate.value for estimate in found.values()} == {percent / 100}


def test_one_class_against_the_rest() -> None:
    counts = ClassCounts({("a", "a"): 5, ("a", "b"): 2, ("b", "a"): 3, ("b", "c"): 4, ("c", "c"): 7})
    assert counts.against_rest("a") == Counts(tp=5, fp=3, fn=2, tn=11)
    assert counts.against_rest("nobody") == Counts(tn=21)
    assert (counts + counts).against_rest("c") == Counts(tp=14, fp=8, fn=0, tn=20)


CONFUSIONS = {
    "good": [[180, 5, 5], [4, 60, 6], [2, 3, 15]],
    "poor": [[50, 40, 10], [30, 60, 20], [20, 20, 30]],
    "rare": [[500, 3, 1], [4, 40, 2], [1, 2, 9]],
    "two": [[45, 5], [8, 42]],
}


@pytest.mark.parametrize("name", CONFUSIONS)
@pytest.mark.parametrize("metric", ["macro_f1", "weighted_f1", "macro_precision", "balanced_accuracy"])
def test_intervals_cover(name: str, metric: str) -> None:
    """1,500 draws of the confusion matrix; 95 % are wanted, and no less than 93.5 % seen."""
    truth = np.array(CONFUSIONS[name], float)
    n, random = int(truth.sum()), np.random.default_rng(7)
    target = dict(estimates(_counts(truth.astype(int))))[metric].value
    assert target is not None
    covered = drawn = 0
    for draw in random.multinomial(n, (truth / n).ravel(), 1_500):
        estimate = dict(estimates(_counts(draw.reshape(truth.shape))))[metric]
        if estimate.interval is not None:
            drawn += 1
            covered += estimate.interval.low <= target <= estimate.interval.high
    assert drawn > 1_400
    assert covered / drawn >= 0.935, covered / drawn


def _counts(matrix: Any) -> ClassCounts:
    return ClassCounts({(str(i), str(j)): int(n) for (i, j), n in np.ndenumerate(matrix) if n})
