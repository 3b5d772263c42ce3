"""The findings for GitLab's merge request: `codequality.json`, a code quality report."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ml_compliance.model import Artifact, Finding, Report
from ml_compliance.publish._numbers import counted
from ml_compliance.publish._text import clip, markdown, terminal
from ml_compliance.publish._view import FULL_REPORT, detail, fingerprints, headline, ordered, place

_SEVERITIES = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor"}
_LONG = 1_000
ISSUES = 10_000
"""More than anybody reads in a merge request, and at 10 KB each still below the 100 MB of an artifact of GitLab."""


def render(report: Report) -> Artifact:
    """`codequality.json`: violations by severity, then warnings and lacks of evidence as `info`."""
    decision = report.decision
    found = [(item, _SEVERITIES[item.severity]) for item in ordered(decision.violations)]
    found += [(item, "info") for item in ordered((*decision.warnings, *decision.insufficient))]
    prints = fingerprints(report, (item for item, _ in found))
    issues = [_issue(report, *known, mark) for known, mark in zip(found[:ISSUES], prints, strict=False)]
    if len(found) > ISSUES:
        issues.append(
            {
                "description": f"{counted(len(found) - ISSUES, 'more finding')} in {FULL_REPORT}",
                "check_name": "ml-compliance",
                "fingerprint": hashlib.sha256(report.project.encode(errors="replace")).hexdigest(),
                "severity": "info",
                "location": issues[-1]["location"],
            }
        )
    return Artifact("codequality.json", json.dumps(issues, indent=1, ensure_ascii=False) + "\n")


def _issue(report: Report, finding: Finding, severity: str, fingerprint: str) -> dict[str, Any]:
    at = place(report, finding)
    said = ": ".join(part for part in (headline(finding), detail(finding)) if part)
    return {
        "description": markdown(clip(said, _LONG)),
        "check_name": markdown(clip(finding.rule, _LONG)),
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": terminal(clip(at.file, _LONG)), "lines": {"begin": at.line}},
    }
