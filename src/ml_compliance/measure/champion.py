"""Whether the model is better or worse than the one in use, on the same rows: overall and per group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from ml_compliance.engine.checks import MAX_GROUPS
from ml_compliance.engine.sources import files_of, is_remote
from ml_compliance.measure._digests import file_digest
from ml_compliance.model import Evidence, FileDigest, Json, Measurement
from ml_compliance.stats.counts import Counts, Group, Ranking, groupings
from ml_compliance.stats.delong import Covariance, covariances
from ml_compliance.stats.fairness import Minimum
from ml_compliance.stats.paired import Comparison
from ml_compliance.stats.paired_counts import count_comparisons
from ml_compliance.stats.paired_scores import SCORE_METRICS, score_comparisons
from ml_compliance.stats.rollup import roll_up

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.engine.paired import Paired
    from ml_compliance.facts import NoSettings

Attributes = tuple[str, ...]
Rankings = tuple[dict[Group, Ranking], dict[Group, Ranking]]


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Every metric's difference, challenger − champion, for all rows, each group and each intersection of groups.

    Groups below the law's minimum are measured, and listed as such. An intersection of more than MAX_GROUPS groups is
    counted only. Raises EvaluationError when the rows of the two models cannot be paired.
    """
    if context.facts.champion is None:
        reason = "no champion is named: write champion: {uri: models:/NAME@ALIAS} or {predictions: TABLE}"
        return Evidence("champion", "missing", reason=reason)
    if context.facts.data.task != "binary":
        return Evidence("champion", "missing", reason="models are compared where data.task is binary")
    from ml_compliance.engine.paired import joint_counts

    paired = context.paired
    attributes = paired.judged.attributes
    cells = joint_counts(paired)
    sets = {wanted: roll_up(cells, attributes, wanted) for wanted in ((), *groupings(attributes))}
    kept = {wanted: groups for wanted, groups in sets.items() if len(groups) <= MAX_GROUPS}
    scored = _scored(paired, list(kept)) if paired.has_scores else {}
    measurements, small = [*_without_scores(paired)], list[Json]()
    for wanted, groups in kept.items():
        for group, pairs in groups.items():
            which, counts = dict(zip(wanted, group, strict=True)), pairs.counts
            found = [*count_comparisons(pairs)]
            if paired.has_scores:
                rankings, covariance = scored[wanted]
                ranked = rankings[0][group], rankings[1][group]
                found += score_comparisons(pairs, ranked, covariance.get(group))
            measurements += [_measurement(name, which, counts, comparison) for name, comparison in found]
            if which and _is_small(counts, context.minimum):
                small.append({"slice": which, "n": counts.n, "positives": counts.positives,
                              "negatives": counts.negatives})  # fmt: skip
    facts: dict[str, Json] = {
        "champion": _champion(context),
        "groups": {name: [group for (group,) in sets[(name,)]] for name in attributes},
        "intersections": {" × ".join(wanted): len(groups) for wanted, groups in sets.items() if len(wanted) > 1},
        "minimum": asdict(context.minimum),
        "below_minimum": small,
    }
    return Evidence("champion", "measured", tuple(measurements), facts, _files(context), paired.judged.rows)


def _scored(paired: Paired, sets: list[Attributes]) -> dict[Attributes, tuple[Rankings, dict[Group, Covariance]]]:
    """For each set of attributes, how the challenger's and the champion's scores rank each group's rows, and the
    covariance of both areas under the ROC curve.
    """
    from ml_compliance.engine.cube import rankings
    from ml_compliance.engine.paired import MODELS, score_pairs, side

    one, two = (rankings(side(paired, model), sets) for model in MODELS)
    pairs, attributes = score_pairs(paired), paired.judged.attributes
    return {
        wanted: ((one[wanted], two[wanted]), covariances(pairs, [attributes.index(name) for name in wanted]))
        for wanted in sets
    }


def _measurement(name: str, which: Mapping[str, str], counts: Counts, found: Comparison) -> Measurement:
    relative: dict[str, Json] = {"value": found.relative}
    if found.relative_bounds is not None:
        relative["interval"] = dict(zip(("low", "high"), found.relative_bounds, strict=True))
    method: dict[str, Json] = {"challenger": found.challenger, "champion": found.champion, "relative": relative}
    return Measurement(
        name=f"champion/{name}_difference",
        value=found.difference,
        status="not_estimable" if found.difference is None else "measured",
        slice=which,
        interval=found.interval,
        n=counts.n,
        positives=counts.positives,
        negatives=counts.negatives,
        reason=found.reason,
        method={} if found.difference is None else {**method, **found.method},
    )


def _without_scores(paired: Paired) -> Iterator[Measurement]:
    """What needs the scores of both models, said once for all rows."""
    if not paired.has_scores:
        who = "the champion has" if paired.judged.has_score else "the challenger has"
        for name in SCORE_METRICS:
            yield Measurement(f"champion/{name}_difference", None, "not_estimable", reason=f"{who} no score")


def _is_small(counts: Counts, minimum: Minimum) -> bool:
    enough = counts.n >= minimum.cases and counts.positives >= minimum.positives
    return not (enough and counts.negatives >= minimum.negatives)


def _champion(context: Context) -> dict[str, Json]:
    """Who the champion is: what the registry knows of it, or the file of its predictions."""
    champion = context.facts.champion
    if champion is None or champion.predictions:
        return {"predictions": champion.predictions if champion else ""}
    source = context.champion_model.source
    return {"uri": source.uri, "name": source.name, "version": source.version, "aliases": list(source.aliases)}


def _files(context: Context) -> tuple[FileDigest, ...]:
    """The digests of the table of the champion's predictions; an object store's or a backend's has none to take."""
    written = context.facts.champion.predictions if context.facts.champion else ""
    if not written or is_remote(written, context.facts.data.backend):
        return ()
    return tuple(file_digest(source.path, source.name) for source in files_of(context.folder, written))
