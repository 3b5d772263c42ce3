"""Adding up a small table: from every combination of the attributes that occurs to the groups of some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from ml_compliance.stats.counts import Group


class _Sum(Protocol):
    def __add__(self, other: Any, /) -> Any: ...


S = TypeVar("S", bound=_Sum)


def roll_up(cells: Mapping[Group, S], attributes: tuple[str, ...], wanted: tuple[str, ...]) -> dict[Group, S]:
    """The sums of `cells` for each group of `wanted`, sorted; with nothing wanted, of all cells as the group `()`.

    `attributes` name the parts of the keys of `cells`, and `wanted` are some of them.
    """
    if wanted == attributes:
        return dict(sorted(cells.items()))
    places = [attributes.index(name) for name in wanted]
    groups: dict[Group, S] = {}
    for cell, sums in cells.items():
        group = tuple(cell[place] for place in places)
        groups[group] = groups[group] + sums if group in groups else sums
    return dict(sorted(groups.items()))
