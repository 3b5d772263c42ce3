"""Evidence for the families of rules that tests/examples.py has none for: what a law can be satisfied with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ml_compliance.model import Evidence, Json, Measurement
from tests import examples

LIMIT: dict[str, Json] = {"id": "poor", "when": {"income": {"max": 30000}}, "then": {"prediction": 0}}


def lineage() -> Evidence:
    """That of the examples, with a declaration of proxies."""
    proxy = {"feature": "loanprc", "of": "age", "reason": "it decides the risk"}
    found = examples.lineage()
    return replace(found, facts={**found.facts, "proxies": {"count": 1, "features": [proxy]}})


def robustness() -> Evidence:
    drop = Measurement("robustness/accuracy_drop", 0.02, slice={"perturbation": "noise", "strength": "0.1"}, n=500,
                       interval=examples.interval(0.01, 0.03), method={"strength": 0.1, "seed": 1})  # fmt: skip
    return Evidence("robustness", "measured", (drop,), rows=500)


def business_rules() -> Evidence:
    method: dict[str, Json] = {"when": LIMIT["when"], "then": LIMIT["then"], "selected": 40, "broken": 4,
                               "undetermined": 0, "examples": ["17"]}  # fmt: skip
    share = Measurement("business_rules/broken_share", 0.1, slice={"policy": "limits", "limit": "poor"}, n=40,
                        method=method)  # fmt: skip
    return Evidence("business_rules", "measured", (share,), rows=800)


def approvals() -> Evidence:
    approval: dict[str, Json] = {
        "model": "loan", "version": "1", "approver": "ada@bank.example", "role": "risk",
        "time": "2026-11-20T00:00:00Z", "expires": "2026-12-20T00:00:00Z",
    }  # fmt: skip
    facts: dict[str, Json] = {
        "approvals": [approval],
        "model": {"name": "loan", "version": "1"},
        "trainers": [{"name": "eve", "source": "run tag mlflow.user"}],
        "trainer_count": 1,
    }
    return Evidence("approvals", "declared", facts=facts)


def image() -> Evidence:
    counts = {"critical": 0.0, "high": 2.0}
    high = {"severity": "high", "installed": "1.0", "fixed": "1.1", "title": "a hole", "target": "debian"}
    facts: dict[str, Any] = {
        "digest": "sha256:" + "a" * 64,
        "incomplete": False,
        "database": {"age_days": 2},
        "vulnerabilities": [{"cve": "CVE-1", "package": "zlib", **high}, {"cve": "CVE-2", "package": "glibc", **high}],
        "secrets": [],
        "sbom": {"format": "CycloneDX", "sha256": "b" * 64},
        "signature": {"verified": True, "identity": "ci@bank.example"},
    }
    found = (Measurement("image/vulnerabilities", n, slice={"severity": name}) for name, n in counts.items())
    return Evidence("image", "measured", (*found, Measurement("image/secrets", 0.0)), facts)


def model_files() -> Evidence:
    files = [{"path": "model.pkl", "format": "pickle", "size": 900, "sha256": "e" * 64, "readable": True, "reason": ""}]
    name = "sklearn.linear_model._logistic.LogisticRegression"
    facts: dict[str, Any] = {
        "files": files,
        "imports": [{"name": name, "file": "model.pkl", "dangerous": False}],
    }
    counts = (Measurement("model_files/files", 1.0), Measurement("model_files/imports", 1.0))
    return Evidence("model_files", "measured", counts, facts)


def deployment() -> Evidence:
    low = {"check": "AVD-DS-0026", "severity": "low", "file": "Dockerfile", "line": 0,
           "title": "No HEALTHCHECK defined", "message": "", "resolution": "Add HEALTHCHECK"}  # fmt: skip
    facts: dict[str, Any] = {
        "checked_files": ["Dockerfile"],
        "misconfigurations": [low],
        "base_images": [{"image": "python@sha256:1", "pinned": True, "file": "Dockerfile", "line": 1}],
        "ignored_checks": [],
        "scanner": {"name": "trivy"},
    }
    counts = {"critical": 0.0, "high": 0.0, "medium": 0.0, "low": 1.0, "unknown": 0.0}
    found = [Measurement("deployment/misconfigurations", n, slice={"severity": name}) for name, n in counts.items()]
    totals = {"checked_files": 1.0, "base_images": 1.0, "ignored_checks": 0.0}
    found += [Measurement(f"deployment/{name}", n) for name, n in totals.items()]
    return Evidence("deployment", "measured", tuple(found), facts)


def evidence() -> tuple[Evidence, ...]:
    """One of each."""
    return approvals(), business_rules(), deployment(), image(), lineage(), model_files(), robustness()
