"""How good the predictions are: accuracy, F1, ROC AUC, error of predicted numbers and more, overall and per group."""

from __future__ import annotations

from collections.abc import Iterator

from ml_compliance.context import Context
from ml_compliance.facts import NoSettings
from ml_compliance.model import Evidence, Json, Measurement
from ml_compliance.stats.counts import Counts, Group, groupings
from ml_compliance.stats.performance import NEED_SCORE, Estimate

MAX_CLASS_GROUPS = 5_000
"""Metrics of single classes are left out where groups × classes are more than this."""


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Every metric for all rows, for each group of each sensitive attribute, and for their intersections."""
    task = context.facts.data.task
    facts: dict[str, Json] = {"task": task}
    if task == "multiclass":
        facts["classes"] = list(context.class_cube.classes)
    measured = {"binary": _binary, "multiclass": _multiclass, "regression": _regression}[task](context)
    return Evidence("performance", "measured", tuple(measured), facts=facts, rows=context.judged.rows)


def _sets(context: Context) -> list[tuple[str, ...]]:
    return [(), *groupings(context.judged.attributes)]


def _measurement(
    name: str, estimate: Estimate, about: dict[str, str], n: int, counts: Counts | None = None
) -> Measurement:
    return Measurement(
        name=f"performance/{name}",
        value=estimate.value,
        status="not_estimable" if estimate.value is None else "measured",
        slice=about,
        interval=estimate.interval,
        reason=estimate.reason,
        n=n,
        positives=counts.positives if counts else None,
        negatives=counts.negatives if counts else None,
    )


def _slice(attributes: tuple[str, ...], group: Group) -> dict[str, str]:
    return dict(zip(attributes, group, strict=True))


def _binary(context: Context) -> Iterator[Measurement]:
    from ml_compliance.engine.cube import rankings
    from ml_compliance.stats.performance import estimates

    judged = context.judged
    ranked = rankings(judged, _sets(context))
    for attributes in _sets(context):
        for group, counts in context.cube.by(attributes).items():
            ranking = ranked[attributes][group] if judged.has_score else None
            for name, estimate in estimates(counts, ranking):
                if attributes and not judged.has_score and name in NEED_SCORE:
                    continue  # said once, for all rows
                yield _measurement(name, estimate, _slice(attributes, group), counts.n, counts)


def _multiclass(context: Context) -> Iterator[Measurement]:
    """Averages over the classes, and each class against the rest; there are no scores, so nothing that ranks."""
    from ml_compliance.engine.classes import CLASS
    from ml_compliance.stats.multiclass import class_estimates, estimates

    cube = context.class_cube
    for attributes in _sets(context):
        groups = cube.by(attributes)
        each = len(groups) * len(cube.classes) <= MAX_CLASS_GROUPS
        for group, counts in groups.items():
            about = _slice(attributes, group)
            for name, estimate in estimates(counts):
                yield _measurement(name, estimate, about, counts.n)
            for one in cube.classes if each else ():
                rest = counts.against_rest(one)
                for name, estimate in class_estimates(counts, one):
                    yield _measurement(name, estimate, {**about, CLASS: one}, rest.n, rest)


def _regression(context: Context) -> Iterator[Measurement]:
    from ml_compliance.stats.regression import estimates

    cube = context.residuals
    for attributes in _sets(context):
        for group, sums in cube.by(attributes).items():
            for name, estimate in estimates(sums, cube.scale):
                yield _measurement(name, estimate, _slice(attributes, group), sums.n)
