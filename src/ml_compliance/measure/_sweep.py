"""The facts about other cut-offs: metrics at each, and where demographic parity would be reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ml_compliance.model import Json
from ml_compliance.stats.calibration import Cutoffs, cutoff_for, parity_by_cutoff
from ml_compliance.stats.counts import Group

SHOWN = 20
"""Metrics are shown at the cut-offs 1/20, 2/20, …, 19/20."""
LEAST_STEPS = 100
"""The cut-offs that are tried are hundredths, or finer."""
LIMITS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2)
"""Limits of the demographic parity difference for which the nearest cut-off is looked for."""

Sweeps = Mapping[tuple[str, ...], Mapping[Group, Cutoffs]]


def sweep(sweeps: Sweeps, current: float | None, least: int, most: int) -> dict[str, Json]:
    """Metrics by cut-off for all rows and the `most` largest groups of each attribute, and where parity is reached.

    `sweeps` holds all rows under `()`, and each single attribute. `current` is the cut-off in use, if there is one.
    Groups of fewer than `least` cases are shown, and not compared.
    """
    everyone = sweeps[()][()]
    return {
        "selected": "score ≥ cut-off",
        "resolution": 1 / everyone.steps,
        "cutoff_in_use": current,
        "metrics": [row for names, groups in sweeps.items() for row in _metrics(names, groups, most)],
        "parity": [_parity(names[0], groups, everyone, least, current) for names, groups in sweeps.items() if names],
    }


def largest(sizes: Mapping[Group, int], most: int) -> list[Group]:
    """The `most` largest groups, in alphabetical order."""
    return sorted(sorted(sizes, key=lambda group: (-sizes[group], group))[:most])


def _metrics(attributes: tuple[str, ...], groups: Mapping[Group, Cutoffs], most: int) -> Iterator[Json]:
    for group in largest({group: found.n for group, found in groups.items()}, most):
        places = range(groups[group].steps // SHOWN, groups[group].steps, groups[group].steps // SHOWN)
        yield {
            "slice": dict(zip(attributes, group, strict=True)),
            "cutoffs": [groups[group].at(place) for place in places],
        }


def _parity(
    attribute: str, groups: Mapping[Group, Cutoffs], everyone: Cutoffs, least: int, current: float | None
) -> dict[str, Json]:
    """For each of `LIMITS`, the cut-off nearest to the one in use at which the difference does not exceed it."""
    about: dict[str, Json] = {"across": [attribute], "metric": "demographic_parity_difference"}
    if current is None:
        return {**about, "limits": [], "reason": "the predictions are no cut of the scores"}
    difference = parity_by_cutoff(groups, least)
    if difference is None:
        return {**about, "limits": [], "reason": f"fewer than two groups have {least} cases"}
    limits: list[Json] = []
    for limit in LIMITS:
        place = cutoff_for(limit, difference, everyone.selection_rate, current)
        reached = {} if place is None else {"difference": float(difference[place]), **everyone.at(place)}
        limits.append({"limit": limit, "cutoff": None, **reached})
    return {**about, "limits": limits}
