"""The findings for code scanning: `report.sarif`, SARIF 2.1.0, one result on the line of the law for each finding."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ml_compliance import __version__
from ml_compliance.model import Artifact, Finding, Report
from ml_compliance.publish._numbers import counted
from ml_compliance.publish._text import BREAK, clip, plain
from ml_compliance.publish._view import FULL_REPORT, detail, fingerprints, headline, ordered, place, subject
from ml_compliance.publish._vulnerabilities import Vulnerability, cve_of, vulnerabilities

RESULTS = 25_000
"""Results that GitHub accepts in one run; of those it keeps the first 5,000 by severity."""
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
# GitHub sorts by this number: over 9.0 is critical, 7.0 high, 4.0 medium.
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
_LONG = 1_000
_PACKAGES = 100
_Known = Mapping[tuple[str, str], Vulnerability]
_LIVE = re.compile(r"\](?=\()|\{(?=\d)")


def render(report: Report) -> Artifact:
    """`report.sarif`. Warnings and lacks of evidence are notes, what was waived is suppressed, errors are notified.

    Each vulnerability is a rule of its own, `image.vulnerability/CVE-…`, with the address of its description; what has
    it is in the properties of its results.
    """
    decision = report.decision
    kinds = (
        *((finding, _LEVELS[finding.severity], False) for finding in ordered(decision.violations)),
        *((finding, "note", False) for finding in ordered((*decision.warnings, *decision.insufficient))),
        *((finding, _LEVELS[finding.severity], True) for finding in ordered(decision.waived)),
    )
    kept = kinds[:RESULTS]
    findings = [finding for finding, _, _ in kept]
    known = vulnerabilities(report)
    rules, prints = _rules(findings, known), fingerprints(report, findings)
    places = {rule: index for index, rule in enumerate(rules)}
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "ml-compliance", "semanticVersion": __version__, "rules": list(rules.values())}},
        "automationDetails": {"id": "/".join(("ml-compliance", *map(_text, subject(report)))) + "/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": decision.verdict != "not_evaluated",
                "toolExecutionNotifications": _notifications(decision.errors, len(kinds) - len(kept)),
            }
        ],
        "results": [
            {
                **_result(report, finding, level, waived),
                "properties": _properties(finding, known),
                "ruleIndex": places[_id(finding)],
                "partialFingerprints": {"mlCompliance/v1": fingerprint},
            }
            for (finding, level, waived), fingerprint in zip(kept, prints, strict=True)
        ],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return Artifact("report.sarif", json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def _rules(findings: Iterable[Finding], known: _Known) -> dict[str, dict[str, Any]]:
    """A descriptor for each rule that found something, in the order of their ids."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(_id(finding), finding)
    return {rule: _rule(finding, known) for rule, finding in sorted(first.items())}


def _id(finding: Finding) -> str:
    cve = cve_of(finding)
    return _text(f"{finding.rule}/{cve}" if cve else finding.rule)


def _rule(finding: Finding, known: _Known) -> dict[str, Any]:
    clause = _text(finding.clause or finding.rule)
    about = known.get((finding.rule, cve_of(finding)))
    return {
        "id": _id(finding),
        **({"helpUri": about.url} if about and about.url else {}),
        "shortDescription": {"text": clause},
        "fullDescription": {"text": clause},
        "help": {"text": _text(finding.remedy or clause)},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {
            "tags": ["ml-compliance", *map(_text, finding.references)][:20],
            "security-severity": _SCORES[finding.severity],
        },
    }


def _result(report: Report, finding: Finding, level: str, waived: bool) -> dict[str, Any]:
    said = [headline(finding), detail(finding), f"→ {finding.remedy}" if finding.remedy else ""]
    at = place(report, finding)
    result: dict[str, Any] = {
        "ruleId": _id(finding),
        "level": level,
        "message": {"text": "\n".join(_text(text) for text in said if text)},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": _uri(at.file)}, "region": {"startLine": at.line}}}
        ],
    }
    if waived:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": _text(detail(finding))}]
    return result


def _properties(finding: Finding, known: _Known) -> dict[str, Any]:
    found: dict[str, Any] = {"severity": finding.severity, "policy": _text(finding.policy)}
    cve = cve_of(finding)
    if cve:
        found["cve"] = _text(cve)
        about = known.get((finding.rule, cve))
        found["packages"] = [
            {key: _text(value) for key, value in vars(affected).items()}
            for affected in (about.packages[:_PACKAGES] if about else ())
        ]
    return found


def _notifications(errors: Iterable[str], omitted: int) -> list[dict[str, Any]]:
    found = [{"level": "error", "message": {"text": _text(error)}} for error in errors]
    if omitted:
        text = (
            f"{counted(omitted, 'more finding')} in {FULL_REPORT}: {RESULTS:,} results are what code scanning accepts"
        )
        found.append({"level": "warning", "message": {"text": text}})
    return found


def _text(text: str) -> str:
    """Text without links and without placeholders, which SARIF knows in plain text too (§3.11.5 and §3.11.6)."""
    return clip(_LIVE.sub(lambda found: found.group() + BREAK, plain(clip(text, _LONG))), _LONG)


def _uri(file: str) -> str:
    """A path below the root of the repository; more than one slash at its start would name a host."""
    from urllib.parse import quote

    return quote(re.sub("/+", "/", plain(clip(file, _LONG))))
