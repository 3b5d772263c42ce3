"""The words of a finding: templates from the rule catalogue, filled with what the policy found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NONE = "(none)"
BY = " × "
TO = "–"
_DIGITS = 3
_ALL_DIGITS = 17
_WHOLE = 1000


class _Texts(dict[str, Any]):
    """What the policy did not give is shown as such; a message is never lost over it."""

    def __missing__(self, key: str) -> str:
        return NONE


def number(value: float, digits: int = _DIGITS) -> str:
    """`value` to `digits` significant digits; whole numbers, and what is over a thousand, without a fraction."""
    if float(value).is_integer():
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= _WHOLE and digits == _DIGITS else f"{value:.{digits}g}"


def fill(template: str, found: Mapping[str, Any]) -> str:
    """The text of `template` for a finding as the policy gives it.

    Placeholders: value, limit, interval, n, measured (value and interval), slice, across, extremes, values[name].
    """
    value, limit = found.get("value"), found.get("limit")
    digits = _telling(value, limit)
    interval = found.get("interval")
    values = found.get("values") or {}
    span = TO.join(number(bound) for bound in interval) if interval else ""
    shown = number(value, digits) if value is not None else NONE
    return template.format_map(
        _Texts(
            value=shown,
            limit=number(limit, digits) if limit is not None else NONE,
            interval=span or "no interval",
            measured=f"{shown} ({span})" if span else shown,
            n=_text(found.get("n")),
            slice=_slice(found.get("slice") or {}),
            across=BY.join(found.get("across") or ()) or NONE,
            extremes=_extremes(values),
            values=_Texts({key: _text(item) for key, item in values.items()}),
        )
    )


def _telling(value: float | None, limit: float | None) -> int:
    """As many digits as it takes to see on which side of the limit the value is."""
    if value is None or limit is None or value == limit:
        return _DIGITS
    return next(
        digits for digits in range(_DIGITS, _ALL_DIGITS + 1)
        if digits == _ALL_DIGITS or number(value, digits) != number(limit, digits)
    )  # fmt: skip


def _slice(group: Mapping[str, Any]) -> str:
    if not group:
        return "over all rows"
    return "for " + ", ".join(f"{attribute} = {_text(value)}" for attribute, value in sorted(group.items()))


def _extremes(values: Mapping[str, Any]) -> str:
    if "lowest" not in values or "highest" not in values:
        return ""
    return f": lowest {_text(values['lowest'])}, highest {_text(values['highest'])}"


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    if isinstance(value, dict):
        return _group(value) if isinstance(value.get("group"), dict) else ": ".join(_in_key_order(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    return NONE if value is None else str(value)


def _group(value: Mapping[str, Any]) -> str:
    rate = f" {_text(value['value'])}" if "value" in value else ""
    return f"{BY.join(_in_key_order(value['group']))}{rate} (n {_text(value.get('n'))})"


def _in_key_order(value: Mapping[str, Any]) -> list[str]:
    return [_text(part) for _, part in sorted(value.items())]
