"""How good the predictions are: accuracy, precision, recall, F1, ROC AUC, log loss and more, overall and per group."""

from __future__ import annotations

from ml_compliance.context import Context
from ml_compliance.facts import NoSettings
from ml_compliance.model import Evidence, Measurement
from ml_compliance.stats.counts import groupings
from ml_compliance.stats.performance import NEED_SCORE, estimates


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Every metric for all rows, for each group of each sensitive attribute, and for their intersections."""
    from ml_compliance.engine.cube import rankings

    judged = context.judged
    sets = [(), *groupings(judged.attributes)]
    ranked = rankings(judged, sets)
    measurements = []
    for attributes in sets:
        for group, counts in context.cube.by(attributes).items():
            ranking = ranked[attributes][group] if judged.has_score else None
            for name, estimate in estimates(counts, ranking):
                if attributes and not judged.has_score and name in NEED_SCORE:
                    continue  # said once, for all rows
                measurements.append(
                    Measurement(
                        name=f"performance/{name}",
                        value=estimate.value,
                        status="not_estimable" if estimate.value is None else "measured",
                        slice=dict(zip(attributes, group, strict=True)),
                        interval=estimate.interval,
                        n=counts.n,
                        positives=counts.positives,
                        negatives=counts.negatives,
                        reason=estimate.reason,
                    )
                )
    return Evidence("performance", "measured", tuple(measurements), rows=judged.rows)
