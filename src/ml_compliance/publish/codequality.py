"""The findings for GitLab's merge request: `codequality.json`, a code quality report."""

from __future__ import annotations

import json
from typing import Any

from ml_compliance.model import Artifact, Finding, Report
from ml_compliance.publish._text import clip, markdown, terminal
from ml_compliance.publish._view import detail, fingerprints, headline, ordered, place

_SEVERITIES = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor"}
_LONG = 1_000


def render(report: Report) -> Artifact:
    """`codequality.json`: violations by severity, then warnings and lacks of evidence as `info`."""
    decision = report.decision
    found = [(item, _SEVERITIES[item.severity]) for item in ordered(decision.violations)]
    found += [(item, "info") for item in ordered((*decision.warnings, *decision.insufficient))]
    prints = fingerprints(report, (item for item, _ in found))
    issues = [_issue(report, *known, mark) for known, mark in zip(found, prints, strict=True)]
    return Artifact("codequality.json", json.dumps(issues, indent=1, ensure_ascii=False) + "\n")


def _issue(report: Report, finding: Finding, severity: str, fingerprint: str) -> dict[str, Any]:
    at = place(report, finding)
    said = ": ".join(part for part in (headline(finding), detail(finding)) if part)
    return {
        "description": markdown(clip(said, _LONG)),
        "check_name": markdown(finding.rule),
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": terminal(at.file), "lines": {"begin": at.line}},
    }
