"""How many predictions break the hard limits that the law states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_compliance.law import items_of
from ml_compliance.model import Evidence, Json, Measurement

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.engine.limits import Kept
    from ml_compliance.facts import NoSettings

TYPE = "business_rules"


def measure(context: Context, settings: NoSettings) -> Evidence:
    """For each limit of each item of this type in the law, the share of the rows it is about that break it.

    The limit itself stands beside its numbers, so that a law that states another one is not satisfied by them. Raises
    UsageError when a limit names a column that does not exist.
    """
    law = context.law
    asked = [(item, limit) for item in items_of(law, TYPE) for limit in item["limits"]]
    if law is None or not asked:
        return Evidence(TYPE, "missing", reason=f"no item of the law has the type {TYPE}")
    from ml_compliance.engine.limits import Limit, check_limits, with_decision

    data, rows = context.facts.data, context.judged.rows
    table, prediction, score = context.decided
    limits = [
        Limit(limit["when"], limit["then"], str(law.locate(item["id"], "limits") or "the law")) for item, limit in asked
    ]
    found = check_limits(
        with_decision(table, data.evaluation, prediction, score, data.task), data.evaluation, limits, data.id
    )
    measurements = [
        _measurement(item["id"], limit, kept) for (item, limit), kept in zip(asked, found, strict=True)
    ]  # fmt: skip
    return Evidence(TYPE, "measured", tuple(measurements), rows=rows)


def _measurement(policy: str, limit: dict[str, Json], kept: Kept) -> Measurement:
    from ml_compliance.stats.intervals import rate_interval

    selected = kept.selected
    return Measurement(
        name=f"{TYPE}/broken_share",
        value=kept.broken / selected if selected else None,
        status="measured" if selected else "not_estimable",
        slice={"policy": policy, "limit": str(limit["id"])},
        interval=rate_interval(kept.broken, selected) if selected else None,
        n=selected,
        reason="" if selected else "no row is one that the limit is about",
        method={
            "when": limit["when"],
            "then": limit["then"],
            "selected": selected,
            "broken": kept.broken,
            "undetermined": kept.undetermined,
            "examples": list(kept.examples),
        },
    )
