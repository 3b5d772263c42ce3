"""Numbers as people read them."""

from __future__ import annotations

from ml_compliance.model import Interval

NONE = "–"
_ROUND = 1e15


def number(value: float | None) -> str:
    """Three significant digits; whole numbers in full with thousands separated; `–` for none."""
    if value is None:
        return NONE
    if abs(value) < _ROUND and float(value).is_integer():
        return f"{int(value):,}"
    if 1000 <= abs(value) < _ROUND:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def fixed(value: float | None) -> str:
    """Three decimals, so that a column lines up; smaller numbers are not rounded to nothing."""
    if value is None:
        return NONE
    text = f"{value:.3f}"
    return f"{value:.1e}" if value != 0 and float(text) == 0 else text


def between(interval: Interval | tuple[float, float] | None) -> str:
    """`0.130–0.310`, or `-0.020 to 0.310` where a dash would be read as a minus. Empty for none."""
    if interval is None:
        return ""
    low, high = (interval.low, interval.high) if isinstance(interval, Interval) else interval
    return f"{fixed(low)} to {fixed(high)}" if low < 0 else f"{fixed(low)}–{fixed(high)}"


def percent(value: float) -> str:
    """A probability as `95 %`."""
    return f"{value * 100:.3g} %"


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 violation`, `2 violations`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
