"""scipy and numpy on the rows are the reference for what the engine finds without reading them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from ml_compliance import stats
from ml_compliance.engine import distributions, grid, pairing, samples
from ml_compliance.engine.categories import categories
from ml_compliance.engine.tables import connect
from ml_compliance.errors import EvaluationError
from ml_compliance.stats.apart import Bins

RANDOM = np.random.default_rng(20_261_123)


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    opened = connect()
    yield opened
    opened.disconnect()


def tables(connection: Any, reference: dict[str, Any], current: dict[str, Any]) -> tuple[Any, Any]:
    import pyarrow as pa

    return tuple(
        connection.create_table(name, pa.table(columns), overwrite=True, temp=True)
        for name, columns in (("there", reference), ("here", current))
    )


Found = dict[str, tuple[float, float, Bins]]
Sides = tuple[Any, Any]
WAYS: dict[str, Any] = {"in memory": samples, "in cells": distributions}


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest) -> Any:
    """How small and how large tables are compared."""
    return WAYS[request.param]


def found(connection: Any, pairs: dict[str, Sides], way: Any, bins: int = 10) -> Found:
    """KS, Wasserstein and bins of each pair, as columns of two tables; short columns are filled up with nulls."""
    size = max(len(side) for sides in pairs.values() for side in sides)
    both = tables(
        connection,
        *({name: [*sides[place], *[None] * (size - len(sides[place]))] for name, sides in pairs.items()}
          for place in (0, 1)),
    )  # fmt: skip
    kinds, reasons = pairing.shared(*both)
    assert reasons == {}
    answers: Found = {}
    for name, sides, apart in way.ordered(both, pairing.counted(both), kinds, bins):
        padding = [size - len(side) for side in pairs[name]]
        missing = tuple(side.missing - more for side, more in zip(sides, padding, strict=True))
        binned = apart.binned((missing[0], missing[1]))
        answers[name] = apart.kolmogorov_smirnov, apart.wasserstein, binned
    return answers


def agree(sides: Sides, answer: tuple[float, float, Bins], bins: int = 10) -> None:
    ks, area, binned = answer
    r, c = (np.array([value for value in side if value is not None and not math.isnan(value)]) for side in sides)
    with np.errstate(all="ignore"):  # of scipy's p-value
        assert ks == pytest.approx(ks_2samp(r, c, method="asymp").statistic, abs=1e-12)
    if np.isfinite(r).all() and np.isfinite(c).all():
        assert area == pytest.approx(_wasserstein(r, c), rel=1e-12, abs=1e-300)
        assert area == pytest.approx(wasserstein_distance(r, c), rel=1e-10, abs=1e-12 * max(1, np.abs(r).max()))
    else:
        assert math.isnan(area)
    for values, rows, counts in ((r, sides[0], binned.reference), (c, sides[1], binned.current)):
        places = np.searchsorted(np.array(binned.edges), values)
        assert counts == (*np.bincount(places, minlength=len(binned.edges) + 1).tolist(), len(rows) - len(values))
    quantiles = np.quantile(r, np.arange(1, bins) / bins, method="inverted_cdf")
    assert {value for value in quantiles.tolist() if math.isfinite(value)} - set(binned.edges) <= {float(r.max())}


def _wasserstein(r: Any, c: Any) -> float:
    """∫|F − G|dx with whole-number counts and an exact sum: scipy's own sum is a few 10⁻¹² off."""
    values = np.unique(np.concatenate([r, c]))
    below = np.searchsorted(np.sort(r), values, "right") * len(c) - np.searchsorted(np.sort(c), values, "right") * len(
        r
    )
    return math.fsum((np.abs(below[:-1]) * (np.diff(values))).tolist()) / (len(r) * len(c))


FLOATS = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 1.0, 0.1]), min_size=1, max_size=60)
PAIRS = st.lists(st.tuples(FLOATS, FLOATS), min_size=12, max_size=12)


@settings(max_examples=6, deadline=None)
@given(PAIRS, st.sampled_from([2, 4, 10]))
def test_any_numbers(connection: Any, way: Any, pairs: list[Sides], bins: int) -> None:
    named = {f"x{place}": sides for place, sides in enumerate(pairs)}
    for name, answer in found(connection, named, way, bins).items():
        agree(named[name], answer, bins)


PATHOLOGICAL: dict[str, tuple[Any, Any]] = {
    "constant and equal": ([3.0] * 50, [3.0] * 40),
    "constant and above": ([3.0] * 50, [4.0] * 40),
    "constant and below": ([3.0] * 50, [2.0] * 40),
    "one row": ([1.0], [2.0]),
    "two values": ([0.0] * 88 + [1.0] * 12, [0.0] * 50 + [1.0] * 50),
    "nothing in common": ([1.0, 2.0, 3.0] * 9, [11.0, 12.0, 13.0] * 7),
    "missing": ([1.0, None, 2.0, math.nan] * 9, [2.0, None, None, 3.0] * 9),
    "infinities": ([math.inf, -math.inf, 1.0, 2.0] * 9, [math.inf, 1.0, 1.5] * 9),
    "infinities alone": ([math.inf] * 9, [-math.inf] * 9),
    "far apart": ([1.0, 2.0, 1e300] * 9, [1.1, 2.1, 1e300] * 9),
    "tiny": ([5e-324, 1e-310, 0.0] * 9, [1e-320, 0.0] * 9),
    "neighbours": ([1.0, math.nextafter(1, 2)] * 9, [math.nextafter(1, 2), math.nextafter(1, 0)] * 9),
    "long numbers": ((RANDOM.random(500) * 1e9 + 1e9).tolist(), (RANDOM.random(500) * 1e9 + 1e9).tolist()),
}


@pytest.fixture(scope="module")
def pathological(connection: Any, way: Any) -> Found:
    return found(connection, PATHOLOGICAL, way)


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_pathological(pathological: Found, name: str) -> None:
    agree(PATHOLOGICAL[name], pathological[name])


def test_a_move_away_from_a_constant_is_seen_in_either_direction(pathological: Found) -> None:
    below, equal, above = (pathological[f"constant and {name}"][2] for name in ("below", "equal", "above"))
    assert (equal.reference, equal.current) == ((0, 50, 0, 0), (0, 40, 0, 0))
    assert (below.current, above.current) == ((40, 0, 0, 0), (0, 0, 40, 0))


def test_a_range_beyond_floats_has_no_area(connection: Any, way: Any) -> None:
    sides = {"x": ([-1e308, 1e308] * 9, [1.5e308] * 9), "y": ([-1.7e308, -1.6e308] * 9, [1.7e308] * 9)}
    wide = found(connection, sides, way)
    assert wide["x"][1] == pytest.approx(1.5e308)
    assert (wide["y"][0], math.isfinite(wide["y"][1])) == (1.0, False)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table is large: its cells are split, counted and looked into, its values taken in parts."""
    monkeypatch.setattr(stats.samples, "_CHUNK", 256)
    monkeypatch.setattr(samples, "_AT_ONCE", 10_000)
    monkeypatch.setattr(distributions, "_HEAVY", 40)
    monkeypatch.setattr(distributions, "_MANY", 100)
    monkeypatch.setattr(grid, "_PARTS", 64)
    monkeypatch.setattr(grid, "_FINER_PARTS", 256)


LARGE: dict[str, tuple[Any, Any]] = {
    "normal": (RANDOM.normal(0, 1, 5_000), RANDOM.normal(0, 1, 4_000)),
    "shifted": (RANDOM.normal(0, 1, 5_000), RANDOM.normal(0.5, 1.2, 4_000)),
    "cents": (np.round(RANDOM.gamma(2, 30, 5_000), 2), np.round(RANDOM.gamma(2, 30, 4_000), 2)),
    "codes": (RANDOM.integers(0, 7, 5_000) * 1.0, RANDOM.integers(0, 8, 4_000) * 1.0),
    "heavy tails": (np.exp(RANDOM.normal(0, 4, 5_000)), np.exp(RANDOM.normal(0, 4, 4_000))),
    "sentinel": (
        np.append(RANDOM.normal(0, 1, 4_000), np.full(900, 1e9)),
        np.append(RANDOM.normal(0, 1, 4_000), np.full(1_000, 1e9)),
    ),
    "moments": (1.7e9 + RANDOM.random(5_000) * 1e4, 1.7e9 + RANDOM.random(4_000) * 1e4),
    "crossing": (RANDOM.normal(0, 1, 5_000), RANDOM.normal(0, 2, 4_000)),
}


@pytest.mark.usefixtures("coarse")
def test_large_tables_are_taken_in_parts_and_still_exact(connection: Any, way: Any) -> None:
    for name, answer in found(connection, LARGE, way).items():
        agree(LARGE[name], answer)


@pytest.mark.usefixtures("coarse")
def test_a_column_does_not_depend_on_others_nor_on_the_order_of_rows(connection: Any, way: Any) -> None:
    together = found(connection, LARGE, way)
    for name in ("heavy tails", "normal", "cents"):
        mixed = tuple(RANDOM.permutation(side) for side in LARGE[name])
        assert found(connection, {name: (mixed[0], mixed[1])}, way) == {name: together[name]}


def test_rows_of_large_tables_stay_where_they_are(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows there are, Python sees cells and a few dozen sums."""
    seen: list[int] = []
    original = type(connection).to_pyarrow

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        seen.append(getattr(result, "num_rows", 1))
        return result

    monkeypatch.setattr(type(connection), "to_pyarrow", counted)
    monkeypatch.setattr(grid, "_PARTS", 64)
    monkeypatch.setattr(grid, "_FINER_PARTS", 512)
    found(connection, {"x": (RANDOM.normal(0, 1, 100_000), RANDOM.normal(0, 1, 100_000))}, distributions)
    assert max(seen) < 1_500


def test_types_of_columns(connection: Any, way: Any) -> None:
    import pyarrow as pa

    day, moment = dt.date(2026, 1, 2), dt.datetime(1969, 12, 31, 23, 59, 59, 250_000)  # noqa: DTZ001
    nothing = pa.array([None], pa.string())
    there = {"i": [1], "d": [day], "t": [moment], "mixed": [day], "b": [True], "s": ["a"], "empty": nothing,
             "retyped": [1], "l": [[1]], "gone": [1], "none": nothing}  # fmt: skip
    here = {"i": [1.5], "d": [day], "t": [moment], "mixed": [moment], "b": [False], "s": ["b"], "empty": [2.0],
            "retyped": ["a"], "l": [[1]], "new": [1], "none": nothing}  # fmt: skip
    both = tables(connection, there, here)
    kinds, reasons = pairing.shared(*both, ignored=["s"])
    assert kinds == {"i": "number", "d": "date", "t": "time stamp", "mixed": "time stamp", "b": "true/false",
                     "empty": "number", "none": "text"}  # fmt: skip
    assert reasons == {
        "retyped": "it holds text here and numbers in the reference",
        "l": "it holds array<int64>, which is not compared",
    }
    assert pairing.unmatched(*both, reasons, ["s"]) == {
        "retyped": "it holds text here and numbers in the reference",
        "gone": "the evaluation table does not have it",
        "new": "the reference does not have it",
    }
    numbers = {name: kind for name, kind in kinds.items() if kind in pairing.ORDERED}
    sides = {name: sides for name, sides, _ in way.ordered(both, (1, 1), numbers, 10)}
    assert [(sides[name][0].low, sides[name][1].low) for name in ("i", "d", "t", "mixed")] == [
        (1.0, 1.5), (20_455.0, 20_455.0), (-0.75, -0.75), (20_455 * 86_400.0, -0.75),
    ]  # fmt: skip
    assert [(side.values, side.missing) for side in sides["empty"]] == [(0, 1), (1, 0)]
    words = {name: kinds[name] for name in ("b", "none")}
    assert list(categories(both, (1, 1), words, 10)) == [
        ("b", (pairing.Side(1, 0), pairing.Side(1, 0)), ({"true": 1}, {"false": 1})),
        ("none", (pairing.Side(1, 1), pairing.Side(1, 1)), ({}, {})),
    ]


def test_values_of_categories(connection: Any) -> None:
    both = tables(connection, {"s": ["a", "b", None, "a"]}, {"s": ["c", None, None, "a"]})
    ((name, sides, counts),) = categories(both, (4, 4), {"s": "text"}, 3)
    assert (name, [side.missing for side in sides]) == ("s", [1, 2])
    assert counts == ({"a": 2, "b": 1}, {"a": 1, "c": 1})


@pytest.mark.parametrize("distinct", [4, 9])
def test_too_many_values_are_no_categories(connection: Any, distinct: int) -> None:
    names = [None, *(f"n{index}" for index in range(distinct))]
    ((_, sides, counts),) = categories(
        tables(connection, {"s": names}, {"s": names}), (distinct + 1,) * 2, {"s": "text"}, 3
    )
    assert ([side.missing for side in sides], counts) == ([1, 1], None)


def test_batches_are_bounded(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing, "_BATCH", 12)
    columns = {f"c{index}": [1.0, 2.0] for index in range(7)}
    both = tables(connection, columns, columns)
    kinds, _ = pairing.shared(*both)
    assert [len(batch.keys) for batch in pairing.batches(both, (2, 2), kinds)] == [3, 3, 1]


def test_a_table_that_changes_while_it_is_read_is_not_compared(connection: Any) -> None:
    both = tables(connection, {"x": [1.0, 2.0]}, {"x": [1.0, 2.0]})
    for rows in ((2, 1), (3, 2)):
        with pytest.raises(EvaluationError, match="other rows than a moment ago"):
            list(samples.ordered(both, rows, {"x": "number"}, 10))


def test_the_deviation_is_the_populations(connection: Any, way: Any) -> None:
    columns = {"x": [1.0, 2.0, 4.0], "huge": [1e200, 2e200, 0.0], "infinite": [math.inf, 1.0, 2.0], "same": [0.1] * 3}
    both = tables(connection, columns, columns)
    kinds, _ = pairing.shared(*both)
    deviations = {name: sides[0].deviation for name, sides, _ in way.ordered(both, (3, 3), kinds, 10)}
    assert deviations.pop("x") == pytest.approx(np.std([1, 2, 4]), rel=1e-8)
    assert deviations == {"huge": None, "infinite": None, "same": 0.0}
