"""Two sorted samples, against a count of every pair of distribution functions."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_compliance.stats import samples
from ml_compliance.stats.samples import apart

NUMBERS = st.lists(st.integers(-40, 40) | st.floats(-3, 3), min_size=1, max_size=150).map(sorted)


@given(NUMBERS, NUMBERS)
def test_distance_and_area_are_those_of_the_definition(reference: list[float], current: list[float]) -> None:
    found = apart(np.array(reference, float), np.array(current, float), 4)
    points = sorted({*reference, *current})
    gaps = [
        abs(
            Fraction(sum(value <= point for value in reference), len(reference))
            - Fraction(sum(value <= point for value in current), len(current))
        )
        for point in points
    ]
    assert found.kolmogorov_smirnov == pytest.approx(float(max(gaps)), abs=1e-15)
    steps = [Fraction(after) - Fraction(before) for before, after in pairwise(points)]
    area = sum(gap * step for gap, step in zip(gaps, steps, strict=False))
    assert found.wasserstein == pytest.approx(float(area), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 129, 5_000])
@pytest.mark.parametrize("others", [1, 64, 100, 5_000])
def test_most_values_are_not_looked_at_and_none_is_missed(
    size: int, others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(size * others)
    one, other = np.sort(random.normal(size=size).round(2)), np.sort(random.normal(size=others).round(2))
    expected = (np.arange(1, size + 1) * others - np.searchsorted(other, one, "right") * size).max()
    assert samples._ahead(one, other) == expected
    monkeypatch.setattr(samples, "_CHUNK", 64)
    assert samples._ahead(one, other) == expected


def test_zero_has_no_sign() -> None:
    (edge,) = apart(np.array([-0.0, 0.0]), np.array([0.0]), 2).edges
    assert str(edge.value) == "0.0"
