"""The geometry of the charts; the template draws it. All lengths are SVG user units (CSS pixels at full size)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ml_compliance.model import Finding, Interval
from ml_compliance.publish._groups import Group
from ml_compliance.publish._numbers import between, fixed, number
from ml_compliance.publish._text import clip
from ml_compliance.publish._view import value_text

WIDTH = 320
_ROW = 34
_TOP = 6
_AXIS = 22
_LABEL = 30
_PLOT = WIDTH - 8  # An interval that ends at 1 keeps its cap inside.
_QUARTERS = tuple((_PLOT * place / 4, label) for place, label in enumerate(("0", ".25", ".5", ".75", "1")))


@dataclass(frozen=True)
class Bar:
    """One row: a label with a note, and below it a bar from zero with its interval."""

    y: float
    label: str
    note: str
    value: str
    width: float | None
    low: float | None = None
    high: float | None = None
    hollow: bool = False


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars over ticks of (x, label); `description` says in words what is drawn."""

    title: str
    description: str
    height: float
    axis: float
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Strip:
    """A measured value and its interval against a limit, on one line."""

    description: str
    value: float
    limit: float
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    value_text: str
    limit_text: str


def rate_chart(title: str, rate: str, groups: Sequence[Group]) -> BarChart:
    """The rate of each group between 0 and 1; groups too small to be compared are hollow."""
    bars = []
    for place, group in enumerate(groups):
        measured = group.rates.get(rate)
        value = None if measured is None else measured.value
        interval = None if measured is None or value is None else measured.interval
        notes = [f"n {measured.n:,}"] if measured is not None and measured.n is not None else []
        notes += ["not compared"] if rate in group.left_out and value is not None else []
        bars.append(
            Bar(
                y=_TOP + place * _ROW,
                label=clip(group.name, _LABEL),
                note=", ".join(notes),
                value="not measured" if measured is None else value_text(measured),
                width=None if value is None else _PLOT * min(max(value, 0.0), 1.0),
                low=None if interval is None else _PLOT * interval.low,
                high=None if interval is None else _PLOT * interval.high,
                hollow=rate in group.left_out,
            )
        )
    described = "; ".join(_in_words(group, rate) for group in groups)
    return _chart(title, described, bars, _QUARTERS)


def _in_words(group: Group, rate: str) -> str:
    measured = group.rates.get(rate)
    if measured is None or measured.value is None:
        return f"{group.name}: {'not measured' if measured is None else value_text(measured)}"
    interval = f" ({between(measured.interval)})" if measured.interval else ""
    return f"{group.name}: {fixed(measured.value)}{interval}"


def value_chart(title: str, rows: Iterable[tuple[str, float, Interval | None]]) -> BarChart:
    """Non-negative values from zero to the largest one."""
    rows = tuple(rows)
    top = max([interval.high if interval else value for _, value, interval in rows], default=0.0) or 1.0
    bars = [
        Bar(
            y=_TOP + place * _ROW,
            label=clip(name, _LABEL),
            note="",
            value=fixed(value),
            width=_PLOT * value / top,
            low=_PLOT * max(interval.low, 0.0) / top if interval else None,
            high=_PLOT * interval.high / top if interval else None,
        )
        for place, (name, value, interval) in enumerate(rows)
    ]
    described = "; ".join(f"{name}: {fixed(value)}" for name, value, _ in rows)
    return _chart(title, described, bars, ((0.0, "0"), (_PLOT, fixed(top))))


def _chart(title: str, described: str, bars: Sequence[Bar], ticks: tuple[tuple[float, str], ...]) -> BarChart:
    axis = _TOP + len(bars) * _ROW
    return BarChart(title, described, axis + _AXIS, axis, tuple(bars), ticks)


def strip(finding: Finding) -> Strip | None:
    """Value, interval and limit of a finding on one scale that starts at zero; None unless all are known."""
    if finding.value is None or finding.limit is None or finding.interval is None:
        return None
    low, high = finding.interval
    start, end = min(0.0, finding.value, finding.limit, low), max(finding.value, finding.limit, high)
    end = 1.0 if 0.5 < end <= 1 and start >= 0 else start + (end - start or 1.0) * 1.08

    def at(value: float) -> float:
        return _PLOT * (value - start) / (end - start)

    return Strip(
        description=f"measured {fixed(finding.value)} ({between(finding.interval)}), limit {number(finding.limit)}",
        value=at(finding.value),
        limit=at(finding.limit),
        low=at(low),
        high=at(high),
        ticks=((0.0, number(start)), (_PLOT, number(end))),
        value_text=fixed(finding.value),
        limit_text=number(finding.limit),
    )
