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
    {"id": "scanned", "type": "image", "maximum": {"critical": 0, "high": 2}},
    {"id": "built", "type": "supply_chain"},
    {"id": "proxies", "type": "privacy", "forbidden_proxies": ["race"]},
    {"id": "harmless", "type": "model_files"},
    {"id": "deployed", "type": "deployment"},
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


def calibration() -> Evidence:
    """A calibration error over all rows, in two groups of `race`, and in one that is too small."""
    method = {"bins": 10}
    name = "calibration/expected_calibration_error"
    return Evidence(
        "calibration",
        "measured",
        (
            Measurement(name, 0.03, n=800, positives=400, negatives=400, method=method),
            Measurement(name, 0.04, slice={"race": "Black"}, n=79, positives=40, negatives=39, method=method),
            Measurement(name, 0.02, slice={"race": "white"}, n=662, positives=330, negatives=332, method=method),
            Measurement(name, 0.3, slice={"race": "Asian"}, n=8, positives=7, negatives=1),
        ),
        facts={"groups": {"race": ["Asian", "Black", "white"]}},
        rows=800,
    )


def drift() -> Evidence:
    """Two columns that hardly moved, and two that were not compared."""

    def found(name: str, column: str, value: float, **method: Any) -> Measurement:
        method = {"reference_rows": 1000, **method}
        return Measurement(f"drift/{name}", value, slice={"column": column}, n=800, method=method)

    return Evidence(
        "drift",
        "measured",
        (
            found("psi", "income", 0.15, bins=10, floor=1e-4, log="e"),
            found("psi", "race", 0.01, floor=1e-4, log="e"),
            found("missing_share", "income", 0.05),
        ),
        facts={"columns": {"income": {"kind": "number"}, "race": {"kind": "text"}}, "compared": 2,
               "left_out": {"name": "too many texts", "note": "left out in compliance.yaml"}, "left_out_columns": 2,
               "unmatched": {}, "unmatched_columns": 0},
        rows=800,
    )  # fmt: skip


def champion() -> Evidence:
    """Differences over all rows, in two groups of `race`, and in one that is too small."""

    def found(metric: str, value: float, **more: Any) -> Measurement:
        between = examples.interval(value - 0.02, value + 0.02)
        return Measurement(f"champion/{metric}_difference", value, interval=between, **more)

    relative: dict[str, Any] = {"value": 0.05, "interval": {"low": 0.025, "high": 0.075}}
    return Evidence(
        "champion",
        "measured",
        (
            found("accuracy", -0.02),
            found("accuracy", 0.01, slice={"race": "Black"}, n=79, positives=40, negatives=39),
            found("accuracy", -0.01, slice={"race": "white"}, n=662, positives=330, negatives=332),
            found("accuracy", -0.5, slice={"race": "Asian"}, n=8, positives=7, negatives=1),
            found("f1", 0.04, method={"challenger": 0.84, "champion": 0.8, "relative": relative}),
            found("log_loss", 0.03),
        ),
        facts={"champion": {"uri": "models:/loan@champion"}, "groups": {"race": ["Asian", "Black", "white"]}},
        rows=800,
    )


ALLOWED = submitted(champion(), with_slices(), calibration(), drift(), *families.evidence())
LAW = law(*POLICIES)
_STRICTER: tuple[Document, ...] = (
    {"threshold": 0.05}, {"threshold": 0.8}, {"minimum": 0.85}, {"maximum": 0.2}, {"technique": "LIME"},
    {"required_artifacts": ["feature_store_version"]}, {"max_failed_expectations": 0, "schema_drift": "deny"},
    {}, {"forbidden_features": ["ObRat"]}, {"maximum": 0.02},
    {"threshold": 0.1}, {"threshold": 0.01},
    {"margin": 0.01}, {"min_relative_improvement": 0.06}, {"margin": 0.04},
    {"threshold": 0.8}, {"max_drop": 0.01}, {"max_share": 0.05}, {"required": 2}, {"maximum": {"high": 1}},
    {"signers": ["somebody@bank.example"]}, {"forbidden_proxies": ["age"]}, {"allowed": ["torch"]},
    {"checks": ["AVD-DS-0026"]},
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


_BROKEN = "business_rules/broken_share"
_CALIBRATION = "calibration/expected_calibration_error"
_NOT_MEASURED: Document = {"status": "not_estimable", "value": None}
_NONE: Document = {**_NOT_MEASURED, "n": 0}
_IMAGE: Path = ("input", "evidence", "image", "facts")
_MODEL_FILE: Path = ("input", "evidence", "model_files", "facts", "files", 0)
_DEPLOYMENT: Path = ("input", "evidence", "deployment", "facts")
_ALL_LIMITS: Document = {"margin": 0, "relative_margin": 0.1, "min_improvement": 0.05, "decide_on": "bound"}


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
        "nothing to compare with": (_status("drift", "missing", "no reference table is named"), LAW),
        "columns and drift do not fit": (changed(ALLOWED, ("input", "evidence", "drift", "facts", "compared"), 3), LAW),
        "columns of another type": (_unmatched({"job": "it holds text here and numbers in the reference"}), LAW),
        "drift of few rows": (_edited("drift", "drift/psi", {"n": 7}), LAW),
        "drift in coarse bins": (_edited("drift", "drift/psi", {"method": {"reference_rows": 99, "bins": 2}}), LAW),
        "drift by order": (ALLOWED, law({"id": "shape", "type": "drift", "metric": "wasserstein", "threshold": 1})),
        "no champion": (_status("champion", "missing", "no champion is named"), LAW),
        "champion at zero": (_edited("champion", "champion/f1_difference", {"method": {"relative": None}}), LAW),
        "no interval": (_edited("champion", "champion/log_loss_difference", {"interval": None}), LAW),
        "interval beside its value": (_edited("champion", "champion/log_loss_difference", {"value": 0.9}), LAW),
        "champion of a lost group": (changed(ALLOWED, ("input", "evidence", "champion", "facts", "groups"), {}), LAW),
        "difference below the margin": (ALLOWED, law({**POLICIES[12], "margin": 0.0199999999999999})),
        "difference at the margin": (ALLOWED, law({**POLICIES[12], "margin": 0.02})),
        "all limits of a champion": (ALLOWED, law({**POLICIES[13], **_ALL_LIMITS})),
        "champion without direction": (ALLOWED, law({**POLICIES[12], "metric": "selection_rate"})),
        **waiver_cases(),
        "reference is too small": (ALLOWED, law({**POLICIES[15], "reference": {"race": "Asian"}})),
        "reference unknown": (ALLOWED, law({**POLICIES[15], "reference": {"race": "nobody"}})),
        "reference with the lower rate": (
            ALLOWED,
            law({**POLICIES[15], "reference": {"race": "Black"}, "threshold": 0.8}),
        ),
        "unknown trainer": (changed(ALLOWED, ("input", "evidence", "approvals", "facts", "trainers"), []), LAW),
        "limit not exercised": (
            _counted(_edited("business_rules", _BROKEN, _NONE), "selected", 0),
            LAW,
        ),
        "limit undetermined": (_counted(ALLOWED, "undetermined", 3), LAW),
        "calibration of a group": (_edited("calibration", _CALIBRATION, _NOT_MEASURED, n=79), LAW),
        "calibration elsewhere": (ALLOWED, law({**POLICIES[9], "dataset": "live"})),
        "calibration in coarse bins": (ALLOWED, law({**POLICIES[9], "bins": 20})),
        "champion of a group": (_edited("champion", "champion/accuracy_difference", _NOT_MEASURED, n=79), LAW),
        "measurements lost": (changed(ALLOWED, ("input", "evidence", "data", "coverage", "measurements"), 9), LAW),
        "another limit": (ALLOWED, law({**POLICIES[17], "limits": [{**families.LIMIT, "then": {"prediction": 1}}]})),
        "approvals of all kinds": (ALLOWED, law({**POLICIES[18], "roles": ["legal"], "approvers": ["bob"]})),
        "incomplete scan": (changed(ALLOWED, ("input", "evidence", "image", "facts", "incomplete"), True), LAW),
        "a scan that says why": (_unscanned(), LAW),
        "vulnerable by CVE": (ALLOWED, law({**POLICIES[19], "maximum": {"high": 0}})),
        "a secret": (_leaked(), LAW),
        "a secret to warn of": (_leaked(), law({**POLICIES[19], "secrets": "warn"})),
        "secrets not counted": (changed(ALLOWED, (*_IMAGE, "secrets"), None), LAW),
        "a model that cannot be looked into": (changed(ALLOWED, (*_MODEL_FILE, "readable"), False), LAW),
        "code in a model": (changed(ALLOWED, (*_MODEL_FILE, "format"), "python code"), LAW),
        "code to warn of": (
            changed(ALLOWED, (*_MODEL_FILE, "format"), "python code"),
            law({**POLICIES[22], "code": "warn"}),
        ),
        "a base image that is not pinned": (changed(ALLOWED, (*_DEPLOYMENT, "base_images", 0, "pinned"), False), LAW),
        "an approved base image": (ALLOWED, law({**POLICIES[23], "base_images": ["python"]})),
        "a check that is left out": (_left_out(), LAW),
        "deployment files not listed": (changed(ALLOWED, (*_DEPLOYMENT, "checked_files"), []), LAW),
        "personal data": (ALLOWED, law({**POLICIES[8], "personal_data": ["ObRat", "chist"]})),
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


def _unscanned() -> Document:
    return changed(changed(ALLOWED, (*_IMAGE, "incomplete"), True), (*_IMAGE[:-1], "reason"), "its end of life")


def _leaked() -> Document:
    found = _edited("image", "image/secrets", {"value": 1})
    return changed(found, (*_IMAGE, "secrets"), [{"rule": "private-key", "file": "/app/key.pem"}])


def _left_out() -> Document:
    found = _edited("deployment", "deployment/ignored_checks", {"value": 1})
    return changed(found, (*_DEPLOYMENT, "ignored_checks"), [{"file": "main.tf", "line": 1}])


def _one_group() -> Document:
    method = {"groups": 1, "compared": [{"race": "white"}], "excluded": []}
    return _edited("fairness", "fairness/demographic_parity_difference", {"method": method})


def _large_left_out() -> Document:
    method: Document = json.loads(json.dumps(dict(examples.fairness().measurements[-1].method)))
    method["compared"].pop(0)
    method["excluded"].append({"slice": {"race": "Black"}, "n": 79, "positives": 39, "negatives": 40})
    return _edited("fairness", "fairness/demographic_parity_difference", {"method": method})


def _unmatched(columns: Document) -> Document:
    found = changed(ALLOWED, ("input", "evidence", "drift", "facts", "unmatched"), columns)
    return changed(found, ("input", "evidence", "drift", "facts", "unmatched_columns"), len(columns))


def _counted(document: Document, key: str, count: int) -> Document:
    """With another count beside the share of the rows that break the limit."""
    return changed(document, ("input", "evidence", "business_rules", "measurements", 0, "method", key), count)


def _sensitive_feature() -> Document:
    features = [{"name": " Race"}, {"name": "SSN"}]
    found = changed(ALLOWED, ("input", "model", "training_features"), features)
    return changed(found, ("input", "evidence", "lineage", "facts", "training_features"), features)
