"""Whether scores are probabilities: calibration errors overall and per group, and what other cut-offs would do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ml_compliance.context import Context
from ml_compliance.engine.checks import MAX_GROUPS
from ml_compliance.errors import UsageError
from ml_compliance.measure import _sweep
from ml_compliance.model import Evidence, Json, Measurement
from ml_compliance.stats import calibration as stats
from ml_compliance.stats import intervals
from ml_compliance.stats.counts import Group, groupings
from ml_compliance.stats.rollup import roll_up

FEWEST_BINS, MOST_BINS = 2, 100
MAX_SHOWN = 50
"""Of an attribute with more groups than this, the largest have a reliability table and a sweep."""

Attributes = tuple[str, ...]
Tables = Mapping[Attributes, Mapping[Group, stats.Reliability]]


@dataclass(frozen=True)
class Settings:
    """How scores are brought to bins."""

    __pydantic_config__ = {"extra": "forbid", "use_attribute_docstrings": True}  # noqa: RUF012

    bins: int = 10
    """Bins of equal width between 0 and 1, from 2 to 100."""


def measure(context: Context, settings: Settings) -> Evidence:
    """Calibration errors for all rows, for each group of each sensitive attribute, and for their intersections."""
    bins = settings.bins
    if not FEWEST_BINS <= bins <= MOST_BINS:
        raise UsageError(f"bins is {bins}", where="compliance.yaml: measure.calibration",
                         remedy=f"write a whole number from {FEWEST_BINS} to {MOST_BINS}")  # fmt: skip
    judged = context.judged
    if not judged.has_score:
        return Evidence("calibration", "missing", rows=judged.rows, reason=_NO_SCORE)
    from ml_compliance.engine.score_bins import cutoff_in_use

    # Fine enough for the sweep, and so that each bin is made of whole steps.
    steps = math.lcm(bins, _sweep.SHOWN) * math.ceil(_sweep.LEAST_STEPS / math.lcm(bins, _sweep.SHOWN))
    tables, sweeps = _tables(context, bins, steps)
    singles = {attributes: groups for attributes, groups in tables.items() if len(attributes) < 2}
    measurements: list[Measurement] = []
    for attributes in [(), *groupings(judged.attributes)]:
        if attributes not in tables:
            measurements += _too_many(attributes, len(context.cube.by(attributes)))
            continue
        for group, reliability in tables[attributes].items():
            about = dict(zip(attributes, group, strict=True))
            measurements += _measurements(reliability, about, bins, context.minimum.cases)
    facts: dict[str, Json] = {
        "bins": {"scheme": _SCHEME, "edges": [number / bins for number in range(bins + 1)]},
        "groups": {names[0]: [group[0] for group in groups] for names, groups in singles.items() if names},
        "reliability": [row for names, groups in singles.items() for row in _diagrams(names, groups)],
        "left_out": {names[0]: len(groups) - MAX_SHOWN for names, groups in singles.items() if len(groups) > MAX_SHOWN},
        "threshold_sweep": _sweep.sweep(sweeps, cutoff_in_use(judged), context.minimum.cases, MAX_SHOWN),
    }
    return Evidence("calibration", "measured", tuple(measurements), facts=facts, rows=judged.rows)


_NO_SCORE = "there are no scores: name the column of predicted probabilities under data.score, in compliance.yaml"
_SCHEME = "equal width; a bin contains its lower edge, the last one both"


def _tables(context: Context, bins: int, steps: int) -> tuple[Tables, _sweep.Sweeps]:
    """The bins of every grouping without too many groups, and the cut-offs of all rows and of single attributes."""
    from ml_compliance.engine.score_bins import score_bins

    judged = context.judged
    every = judged.attributes
    wanted = [names for names in [(), *groupings(every)] if len(context.cube.by(names)) <= MAX_GROUPS]
    # One scan, if the finest groups are few enough to be added up; else one for each grouping.
    scans = [every] if every in wanted else wanted
    tables: dict[Attributes, Mapping[Group, stats.Reliability]] = {}
    sweeps: dict[Attributes, Mapping[Group, stats.Cutoffs]] = {}
    for scanned in scans:
        fine = score_bins(judged, scanned, steps)
        coarse = {cell: found.coarser(steps // bins, bins) for cell, found in fine.items()}
        cut = {cell: stats.cutoffs(found, steps) for cell, found in fine.items()}
        for names in wanted if scanned == every else [scanned]:
            tables[names] = roll_up(coarse, scanned, names)
            if len(names) < 2:
                sweeps[names] = roll_up(cut, scanned, names)
    return tables, sweeps


def _measurements(
    reliability: stats.Reliability, about: dict[str, str], bins: int, least: int
) -> Iterator[Measurement]:
    total = reliability.total
    for found in stats.calibrations(reliability, least):
        yield Measurement(
            name=f"calibration/{found.name}",
            value=found.value,
            status="not_estimable" if found.value is None else "measured",
            slice=about,
            interval=found.interval,
            n=total.n,
            positives=total.positives,
            negatives=total.n - total.positives,
            reason=found.reason,
            method={"bins": bins, "scheme": "equal width", **found.method},
        )


def _too_many(attributes: Attributes, groups: int) -> Iterator[Measurement]:
    reason = f"{' × '.join(attributes)} makes {groups} groups, more than {MAX_GROUPS}: bin an attribute"
    for name in stats.NAMES:
        yield Measurement(f"calibration/{name}", None, "not_estimable", across=attributes, reason=reason)


def _diagrams(attributes: Attributes, groups: Mapping[Group, stats.Reliability]) -> Iterator[Json]:
    """What a reliability diagram shows, for the largest groups."""
    for group in _sweep.largest({group: found.total.n for group, found in groups.items()}, MAX_SHOWN):
        yield {
            "slice": dict(zip(attributes, group, strict=True)),
            "bins": [_row(number, part) for number, part in groups[group].bins.items()],
        }


def _row(number: int, part: stats.Bin) -> dict[str, Json]:
    interval = intervals.rate_interval(part.positives, part.n)
    return {
        "bin": number,
        "n": part.n,
        "mean_score": part.mean_score,
        "observed_rate": part.rate,
        "interval": [interval.low, interval.high],
    }
