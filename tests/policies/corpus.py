"""The corpus: many ways in which a submission and its law can be right or wrong, on which all engines have to agree."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from tests import examples
from tests.policies import families
from tests.policies.cases import (
    ALLOWED,
    GONE,
    LAW,
    POLICIES,
    STRICT,
    WRONG,
    Document,
    Path,
    article,
    changed,
    law,
    waiver_cases,
)


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
_NEEDED: Path = ("input", "evidence", "model_dependencies", "facts")
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
        "licences that are not allowed": (ALLOWED, law({**POLICIES[19], "licences": ["MIT"]})),
        "licences not listed": (changed(ALLOWED, (*_IMAGE, "licences"), []), LAW),
        "a label that is missing": (ALLOWED, law({**POLICIES[23], "labels": ["owner"]})),
        "labels not read": (changed(ALLOWED, (*_DEPLOYMENT, "workloads"), []), LAW),
        "unread files": (_unread(), LAW),
        "dependencies by CVE": (ALLOWED, law({**POLICIES[24], "maximum": {"high": 0}})),
        "too many vulnerable dependencies": (_vulnerable(), LAW),
        "dependencies that name no version": (_unpinned(), LAW),
        "dependencies not listed": (changed(ALLOWED, (*_NEEDED, "packages"), []), LAW),
        "dependencies by an old database": (changed(ALLOWED, (*_NEEDED, "database", "age_days"), 8), LAW),
        "dependencies not counted": (changed(ALLOWED, (*_NEEDED, "vulnerabilities"), []), LAW),
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


def _unread() -> Document:
    found = _edited("deployment", "deployment/unread_files", {"value": 1})
    return changed(found, (*_DEPLOYMENT, "unread_files"), [{"file": "chart.yaml", "why": "it is no plain YAML"}])


def _vulnerable() -> Document:
    name, high = "model_dependencies/vulnerabilities", {"severity": "high"}
    found = _edited("model_dependencies", name, {"value": 2}, slice=high)
    listed: list[Document] = [{"cve": f"CVE-{i}", "package": "requests", **high} for i in range(2)]
    return changed(found, (*_NEEDED, "vulnerabilities"), listed)


def _unpinned() -> Document:
    found = _edited("model_dependencies", "model_dependencies/unpinned", {"value": 1})
    one = {"requirement": "numpy>=2", "file": "requirements.txt", "why": "it allows several versions"}
    return changed(found, (*_NEEDED, "unpinned"), [one])


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
