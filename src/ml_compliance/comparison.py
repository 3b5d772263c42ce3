"""What a change does to the verdict: a report beside the snapshot of the branch that it will be merged into."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_compliance import files
from ml_compliance.documents import validate
from ml_compliance.errors import UsageError
from ml_compliance.model import Changes, Delta, Report
from ml_compliance.publish.snapshot import SNAPSHOT_SCHEMA, main_numbers, prints

FILE = "snapshot.json"
_LARGEST = 2**20
_NOISE = 1e-9
"""Sums of floating-point numbers may differ by this share when rows come in another order."""


def read_snapshot(path: Path) -> dict[str, Any]:
    """The snapshot in a file, or in the output folder of a run. Raises UsageError when there is none."""
    file = path / FILE if path.is_dir() else path
    remedy = "name the snapshot.json, or the output folder, of a run of the base"
    document = files.read_json(file, remedy, largest=_LARGEST)
    validate(document, SNAPSHOT_SCHEMA, str(file))
    return document


def compare(before: Mapping[str, Any], base: str, report: Report) -> Changes:
    """The report against `before`, a snapshot of what is called `base`. What cannot be compared has a reason."""
    try:
        validate(before, SNAPSHOT_SCHEMA, base)
    except UsageError as error:
        return Changes(base, reason=f"its snapshot cannot be read: {error.message}")
    if before["project"] != report.project:
        return Changes(base, reason=f"its snapshot is of the project {before['project']}")
    if before["verdict"] == "not_evaluated":
        return Changes(base, before["verdict"], reason="it was not evaluated itself")
    if report.decision.verdict == "not_evaluated":
        return Changes(base, before["verdict"], reason="this one is not evaluated")
    decision = report.decision
    known = Counter(item["fingerprint"] for item in before["violations"])
    new = tuple(place for place, mark in enumerate(prints(report)) if not known[mark])
    gone = known - Counter(prints(report))
    omitted = before["violations_omitted"]
    return Changes(
        base=base,
        verdict=before["verdict"],
        new=() if omitted else new,
        unchanged=len(decision.violations) - len(new),
        fixed=tuple(item["title"] for item in before["violations"] if gone[item["fingerprint"]]),
        deltas=tuple(_deltas(before, report)),
        same_rules=all(before[key] == getattr(decision, key) for key in ("policy_digest", "law_digest")),
        reason=f"its snapshot has no room for {omitted:,} of its violations, so what is new is not known"
        if omitted
        else "",
    )


def _deltas(before: Mapping[str, Any], report: Report) -> Iterator[Delta]:
    """In the order of the report; a number that only the base has comes last."""
    old = {(item["name"], tuple(item["across"])): item["value"] for item in before["measurements"]}
    now = {(item.name, item.across): item.value for item in main_numbers(report)}
    for key in (*now, *(key for key in old if key not in now)):
        was, value = old.get(key), now.get(key)
        if was is None and before["measurements_omitted"]:
            continue  # It may have been measured, and had no room.
        if was is None or value is None or not math.isclose(was, value, rel_tol=_NOISE, abs_tol=_NOISE):
            yield Delta(*key, was, value)
