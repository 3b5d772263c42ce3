"""scikit-learn is the reference; the exact sums come from DuckDB, as in a gate."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from sklearn import metrics as reference

from ml_compliance.engine.residuals import judge_numbers, sum_residuals
from ml_compliance.stats.fairness import Disparity, Minimum
from ml_compliance.stats.regression import METRICS, Mean, ResidualCube, estimates
from ml_compliance.stats.residual_fairness import DISPARITIES, disparities, range_of_means, student_quantile


def cube_of(data: dict[str, Any]) -> ResidualCube:
    table = ibis.memtable(pa.table(data))
    sensitive = tuple(name for name in data if name not in ("y", "p"))
    return sum_residuals(judge_numbers(table, "t", "y", "p", sensitive))


def sample(seed: int, size: float, noise: float, n: int = 500) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    y = random.lognormal(0, 1.5, n) * size + 3 * size
    return {"y": y, "p": y + random.standard_t(3, n) * size * noise, "g": random.choice(["a", "b", "c"], n)}


@pytest.mark.parametrize("noise", [1e-6, 0.3, 20.0])
@pytest.mark.parametrize("size", [1e-200, 1e-3, 1.0, 1e12, 1e250])
def test_every_metric_equals_scikit_learn_overall_and_per_group(size: float, noise: float) -> None:
    data = sample(int(noise), size, noise)
    cube = cube_of(data)
    masks: dict[tuple[str, ...], Any] = {(): np.ones(500, bool)} | {(g,): data["g"] == g for g in "abc"}
    for group, mask in masks.items():
        # Scaled, since scikit-learn squares what cannot be squared.
        y, p = data["y"][mask] / size, data["p"][mask] / size
        expected = {
            "mae": reference.mean_absolute_error(y, p),
            "rmse": reference.root_mean_squared_error(y, p),
            "r2": reference.r2_score(y, p),
            "mean_residual": np.mean(y - p),
        }
        found = dict(estimates(cube.by(("g",) if group else ())[group], cube.scale))
        assert tuple(found) == METRICS
        for name, estimate in found.items():
            value, interval = estimate.value, estimate.interval
            assert value is not None
            assert interval is not None
            assert interval.low <= value <= interval.high
            unit = 1.0 if name == "r2" else size
            assert value / unit == pytest.approx(expected[name], rel=1e-9, abs=1e-9 * expected["mae"]), (name, group)


def test_the_sums_do_not_depend_on_the_order_of_rows() -> None:
    data = sample(3, 1.0, 0.3, 5_000)
    order = np.random.default_rng(1).permutation(5_000)
    assert cube_of(data) == cube_of({name: values[order] for name, values in data.items()})


def test_intervals_of_means_are_those_of_the_rows() -> None:
    data = sample(5, 1.0, 0.3)
    cube = cube_of(data)
    found = dict(estimates(cube.by(())[()], cube.scale))
    for name, values in (("mae", abs(data["y"] - data["p"])), ("mean_residual", data["y"] - data["p"])):
        low, high = stats.norm.interval(0.95, loc=values.mean(), scale=values.std(ddof=1) / np.sqrt(values.size))
        interval = found[name].interval
        assert interval is not None
        assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize("name", METRICS)
def test_intervals_cover(name: str) -> None:
    random = np.random.default_rng(3)
    y = random.normal(5, 2, 300_000)
    p = y * 0.8 + random.normal(0.5, 1 + 0.1 * abs(y))
    whole = cube_of({"y": y, "p": p})
    target = dict(estimates(whole.by(())[()], whole.scale))[name].value
    assert target is not None
    parts = cube_of({"y": y, "p": p, "part": np.arange(300_000) % 1_000})
    covered = 0
    for sums in parts.cells.values():
        interval = dict(estimates(sums, parts.scale))[name].interval
        assert interval is not None
        covered += interval.low <= target <= interval.high
    assert 0.93 <= covered / 1_000 <= 0.97


def test_what_cannot_be_estimated_says_why() -> None:
    cube = cube_of({"y": [1.0, 1.0, 2.0, 5.0], "p": [1.0, 2.0, 3.0, 5.0], "g": ["same", "same", "one", "other"]})
    same, one = (dict(estimates(cube.by(("g",))[group,], cube.scale)) for group in ("same", "one"))
    assert (same["r2"].value, same["r2"].reason) == (None, "every label is the same")
    assert (one["r2"].value, one["r2"].reason) == (None, "one row has no spread")
    assert (one["mae"].value, one["mae"].interval) == (1.0, None)
    assert same["mean_residual"].value == -0.5
    assert same["rmse"].value == pytest.approx(0.5**0.5)


def by_name(data: dict[str, Any], minimum: Minimum) -> dict[str, Disparity]:
    cube = cube_of(data)
    found = {item.name: item for item in disparities(cube.by(("g",)), cube.scale, minimum)}
    assert tuple(found) == DISPARITIES
    return found


def test_disparities_are_those_of_the_rows_and_small_groups_are_left_out() -> None:
    data = sample(4, 1.0, 0.3)
    data["g"][:5] = "x"
    data["p"][:5] = 1e6
    found = by_name(data, Minimum(cases=30, positives=99_999, negatives=99_999))
    residual = data["y"] - data["p"]
    means = [residual[data["g"] == group].mean() for group in "abc"]
    losses = [abs(residual[data["g"] == group]).mean() for group in "abc"]
    difference, ratio = found["mean_residual_difference"], found["group_loss_ratio"]
    assert difference.value == pytest.approx(max(means) - min(means), rel=1e-9)
    assert ratio.value == pytest.approx(max(losses) / min(losses), rel=1e-9)
    for item in (difference, ratio):
        assert (item.compared, item.excluded) == ((("a",), ("b",), ("c",)), (("x",),))
        assert item.value is not None
        assert item.interval is not None
        assert item.interval.low <= item.value <= item.interval.high
        assert item.over_every_group is not None
        assert item.over_every_group > 1_000


def test_what_cannot_be_compared_says_why() -> None:
    data = {"y": [1.0, 2.0] * 40, "p": [5.0, 7.0, *([1.0, 2.0] * 39)]}
    alone = by_name({**data, "g": ["a"] * 80}, Minimum())
    assert {item.reason for item in alone.values()} == {"fewer than two groups have enough cases"}
    perfect = by_name({**data, "g": ["a"] * 40 + ["b"] * 40}, Minimum())["group_loss_ratio"]
    assert (perfect.value, perfect.reason) == (None, "a group has no loss at all, so the ratio is undefined")
    few = by_name({"y": [1.0, 2.0] * 5, "p": [1.5, 1.0] * 5, "g": ["a"] * 4 + ["b"] * 6}, Minimum(cases=1))
    assert few["mean_residual_difference"].value == 0
    assert few["mean_residual_difference"].interval is None


def test_two_groups_are_a_welch_interval() -> None:
    random = np.random.default_rng(8)
    one, two = random.normal(0, 1, 40), random.normal(1, 3, 25)
    means = [Mean(x.mean(), x.std(ddof=1) / x.size**0.5, x.size) for x in (one, two)]
    expected = stats.ttest_ind(two, one, equal_var=False).confidence_interval(0.95)
    assert range_of_means(means) == pytest.approx((max(0.0, expected.low), expected.high), rel=1e-6)


def test_many_groups_are_no_narrower_than_games_howell() -> None:
    """scipy's own interval at the exact quantile; ours is wider by a few per cent at most."""
    random = np.random.default_rng(9)
    groups = [random.normal(i / 4, 1 + i / 3, 30 + 20 * i) for i in range(6)]
    expected = stats.tukey_hsd(*groups, equal_var=False).confidence_interval(0.95)
    low, high = range_of_means([Mean(x.mean(), x.std(ddof=1) / x.size**0.5, x.size) for x in groups]) or (0.0, 0.0)
    widest, narrowest = expected.high.max(), expected.low.max()
    assert widest <= high <= widest * 1.05
    assert narrowest * 0.9 <= low <= narrowest


@pytest.mark.parametrize("z", [1.5, 1.96, 3.2, 4.5])
@pytest.mark.parametrize("degrees", [10.0, 29.0, 500.0])
def test_the_quantile_of_student(z: float, degrees: float) -> None:
    found = student_quantile(z, np.array([degrees, np.inf]))
    assert found[0] == pytest.approx(stats.t.isf(stats.norm.sf(z), degrees), rel=3e-3)
    assert found[1] == z


@pytest.mark.parametrize("shape", ["normal", "skewed"])
@pytest.mark.parametrize("k", [2, 8])
def test_intervals_of_disparities_cover(k: int, shape: str) -> None:
    """Residuals that are alike in every group, 50 rows each: max − min is biased upward, the interval is not."""
    random = np.random.default_rng(11)
    covered = 0
    for _ in range(600):
        rows = random.normal(size=(k, 50)) if shape == "normal" else random.exponential(size=(k, 50)) - 1
        means = [Mean(float(x.mean()), float(x.std(ddof=1)) / 50**0.5, 50) for x in rows]
        bounds = range_of_means(means)
        assert bounds is not None
        covered += bounds[0] == 0
    assert covered / 600 >= 0.93
