from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_compliance.decide._messages import fill, number

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize(
    ("value", "text"), [(0.2165, "0.216"), (1.0, "1"), (662, "662"), (12345.6, "12346"), (0.00012345, "0.000123")]
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


@given(FINITE, FINITE)
def test_a_value_beyond_the_limit_never_reads_like_the_limit(value: float, limit: float) -> None:
    value_text, limit_text = fill("{value}|{limit}", {"value": value, "limit": limit}).split("|")
    assert (value_text == limit_text) == (value == limit)


JSON = st.recursive(
    st.none() | st.booleans() | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(JSON)
def test_text_from_outside_is_shown_and_never_read_as_a_template(value: object) -> None:
    shown = fill("{values[x]}", {"values": {"x": value}})
    if isinstance(value, str):
        assert shown == value
    assert fill("{values[y]} {nothing}", {"values": {"x": value}}) == "(none) (none)"


def test_groups_intervals_and_slices() -> None:
    found = {
        "value": 0.5, "interval": [0.25, 0.75], "n": 10, "slice": {"sex": "f", "race": "b"}, "across": ["race", "sex"],
        "values": {"groups": [{"group": {"race": "b", "sex": "f"}, "n": 4}, {"group": {"race": "c"}, "n": None}]},
    }  # fmt: skip
    text = fill("{measured} {slice}; {across}; {values[groups]}{extremes}", found)
    assert text == "0.5 (0.25–0.75) for race = b, sex = f; race × sex; b × f (n 4), c (n (none))"
    assert fill("{measured} {slice} {interval} {limit} {n}", {}) == "(none) over all rows no interval (none) (none)"
