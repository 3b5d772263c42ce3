"""Whether groups are treated alike: rates per group and their disparities, for attributes and intersections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from ml_compliance.context import Context
from ml_compliance.engine.judged import MAX_GROUPS
from ml_compliance.facts import NoSettings
from ml_compliance.model import Evidence, Json, Measurement
from ml_compliance.stats import fairness, intervals
from ml_compliance.stats.counts import Counts, Group, groupings


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Rates of every group and every disparity between them.

    Groups below the law's minimum are measured and shown, but no disparity is computed on them.
    """
    sensitive = context.facts.data.sensitive
    if not sensitive:
        return Evidence(
            "fairness", "missing", reason="no sensitive attribute is named: write data.sensitive: [COLUMN, …]"
        )
    judged = context.judged
    measurements: list[Measurement] = []
    counted: dict[str, Json] = {}
    for attributes in groupings(sensitive):
        groups = context.cube.by(attributes)
        counted[" × ".join(attributes)] = len(groups)
        if len(groups) > MAX_GROUPS:
            measurements += _too_many(attributes, len(groups))
            continue
        measurements += _rates(attributes, groups)
        measurements += _disparities(attributes, groups, context.minimum)
    facts: dict[str, Json] = {"sensitive": list(sensitive), "groups": counted}
    return Evidence("fairness", "measured", tuple(measurements), facts=facts, rows=judged.rows)


def _rates(attributes: tuple[str, ...], groups: Mapping[Group, Counts]) -> Iterator[Measurement]:
    for group, counts in groups.items():
        for rate_of in fairness.RATES:
            rate = rate_of(counts)
            yield Measurement(
                name=f"fairness/{rate.name}",
                value=rate.successes / rate.trials if rate.trials else None,
                status="measured" if rate.trials else "not_estimable",
                slice=dict(zip(attributes, group, strict=True)),
                interval=intervals.rate_interval(rate.successes, rate.trials) if rate.trials else None,
                n=counts.n,
                positives=counts.positives,
                negatives=counts.negatives,
                reason="" if rate.trials else rate.empty,
            )


def _disparities(
    attributes: tuple[str, ...], groups: Mapping[Group, Counts], minimum: fairness.Minimum
) -> Iterator[Measurement]:
    total = sum(groups.values(), Counts())
    for found in fairness.disparities(groups, minimum):
        yield Measurement(
            name=f"fairness/{found.name}",
            value=found.value,
            status="not_estimable" if found.value is None else "measured",
            across=attributes,
            interval=found.interval,
            n=total.n,
            positives=total.positives,
            negatives=total.negatives,
            reason=found.reason,
            method={
                "minimum": asdict(minimum),
                "groups": len(groups),
                "compared": [dict(zip(attributes, group, strict=True)) for group in found.compared],
                "excluded": [_excluded(attributes, group, groups[group]) for group in found.excluded],
                "over_every_group": found.over_every_group,
            },
        )


def _excluded(attributes: tuple[str, ...], group: Group, counts: Counts) -> dict[str, Json]:
    return {
        "slice": dict(zip(attributes, group, strict=True)),
        "n": counts.n,
        "positives": counts.positives,
        "negatives": counts.negatives,
    }


def _too_many(attributes: tuple[str, ...], groups: int) -> Iterator[Measurement]:
    reason = f"{' × '.join(attributes)} makes {groups} groups, more than {MAX_GROUPS}: bin an attribute"
    for name in fairness.DISPARITIES:
        yield Measurement(f"fairness/{name}", None, "not_estimable", across=attributes, reason=reason)
