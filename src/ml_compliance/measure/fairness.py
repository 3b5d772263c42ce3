"""Whether groups are treated alike: rates or losses per group and their disparities, for attributes and intersections.

With several classes, each is measured against the rest; its name is in the slice of its rates and disparities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import TypedDict

from ml_compliance.context import Context
from ml_compliance.engine.checks import MAX_GROUPS
from ml_compliance.engine.classes import CLASS
from ml_compliance.facts import NoSettings, Task
from ml_compliance.measure import _significance
from ml_compliance.model import Evidence, Json, Measurement
from ml_compliance.stats import fairness, intervals, regression, residual_fairness, significance
from ml_compliance.stats.counts import Counts, Group, groupings
from ml_compliance.stats.fairness import Disparity

MAX_CLASS_GROUPS = 5_000
"""Where groups × classes are more than this, no class is compared between those groups."""


class _Size(TypedDict, total=False):
    n: int
    positives: int
    negatives: int


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Rates of every group and every disparity between them.

    Groups below the law's minimum are measured and shown, but no disparity is computed on them.
    """
    sensitive = context.facts.data.sensitive
    if not sensitive:
        return Evidence(
            "fairness", "missing", reason="no sensitive attribute is named: write data.sensitive: [COLUMN, …]"
        )
    task = context.facts.data.task
    measured = {"binary": _binary, "multiclass": _multiclass, "regression": _regression}[task]
    measurements: list[Measurement] = []
    counted: dict[str, Json] = {}
    for attributes in groupings(sensitive):
        groups = _groups(context, task, attributes)
        counted[" × ".join(attributes)] = groups
        reason = _too_many(context, attributes, groups)
        measurements += _not_compared(context, attributes, reason) if reason else measured(context, attributes)
    group_test = "Welch's t" if task == "regression" else "χ² with Yates's correction"
    measurements, tested = _significance.adjusted(measurements, f"{group_test}, of a group against all others")
    facts: dict[str, Json] = {
        "sensitive": list(sensitive), "groups": counted, "task": task, "significance": tested,
    }  # fmt: skip
    if task == "multiclass":
        facts["classes"] = list(context.class_cube.classes)
    return Evidence("fairness", "measured", tuple(measurements), facts=facts, rows=context.judged.rows)


def _groups(context: Context, task: Task, attributes: tuple[str, ...]) -> int:
    if task == "multiclass":
        return len(context.class_cube.by(attributes))
    return len(context.residuals.by(attributes)) if task == "regression" else len(context.cube.by(attributes))


def _binary(context: Context, attributes: tuple[str, ...]) -> Iterator[Measurement]:
    yield from _of_counts(context, attributes, context.cube.by(attributes), {})


def _multiclass(context: Context, attributes: tuple[str, ...]) -> Iterator[Measurement]:
    cube = context.class_cube
    groups = cube.by(attributes)
    for name in cube.classes:
        rest = {group: counts.against_rest(name) for group, counts in groups.items()}
        yield from _of_counts(context, attributes, rest, {CLASS: name})


def _of_counts(
    context: Context, attributes: tuple[str, ...], groups: Mapping[Group, Counts], about: Mapping[str, str]
) -> Iterator[Measurement]:
    """Rates of each group and disparities between them; `about` says of which class, if there are several."""
    p_values = {rate_of: _against_rest(rate_of, groups) for rate_of in fairness.RATES}
    for group, counts in groups.items():
        for rate_of in fairness.RATES:
            rate = rate_of(counts)
            yield Measurement(
                name=f"fairness/{rate.name}",
                value=rate.successes / rate.trials if rate.trials else None,
                status="measured" if rate.trials else "not_estimable",
                slice={**dict(zip(attributes, group, strict=True)), **about},
                interval=intervals.rate_interval(rate.successes, rate.trials) if rate.trials else None,
                reason="" if rate.trials else rate.empty,
                method=_significance.of_group(p_values[rate_of][group]) if rate.trials else {},
                **_size(counts),
            )
    total = sum(groups.values(), Counts())
    about_groups = {group: _about(attributes, group, _size(counts)) for group, counts in groups.items()}
    limits = _significance.limits(context.law, attributes, about)
    for found in fairness.disparities(groups, context.minimum, limits):
        yield _disparity(found, attributes, about, _size(total), about_groups, {"minimum": asdict(context.minimum)})


def _against_rest(rate_of: Callable[[Counts], fairness.Rate], groups: Mapping[Group, Counts]) -> dict[Group, float]:
    rates = [rate_of(counts) for counts in groups.values()]
    p_values = significance.differs_from_rest([(rate.successes, rate.trials) for rate in rates])
    return dict(zip(groups, p_values, strict=True))


def _size(counts: Counts) -> _Size:
    return {"n": counts.n, "positives": counts.positives, "negatives": counts.negatives}


def _regression(context: Context, attributes: tuple[str, ...]) -> Iterator[Measurement]:
    cube = context.residuals
    groups = cube.by(attributes)
    p_values = _means_against_rest(cube, groups)
    for group, sums in groups.items():
        for name, estimate in regression.estimates(sums, cube.scale):
            if name in residual_fairness.COMPARED:
                yield Measurement(
                    name=f"fairness/{name}",
                    value=estimate.value,
                    slice=dict(zip(attributes, group, strict=True)),
                    interval=estimate.interval,
                    n=sums.n,
                    method=_significance.of_group(p_values[name][group]) if group in p_values[name] else {},
                )
    total = sum(sums.n for sums in groups.values())
    about_groups = {group: _about(attributes, group, {"n": sums.n}) for group, sums in groups.items()}
    # There are no positives and negatives whose number could be too small.
    method: dict[str, Json] = {"minimum": {"cases": context.minimum.cases}, "residual": "label − prediction"}
    limits = _significance.limits(context.law, attributes, {})
    for found in residual_fairness.disparities(groups, cube.scale, context.minimum, limits):
        about: dict[str, Json] = {"loss": "absolute error"} if found.name.startswith("group_loss") else {}
        yield _disparity(found, attributes, {}, {"n": total}, about_groups, {**method, **about})


def _means_against_rest(
    cube: regression.ResidualCube, groups: Mapping[Group, regression.Sums]
) -> dict[str, dict[Group, float]]:
    """The p-values of each group's means, by name; none where there is no other group."""
    (total,) = cube.by(()).values()
    rests = {group: total - sums for group, sums in groups.items() if sums.n < total.n}
    found = {}
    for name, mean_of in residual_fairness.COMPARED.items():
        pairs = [(mean_of(groups[group], cube.scale), mean_of(rest, cube.scale)) for group, rest in rests.items()]
        found[name] = dict(zip(rests, residual_fairness.differs_from_rest(pairs), strict=True))
    return found


def _disparity(
    found: Disparity,
    attributes: tuple[str, ...],
    about: Mapping[str, str],
    total: _Size,
    groups: Mapping[Group, Mapping[str, Json]],
    method: Mapping[str, Json],
) -> Measurement:
    """`groups` is what `_about` tells of each."""
    return Measurement(
        name=f"fairness/{found.name}",
        value=found.value,
        status="not_estimable" if found.value is None else "measured",
        slice=about,
        across=attributes,
        interval=found.interval,
        reason=found.reason,
        method={
            **method,
            **about,
            "groups": len(groups),
            "compared": [groups[group]["slice"] for group in found.compared],
            "excluded": [groups[group] for group in found.excluded],
            "over_every_group": found.over_every_group,
            **_significance.of_disparity(found.tests),
        },
        **total,
    )


def _about(attributes: tuple[str, ...], group: Group, size: _Size) -> dict[str, Json]:
    """A group as a disparity names it, with its size."""
    return {"slice": dict(zip(attributes, group, strict=True)), **size}  # type: ignore[dict-item]


def _too_many(context: Context, attributes: tuple[str, ...], groups: int) -> str:
    """Why these groups are not compared; empty when they are."""
    name = " × ".join(attributes)
    if groups > MAX_GROUPS:
        return f"{name} makes {groups} groups, more than {MAX_GROUPS}: bin an attribute"
    classes = len(context.class_cube.classes) if context.facts.data.task == "multiclass" else 1
    if groups * classes > MAX_CLASS_GROUPS:
        return f"{name} makes {groups} groups of {classes} classes, together more than {MAX_CLASS_GROUPS}"
    return ""


def _not_compared(context: Context, attributes: tuple[str, ...], reason: str) -> Iterator[Measurement]:
    task = context.facts.data.task
    slices = [{CLASS: name} for name in context.class_cube.classes] if task == "multiclass" else [{}]
    for name in residual_fairness.DISPARITIES if task == "regression" else fairness.DISPARITIES:
        for slice_of in slices:
            yield Measurement(f"fairness/{name}", None, "not_estimable", slice_of, attributes, reason=reason)
