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
    high = {"severity": "high", "installed": "1.0", "fixed": "1.1", "title": "a hole", "location": "debian",
            "url": ""}  # fmt: skip
    facts: dict[str, Any] = {
        "digest": "sha256:" + "a" * 64,
        "incomplete": False,
        "database": {"age_days": 2},
        "vulnerabilities": [{"cve": "CVE-1", "package": "zlib", **high}, {"cve": "CVE-2", "package": "glibc", **high}],
        "secrets": [],
        "licences": [{"name": "MIT", "packages": ["requests"]}, {"name": "Zlib", "packages": ["zlib"]}],
        "sbom": {"format": "CycloneDX", "sha256": "b" * 64},
        "signature": {"verified": True, "identity": "ci@bank.example"},
    }
    found = (Measurement("image/vulnerabilities", n, slice={"severity": name}) for name, n in counts.items())
    totals = (Measurement("image/secrets", 0.0), Measurement("image/licences", 2.0))
    return Evidence("image", "measured", (*found, *totals), facts)


def model_files() -> Evidence:
    files = [{"path": "model.pkl", "format": "pickle", "size": 900, "sha256": "e" * 64, "readable": True, "reason": ""}]
    name = "sklearn.linear_model._logistic.LogisticRegression"
    facts: dict[str, Any] = {
        "files": files,
        "imports": [{"name": name, "file": "model.pkl", "dangerous": False}],
    }
    counts = (Measurement("model_files/files", 1.0), Measurement("model_files/imports", 1.0))
    return Evidence("model_files", "measured", counts, facts)


def model_dependencies() -> Evidence:
    high = {"severity": "high", "installed": "2.19.1", "fixed": "2.20.0", "title": "a hole", "url": "",
            "location": "requirements.txt"}  # fmt: skip
    facts: dict[str, Any] = {
        "files": ["requirements.txt"],
        "packages": [{"package": "requests", "version": "2.19.1", "file": "requirements.txt"}],
        "unpinned": [],
        "scanner": {"name": "trivy"},
        "database": {"age_days": 2},
        "vulnerabilities": [{"cve": "CVE-2018-18074", "package": "requests", **high}],
    }
    name = "model_dependencies/vulnerabilities"
    found = [Measurement(name, n, slice={"severity": of}) for of, n in (("critical", 0.0), ("high", 1.0))]
    totals = {"packages": 1.0, "unpinned": 0.0}
    found += [Measurement(f"model_dependencies/{name}", n) for name, n in totals.items()]
    return Evidence("model_dependencies", "measured", tuple(found), facts)


def deployment() -> Evidence:
    low = {"check": "AVD-DS-0026", "severity": "low", "file": "Dockerfile", "line": 0,
           "title": "No HEALTHCHECK defined", "message": "", "resolution": "Add HEALTHCHECK"}  # fmt: skip
    facts: dict[str, Any] = {
        "checked_files": ["Dockerfile", "loan.yaml"],
        "misconfigurations": [low],
        "base_images": [{"image": "python@sha256:1", "pinned": True, "file": "Dockerfile", "line": 1}],
        "ignored_checks": [],
        "workloads": [{"workload": "Deployment loan", "file": "loan.yaml", "labels": ["app", "compliance-tier"]}],
        "unread_files": [],
        "scanner": {"name": "trivy"},
    }
    counts = {"critical": 0.0, "high": 0.0, "medium": 0.0, "low": 1.0, "unknown": 0.0}
    found = [Measurement("deployment/misconfigurations", n, slice={"severity": name}) for name, n in counts.items()]
    totals = {"checked_files": 2.0, "base_images": 1.0, "ignored_checks": 0.0, "workloads": 1.0, "unread_files": 0.0}
    found += [Measurement(f"deployment/{name}", n) for name, n in totals.items()]
    return Evidence("deployment", "measured", tuple(found), facts)


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


def evidence() -> tuple[Evidence, ...]:
    """One of each."""
    return (
        approvals(), business_rules(), calibration(), champion(), deployment(), drift(), image(), lineage(),
        model_dependencies(), model_files(), robustness(), with_slices(),
    )  # fmt: skip
