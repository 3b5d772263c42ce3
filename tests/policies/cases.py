"""What the policy is tried on: one allowed and one denied submission, and many ways in which each can be wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ml_compliance.documents import canonical, digest
from ml_compliance.model import Evidence, Measurement
from ml_compliance.submit import submission
from tests import examples

Document = dict[str, Any]
Path = tuple[str | int, ...]
GONE = object()
WRONG: tuple[Any, ...] = (GONE, None, "", [], {}, "text", True, [7])
"""What stands in the place of something that a policy may read: nothing, or something of another kind."""

POLICIES: list[Document] = [
    {"id": "fair", "type": "fairness", "metric": "demographic_parity_difference", "threshold": 0.25,
     "sensitive_attributes": ["race"], "dataset": "validation_holdout"},
    {"id": "ratio", "type": "fairness", "metric": "demographic_parity_ratio", "threshold": 0.75,
     "sensitive_attributes": [["race"]]},
    {"id": "good", "type": "performance", "metric": "accuracy", "minimum": 0.75, "slices": ["race"]},
    {"id": "loss", "type": "performance", "metric": "log_loss", "maximum": 0.4, "dataset": "validation_holdout"},
    {"id": "explained", "type": "explainability", "requirement": "mandatory", "technique": "shap",
     "report_format": "HTML"},
    {"id": "known", "type": "data_lineage", "required_artifacts": ["raw_data_hash", "processing_code_commit"]},
    {"id": "valid", "type": "data_validation", "max_failed_expectations": 1, "schema_drift": "warn"},
    {"id": "kept", "type": "registry"},
    {"id": "private", "type": "privacy"},
]  # fmt: skip


def law(*policies: Mapping[str, Any], **more: Any) -> Document:
    """The document `data.mlpolicy.law`, with a digest that fits it."""
    minimum = {"cases": 30, "positives": 10, "negatives": 10}
    content = {"project": "customer_credit", "minimum": minimum, "policies": [dict(item) for item in policies], **more}
    return {**content, "digest": digest(content)}


def submitted(*changed: Evidence) -> Document:
    """The submission of tests/examples.py, with `changed` in the place of evidence of the same name."""
    by_name = {item.name: item for item in (*examples.evidence(), *changed)}
    document = submission("loan", "validation_holdout", by_name.values(), "2026-11-23T00:00:00Z")
    # By way of text, so that no two places share an object.
    read: Document = json.loads(canonical(document))
    return read


def with_slices() -> Evidence:
    """Performance in every group of `race`, one of them too small."""
    middling = Measurement("performance/accuracy", 0.85, slice={"race": "Hispanic"}, n=51, positives=25, negatives=26)
    small = Measurement("performance/accuracy", 0.5, slice={"race": "Asian"}, n=8, positives=7, negatives=1)
    performance = examples.performance()
    return replace(performance, measurements=(*performance.measurements, middling, small))


ALLOWED = submitted(with_slices())
LAW = law(*POLICIES)
_STRICTER: tuple[Document, ...] = (
    {"threshold": 0.05}, {"threshold": 0.8}, {"minimum": 0.85}, {"maximum": 0.2}, {"technique": "LIME"},
    {"required_artifacts": ["feature_store_version"]}, {"max_failed_expectations": 0, "schema_drift": "deny"},
    {}, {"forbidden_features": ["ObRat"]},
)  # fmt: skip
STRICT = law(*({**item, **stricter} for item, stricter in zip(POLICIES, _STRICTER, strict=True)))


def article() -> Document:
    """The law of the article, as it is printed there."""
    return law(
        {"id": "fairness_policy_001", "type": "fairness", "metric": "demographic_parity_difference",
         "threshold": 0.05, "sensitive_attributes": ["postal_code_region"], "dataset": "validation_holdout"},
        {"id": "explainability_policy_001", "type": "explainability", "requirement": "mandatory",
         "technique": "SHAP", "report_format": "html"},
        {"id": "lineage_policy_001", "type": "data_lineage",
         "required_artifacts": ["raw_data_hash", "processing_code_commit", "feature_store_version"]},
    )  # fmt: skip


def changed(document: Document, path: Path, value: Any) -> Document:
    """A copy of `document` with `value` at `path`, or without it when `value` is GONE."""
    result = copy.deepcopy(document)
    place: Any = result
    for step in path[:-1]:
        place = place[step]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return result


def paths(value: Any, start: Path = ()) -> Iterator[Path]:
    """The path of every object, array and leaf in `value`, but for itself."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*start, key)
        yield from paths(item, (*start, key))


def _status(module: str, status: str, reason: str = "") -> Document:
    evidence = changed(ALLOWED, ("input", "evidence", module, "status"), status)
    return changed(evidence, ("input", "evidence", module, "reason"), reason)


def _twice() -> Document:
    found = copy.deepcopy(ALLOWED)
    evidence = found["input"]["evidence"]["fairness"]
    evidence["measurements"] += [item for item in evidence["measurements"] if item.get("across")]
    evidence["coverage"]["measurements"] = len(evidence["measurements"])
    return found


def _edited(module: str, name: str, edit: Mapping[str, Any], **where: Any) -> Document:
    found = copy.deepcopy(ALLOWED)
    for item in found["input"]["evidence"][module]["measurements"]:
        if item["name"] == name and all(item.get(key) == value for key, value in where.items()):
            item.update(edit)
    return found


def cases() -> dict[str, tuple[Document, Document]]:
    """Name → (submission, law): what the three engines have to agree on."""
    found: dict[str, tuple[Document, Document]] = {
        "allowed": (ALLOWED, LAW),
        "denied": (ALLOWED, STRICT),
        "article": (ALLOWED, article()),
        "nothing": ({"input": {}}, LAW),
        "null": ({"input": None}, LAW),
        "text": ({"input": "model"}, LAW),
        "twice": (_twice(), LAW),
        "failed": (_status("fairness", "error", "ValueError: no"), LAW),
        "failed without a word": (_status("data", "error"), LAW),
        "missing": (_status("explainability", "missing", "no model is configured"), LAW),
        "declared": (_status("explainability", "declared"), LAW),
        "unknown status": (_status("lineage", "fine"), LAW),
        "another schema": (changed(ALLOWED, ("input", "schema"), "v0"), LAW),
        "another data set": (changed(ALLOWED, ("input", "dataset"), "train"), LAW),
        "dirty": (changed(ALLOWED, ("input", "evidence", "lineage", "facts", "git", "dirty"), True), LAW),
        "conflict": (changed(ALLOWED, ("input", "evidence", "lineage", "facts", "conflicts"), ["a", "b"]), LAW),
        "text with signs": (changed(ALLOWED, ("input", "dataset"), 'тест "\\\n\u2028 <b>'), LAW),
        "no groups named": (_edited("fairness", "fairness/demographic_parity_difference", {"method": {}}), LAW),
        "one group": (_one_group(), LAW),
        "out of range": (_edited("fairness", "fairness/demographic_parity_difference", {"value": -0.5}), LAW),
        "lower minimum": (ALLOWED, law(*POLICIES, minimum={"cases": 40, "positives": 10, "negatives": 10})),
        "large group left out": (_large_left_out(), LAW),
        "group without counts": (_edited("performance", "performance/accuracy", {"n": None}, n=79), LAW),
        "group not measured": (_edited("performance", "performance/accuracy", {"status": "not_estimable"}, n=79), LAW),
        "same group twice": (_edited("performance", "performance/accuracy", {"slice": {"race": "white"}}, n=79), LAW),
        "another law": (ALLOWED, law(*POLICIES, digest=1, project=None)),
        "no law": (ALLOWED, {"digest": "sha256:0"}),
        "empty law": (ALLOWED, law()),
        "policies are no list": (ALLOWED, {**law(), "policies": {"a": POLICIES[0]}}),
        "items are no objects": (ALLOWED, {**law(), "policies": [1, None, "a", [], {}]}),
        "same id": (ALLOWED, law(POLICIES[0], {**POLICIES[2], "id": "fair"})),
        "unknown type": (ALLOWED, law({"id": "x", "type": "horoscope"})),
        "bad minimum": (ALLOWED, law(*POLICIES, minimum={"cases": "30"})),
        "unknown minimum": (ALLOWED, law(*POLICIES, minimum={"case": 30})),
        "severities": (ALLOWED, law(*({**item, "severity": "low"} for item in STRICT["policies"]))),
        "optional": (_status("explainability", "missing"), law({**POLICIES[4], "requirement": "optional"})),
        "warn of features": (_sensitive_feature(), law({**POLICIES[8], "sensitive_as_feature": "warn"})),
        "sensitive feature": (_sensitive_feature(), LAW),
        "registry not asked": (ALLOWED, law({**POLICIES[7], "registered": False, "data_card": False})),
    }
    for item in POLICIES:
        for key in item:
            for wrong in WRONG:
                name = f"{item['id']}.{key} {'gone' if wrong is GONE else repr(wrong)}"
                found[name] = (ALLOWED, law(changed(item, (key,), wrong)))
        found[f"{item['id']} with a misspelt key"] = (ALLOWED, law({**item, "treshold": 1}))
        found[f"{item['id']} with a wrong severity"] = (ALLOWED, law({**item, "severity": "huge"}))
        found[f"{item['id']} with a wrong description"] = (ALLOWED, law({**item, "description": 1}))
    return found


def _one_group() -> Document:
    method = {"groups": 1, "compared": [{"race": "white"}], "excluded": []}
    return _edited("fairness", "fairness/demographic_parity_difference", {"method": method})


def _large_left_out() -> Document:
    method: Document = json.loads(json.dumps(dict(examples.fairness().measurements[-1].method)))
    method["compared"].pop(0)
    method["excluded"].append({"slice": {"race": "Black"}, "n": 79, "positives": 39, "negatives": 40})
    return _edited("fairness", "fairness/demographic_parity_difference", {"method": method})


def _sensitive_feature() -> Document:
    features = [{"name": " Race"}, {"name": "SSN"}]
    found = changed(ALLOWED, ("input", "model", "training_features"), features)
    return changed(found, ("input", "evidence", "lineage", "facts", "training_features"), features)
