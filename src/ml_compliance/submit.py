"""The second room: evidence and lineage become `model_submission.json`, the body of a request to OPA's Data API.

The document is byte-stable: the same evidence gives the same bytes, but for the one field `created`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from ml_compliance.documents import EVIDENCE_SCHEMA, evidence_document, read_evidence, validate
from ml_compliance.model import Evidence, Json
from ml_compliance.waivers import SUBMITTED_SCHEMA

SUBMISSION_VERSION = "ml-compliance/submission/v1"
_SMALLER_IS_WORSE = ("_ratio", "_ratio_mean")
_LARGER_IS_WORSE = ("group_loss_ratio",)

_TEXT = {"type": "string"}
_NAME = {"type": ["string", "null"]}
SUBMISSION_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": SUBMISSION_VERSION,
    "title": "model_submission.json: what a policy judges",
    "type": "object",
    "required": ["input"],
    "additionalProperties": False,
    "properties": {
        "input": {
            "type": "object",
            "required": ["schema", "created", "project", "dataset", "coverage", "model", "evidence"],
            "additionalProperties": False,
            "properties": {
                "schema": {"const": SUBMISSION_VERSION},
                "created": {
                    **_TEXT,
                    "description": "the moment of evaluation, RFC 3339; the only clock in the document",
                },
                "project": _TEXT,
                "dataset": {**_TEXT, "description": "the name of the data set that was judged"},
                "coverage": {
                    "type": "object",
                    "required": ["evidence"],
                    "additionalProperties": False,
                    "properties": {"evidence": {"type": "array", "items": _TEXT}},
                },
                "model": {
                    "type": "object",
                    "required": ["artifact_registered", "data_card_generated", "validation_report"],
                    "additionalProperties": False,
                    "properties": {
                        "name": _NAME,
                        "version": _NAME,
                        "uri": _NAME,
                        "artifact_registered": {"type": "boolean"},
                        "data_card_generated": {"type": "boolean"},
                        "training_features": {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {"name": _TEXT, "type": _TEXT},
                            },
                        },
                        "validation_report": {
                            "type": "object",
                            "required": ["metrics"],
                            "properties": {"metrics": {"type": "object", "additionalProperties": {"type": "number"}}},
                        },
                    },
                },
                "evidence": {"type": "object", "additionalProperties": EVIDENCE_SCHEMA},
                "waivers": SUBMITTED_SCHEMA,
            },
        }
    },
}


def submission(
    project: str,
    dataset: str,
    evidence: Iterable[Evidence],
    created: str,
    waivers: Sequence[Mapping[str, Json]] = (),
) -> dict[str, Json]:
    """The submission document, `{"input": …}`.

    `project` and `dataset` are names; `created` is the moment of evaluation in RFC 3339. The paths that a
    policy written for the article reads are under `input.model`; everything measured is under
    `input.evidence.<module>`. `waivers`, where there are any, are judged with it.
    """
    by_name = {item.name: item for item in sorted(evidence, key=lambda item: item.name)}
    return {
        "input": {
            "schema": SUBMISSION_VERSION,
            "created": created,
            "project": project,
            "dataset": dataset,
            "coverage": {"evidence": list(by_name)},
            "model": _model(by_name),
            "evidence": {name: evidence_document(item) for name, item in by_name.items()},
            **({"waivers": list(waivers)} if waivers else {}),
        }
    }


def created() -> str:
    """The moment of evaluation in RFC 3339, by this machine's clock alone: waivers and approvals end by it.

    SOURCE_DATE_EPOCH is not heeded: a variable of the environment would let a waiver count that ended long ago.
    """
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_submission(document: Mapping[str, Any], where: str) -> tuple[Evidence, ...]:
    """The evidence inside a submission document. Raises UsageError when it does not fit its schema."""
    validate(document, SUBMISSION_SCHEMA, where)
    return tuple(read_evidence(item) for item in document["input"]["evidence"].values())


def _model(evidence: Mapping[str, Evidence]) -> dict[str, Json]:
    lineage = evidence["lineage"].facts if "lineage" in evidence else {}
    described = cast(Mapping[str, Json], lineage.get("model") or {})
    features = lineage.get("training_features")
    return {
        "name": described.get("name"),
        "version": described.get("version"),
        "uri": described.get("uri"),
        "artifact_registered": described.get("registered") is True,
        "data_card_generated": bool(lineage.get("data_card")),
        # A model whose features are unknown has no feature list: an empty one would read as "nothing sensitive".
        **({"training_features": features} if features else {}),
        "validation_report": {"metrics": _headline_metrics(evidence)},
    }


def _headline_metrics(evidence: Mapping[str, Evidence]) -> dict[str, Json]:
    """Metric name → number: over all rows, and for disparities the worst of the single attributes.

    A metric that is not measured for one of the attributes is left out, because in Rego null is less than
    any number.
    """
    metrics: dict[str, float | None] = {}
    for item in evidence.values():
        for measurement in item.measurements:
            if measurement.slice or len(measurement.across) > 1 or item.name not in ("performance", "fairness"):
                continue
            name = measurement.name.split("/", 1)[1]
            seen = metrics.get(name, measurement.value)
            metrics[name] = _worse(name, seen, measurement.value)
    return {name: value for name, value in metrics.items() if value is not None}


def _worse(name: str, one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return None
    smaller_is_worse = name.endswith(_SMALLER_IS_WORSE) and name not in _LARGER_IS_WORSE
    return min(one, other) if smaller_is_worse else max(one, other)
