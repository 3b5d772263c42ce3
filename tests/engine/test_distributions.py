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

from ml_compliance.engine import distributions, grid, pairing
from ml_compliance.engine.tables import connect
from ml_compliance.stats.cells import Bins

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


def found(connection: Any, pairs: dict[str, Sides], bins: int = 10) -> Found:
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
    for batch in pairing.batches(*both, kinds):
        for name, (pair, inside) in distributions.ordered(batch, list(batch.keys), bins).items():
            padding = [size - len(side) for side in pairs[name]]
            missing = tuple(side.missing - more for side, more in zip(batch.sides[name], padding, strict=True))
            binned = pair.binned(inside, (missing[0], missing[1]))
            answers[name] = pair.kolmogorov_smirnov(inside), pair.wasserstein(inside), binned
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
def test_any_numbers(connection: Any, pairs: list[Sides], bins: int) -> None:
    named = {f"x{place}": sides for place, sides in enumerate(pairs)}
    for name, answer in found(connection, named, bins).items():
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
def pathological(connection: Any) -> Found:
    return found(connection, PATHOLOGICAL)


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_pathological(pathological: Found, name: str) -> None:
    agree(PATHOLOGICAL[name], pathological[name])


def test_a_move_away_from_a_constant_is_seen_in_either_direction(pathological: Found) -> None:
    below, equal, above = (pathological[f"constant and {name}"][2] for name in ("below", "equal", "above"))
    assert (equal.reference, equal.current) == ((0, 50, 0, 0), (0, 40, 0, 0))
    assert (below.current, above.current) == ((40, 0, 0, 0), (0, 0, 40, 0))


def test_a_range_beyond_floats_has_no_area(connection: Any) -> None:
    wide = found(
        connection, {"x": ([-1e308, 1e308] * 9, [1.5e308] * 9), "y": ([-1.7e308, -1.6e308] * 9, [1.7e308] * 9)}
    )
    assert wide["x"][1] == pytest.approx(1.5e308)
    assert (wide["y"][0], math.isnan(wide["y"][1])) == (1.0, True)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table is large: its cells are split, counted and looked into."""
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
def test_large_tables_are_counted_in_cells_and_still_exact(connection: Any) -> None:
    for name, answer in found(connection, LARGE).items():
        agree(LARGE[name], answer)


@pytest.mark.usefixtures("coarse")
def test_a_column_does_not_depend_on_others_nor_on_the_order_of_rows(connection: Any) -> None:
    together = found(connection, LARGE)
    for name in ("heavy tails", "normal", "cents"):
        mixed = tuple(RANDOM.permutation(side) for side in LARGE[name])
        assert found(connection, {name: (mixed[0], mixed[1])}) == {name: together[name]}


def test_rows_stay_where_they_are(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
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
    found(connection, {"x": (RANDOM.normal(0, 1, 100_000), RANDOM.normal(0, 1, 100_000))})
    assert max(seen) < 1_500


def test_types_of_columns(connection: Any) -> None:
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
    (sides,) = [batch.sides for batch in pairing.batches(*both, kinds)]
    assert [(sides[name][0].low, sides[name][1].low) for name in ("i", "d", "t", "mixed")] == [
        (1.0, 1.5), (20_455.0, 20_455.0), (-0.75, -0.75), (20_455 * 86_400.0, -0.75),
    ]  # fmt: skip
    assert [(side.values, side.missing) for side in sides["empty"]] == [(0, 1), (1, 0)]


def test_values_of_categories(connection: Any) -> None:
    both = tables(connection, {"s": ["a", "b", None, "a"]}, {"s": ["c", None, None, "a"]})
    for batch in _kept(both):
        assert distributions.categories(batch, "s", 3) == ({"a": 2, "b": 1}, {"a": 1, "c": 1})


def _kept(both: tuple[Any, Any]) -> Iterator[Any]:
    return pairing.batches(*both, pairing.shared(*both)[0])


@pytest.mark.parametrize("distinct", [4, 9])
def test_too_many_values_are_no_categories(connection: Any, distinct: int) -> None:
    names = [f"n{index}" for index in range(distinct)]
    for batch in _kept(tables(connection, {"s": names}, {"s": names})):
        assert distributions.categories(batch, "s", 3) is None


def test_batches_are_bounded(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing, "_BATCH", 12)
    columns = {f"c{index}": [1.0, 2.0] for index in range(7)}
    assert [len(batch.keys) for batch in _kept(tables(connection, columns, columns))] == [3, 3, 1]


def test_the_deviation_is_the_populations(connection: Any) -> None:
    columns = {"x": [1.0, 2.0, 4.0], "huge": [1e200, 2e200, 0.0], "infinite": [math.inf, 1.0, 2.0]}
    (sides,) = [batch.sides for batch in _kept(tables(connection, columns, columns))]
    assert sides["x"][0].deviation == pytest.approx(np.std([1, 2, 4]), rel=1e-8)
    assert (sides["huge"][0].deviation, sides["infinite"][0].deviation) == (None, None)
