"""What of fairness is more than chance: p-values against the limits of the law, adjusted for their number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ml_compliance.engine.classes import CLASS
from ml_compliance.law import Law, items_of
from ml_compliance.model import Json, Measurement
from ml_compliance.stats.fairness import Limits, Test
from ml_compliance.stats.significance import LEVEL, benjamini_hochberg, rounded

P, ADJUSTED = "p", "p_adjusted"
REST = "against_rest"
"""In the method of a group's rate: the test of "the group is like all others of its attributes together"."""
TESTS = "tests"
"""In the method of a disparity: the tests of "the true disparity does not go beyond the limit"."""


def limits(law: Law | None, attributes: tuple[str, ...], about: Mapping[str, str]) -> Limits:
    """The thresholds that items of the law set to each disparity across `attributes`, of the class in `about`."""
    found: dict[str, set[float]] = {}
    for item in items_of(law, "fairness"):
        stated = [{one} if isinstance(one, str) else set(one) for one in item.get("sensitive_attributes", ())]
        if set(attributes) in stated and item.get(CLASS) in (None, about.get(CLASS)):
            found.setdefault(item["metric"], set()).add(float(item["threshold"]))
    return {metric: sorted(thresholds) for metric, thresholds in found.items()}


def of_group(p: float) -> dict[str, Json]:
    """The method of a rate that differs from the rest of the groups with the p-value `p`."""
    return {REST: {P: rounded(p)}}


def of_disparity(tests: Iterable[Test]) -> dict[str, Json]:
    """The method of a disparity with `tests`."""
    return {TESTS: [{"limit": test.limit, P: test.p} for test in tests]}


def adjusted(measurements: list[Measurement], group_test: str) -> tuple[list[Measurement], dict[str, Json]]:
    """`measurements` with every p-value adjusted, and the facts about it.

    Benjamini and Hochberg's adjustment is over all groups × rates, and over all disparities × limits: two families,
    since only the latter is what the law asks about.
    """
    of_groups = benjamini_hochberg([_rest(item)[P] for item in measurements if REST in item.method])
    of_disparities = benjamini_hochberg([test[P] for item in measurements for test in _tests(item)])
    groups, disparities = iter(of_groups), iter(of_disparities)
    found = []
    for item in measurements:
        if REST not in item.method and TESTS not in item.method:
            found.append(item)
            continue
        method = dict(item.method)
        if REST in method:
            method[REST] = {**_rest(item), ADJUSTED: rounded(next(groups))}
        if TESTS in method:
            method[TESTS] = [{**test, ADJUSTED: rounded(next(disparities))} for test in _tests(item)]
        found.append(replace(item, method=method))
    facts: dict[str, Json] = {
        "adjustment": "Benjamini–Hochberg",
        "level": rounded(LEVEL),
        "groups": {"test": group_test, **_counted(of_groups)},
        "disparities": {"test": "the interval, inverted", **_counted(of_disparities)},
    }
    return found, facts


def _counted(adjusted_p: list[float]) -> dict[str, Json]:
    return {TESTS: len(adjusted_p), "findings": sum(p <= LEVEL for p in adjusted_p)}


def _rest(item: Measurement) -> dict[str, float]:
    found: dict[str, float] = item.method[REST]  # type: ignore[assignment]
    return found


def _tests(item: Measurement) -> list[dict[str, float]]:
    found: list[dict[str, float]] = item.method.get(TESTS, [])  # type: ignore[assignment]
    return found
