"""What the policy is tried on: one allowed and one denied submission, waivers, and how to change each."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ml_compliance.documents import canonical, digest
from ml_compliance.model import Evidence
from ml_compliance.submit import submission
from tests import examples
from tests.policies import families

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
    {"id": "calibrated", "type": "calibration", "metric": "expected_calibration_error", "maximum": 0.05,
     "slices": ["race"]},
    {"id": "stable", "type": "drift", "metric": "psi", "threshold": 0.2, "ignore": ["name", "note"]},
    {"id": "whole", "type": "drift", "metric": "missing_share", "threshold": 0.1, "columns": ["income"]},
    {"id": "no_worse", "type": "champion", "metric": "accuracy", "margin": 0.02, "slices": ["race"]},
    {"id": "better", "type": "champion", "metric": "f1", "min_relative_improvement": 0.05},
    {"id": "as_sure", "type": "champion", "metric": "log_loss", "margin": 0.05, "decide_on": "bound"},
    {"id": "four_fifths", "type": "adverse_impact", "reference": {"race": "white"}, "threshold": 0.75},
    {"id": "robust", "type": "robustness", "metric": "accuracy", "max_drop": 0.02, "perturbations": {"noise": 0.1}},
    {"id": "limits", "type": "business_rules", "limits": [families.LIMIT], "max_share": 0.1},
    {"id": "approved", "type": "approvals", "required": 1},
    {"id": "scanned", "type": "image", "maximum": {"critical": 0, "high": 2}, "licences": ["MIT", "Zlib"]},
    {"id": "built", "type": "supply_chain"},
    {"id": "proxies", "type": "privacy", "forbidden_proxies": ["race"]},
    {"id": "harmless", "type": "model_files"},
    {"id": "deployed", "type": "deployment", "labels": ["compliance-tier"]},
    {"id": "built_on", "type": "model_dependencies", "maximum": {"critical": 0, "high": 1}},
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


ALLOWED = submitted(*families.evidence())
LAW = law(*POLICIES)
_STRICTER: tuple[Document, ...] = (
    {"threshold": 0.05}, {"threshold": 0.8}, {"minimum": 0.85}, {"maximum": 0.2}, {"technique": "LIME"},
    {"required_artifacts": ["feature_store_version"]}, {"max_failed_expectations": 0, "schema_drift": "deny"},
    {}, {"forbidden_features": ["ObRat"]}, {"maximum": 0.02},
    {"threshold": 0.1}, {"threshold": 0.01},
    {"margin": 0.01}, {"min_relative_improvement": 0.06}, {"margin": 0.04},
    {"threshold": 0.8}, {"max_drop": 0.01}, {"max_share": 0.05}, {"required": 2}, {"maximum": {"high": 1}},
    {"signers": ["somebody@bank.example"]}, {"forbidden_proxies": ["age"]}, {"allowed": ["torch"]},
    {"checks": ["AVD-DS-0026"]}, {"maximum": {"high": 0}},
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


WAIVER: Document = {
    "rule": "fairness.limit_exceeded", "policy": "fair", "model": "loan-approval/1", "slice": {}, "across": ["race"],
    "reason": "a new product line", "owner": "credit@example.org", "approver": "risk@example.org",
    "created": "2026-11-01", "expires": "2026-12-31", "ceiling": 0.25, "coverage": {"slice": 0, "across": 1},
    "location": {"file": "waivers.yaml", "line": 2},
}  # fmt: skip
WAIVED_LAW = law({**POLICIES[0], "threshold": 0.05}, waivers={"approvers": ["risk@example.org"]})
SLICE_LAW = law({**POLICIES[2], "minimum": 0.81}, waivers={"max_days": 60})
"""Allows accuracy nowhere below 0.81: it is 0.8 in race = Black."""
SLICE_WAIVER: Document = {
    **WAIVER, "rule": "performance.too_low", "policy": "good", "ceiling": 0.79, "slice": {"race": "Black"},
    "across": [], "coverage": {"slice": 1, "across": 0},
}  # fmt: skip


def waiving(*waivers: Any) -> Document:
    """The submission that is allowed, with waivers."""
    return changed(ALLOWED, ("input", "waivers"), json.loads(json.dumps(waivers)))


def waiver_cases() -> dict[str, tuple[Document, Document]]:
    """Name → (submission, law): one waiver each, by itself enough or not enough to be allowed."""
    other: dict[str, Document] = {
        "waived": {}, "waived any": {"across": "any", "coverage": {"slice": 0, "across": "any"}},
        "expired": {"created": "2026-10-01", "expires": "2026-11-22"}, "on its last day": {"expires": "2026-11-23"},
        "not begun": {"created": "2026-11-24"}, "too long": {"expires": "2027-01-31"},
        "no such day": {"expires": "2026-11-31"},
        "unapproved": {"approver": None}, "approved by its owner": {"owner": "Risk@example.org "},
        "approved by nobody known": {"approver": "me@example.org"}, "of another model": {"model": "loan"},
        "wildcard": {"rule": "*"}, "over the ceiling": {"ceiling": 0.2}, "without a ceiling": {"ceiling": None},
        "edited": {"across": ["race", "sex"]}, "of another group": {"slice": {"race": "Black"},
        "coverage": {"slice": 1, "across": 1}}, "of another rule": {"rule": "fairness.not_measured"},
    }  # fmt: skip
    found = {f"waiver {name}": (waiving({**WAIVER, **change}), WAIVED_LAW) for name, change in other.items()}
    others: tuple[Any, ...] = ("text", {}, [7], None)
    for wrong in others:
        found[f"waivers are {wrong!r}"] = (changed(ALLOWED, ("input", "waivers"), wrong), WAIVED_LAW)
    found["waiver of a slice"] = (waiving(SLICE_WAIVER), SLICE_LAW)
    found["waiver but no law for it"] = (waiving(WAIVER), law({**POLICIES[0], "threshold": 0.05}))
    wrong_terms: tuple[Document, ...] = ({"max_days": "90"}, {"approvers": []}, {"aprovers": ["a"]})
    for terms in wrong_terms:
        found[f"waivers by {terms}"] = (waiving(WAIVER), law(POLICIES[0], waivers=terms))
    unmeasured = waiving({**WAIVER, "rule": "fairness.not_measured"})
    missing = changed(unmeasured, ("input", "evidence", "fairness", "status"), "missing")
    found["waiver of what was not measured"] = (missing, WAIVED_LAW)
    found["waivers of the law are no object"] = (ALLOWED, law(POLICIES[0], waivers=True))
    return found
