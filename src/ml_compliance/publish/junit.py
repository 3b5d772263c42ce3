"""The law as a test suite: `junit.xml`, a test case for each item of the law, failed with its violations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from ml_compliance.model import Artifact, Decision, Finding, Location, Report
from ml_compliance.publish._numbers import counted
from ml_compliance.publish._text import clip, terminal
from ml_compliance.publish._view import FULL_REPORT, detail, headline, ordered, place, subject

LINES = 100
"""Findings that one test case lists; the others are counted."""
_LONG = 1_000


def render(report: Report) -> Artifact:
    """`junit.xml`. An item that was not judged is no passed test: it is skipped, with the reason."""
    name = " ".join(("ml-compliance", *subject(report)))
    suite = ET.Element("testsuite", name=_text(name), timestamp=report.decision.time.removesuffix("Z"))
    found = _Found.of(report.decision)
    for item in report.law:
        _case(suite, str(item.get("type")), str(item.get("id")), report, found)
    ids = {str(item.get("id")) for item in report.law}
    decision = report.decision
    for policy in sorted({finding.policy or finding.rule for finding in decision.violations} - ids):
        _case(suite, "policy", policy, report, found)
    if decision.errors or decision.verdict == "not_evaluated":
        case = ET.SubElement(suite, "testcase", classname="policy", name="the law can be applied")
        told = decision.errors or ("no reason was given",)
        ET.SubElement(case, "error", message=_text(told[0]), type="error").text = _lines(map(_text, told))
    _count(suite)
    suites = ET.Element("testsuites", {key: suite.attrib[key] for key in ("name", *_COUNTED)})
    suites.append(suite)
    ET.indent(suites)
    text = ET.tostring(suites, encoding="unicode")
    return Artifact("junit.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


@dataclass(frozen=True)
class _Found:
    """The findings of each policy, in order: sorted once, however many policies there are."""

    violations: Mapping[str, Sequence[Finding]]
    waived: Mapping[str, Sequence[Finding]]
    beside: Mapping[str, Sequence[Finding]]

    @classmethod
    def of(cls, decision: Decision) -> _Found:
        beside = (*decision.insufficient, *decision.warnings)
        return cls(_by_policy(decision.violations), _by_policy(decision.waived), _by_policy(beside))


_COUNTED = ("tests", "failures", "errors", "skipped")


def _count(suite: ET.Element) -> None:
    suite.set("tests", str(len(suite)))
    for key, tag in zip(_COUNTED[1:], ("failure", "error", "skipped"), strict=True):
        suite.set(key, str(len(suite.findall(f"testcase/{tag}"))))


def _case(suite: ET.Element, kind: str, policy: str, report: Report, found: _Found) -> None:
    decision = report.decision
    case = ET.SubElement(suite, "testcase", classname=_text(kind), name=_text(policy))
    violations, waived, beside = (kind.get(policy, ()) for kind in (found.violations, found.waived, found.beside))
    every = (*violations, *waived, *beside)
    if every:
        _locate(case, place(report, every[0]))
    if violations:
        first = violations[0]
        failure = ET.SubElement(case, "failure", message=_text(headline(first)), type=_text(first.rule))
        failure.text = _lines(map(_said, violations))
    elif waived:
        ET.SubElement(case, "skipped", message=_text(f"waived: {_said(waived[0])}"))
    elif decision.verdict == "not_evaluated":
        ET.SubElement(case, "skipped", message="not evaluated")
    if beside:
        ET.SubElement(case, "system-out").text = _lines(map(_said, beside))


def _by_policy(findings: Iterable[Finding]) -> Mapping[str, Sequence[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in ordered(findings):
        found.setdefault(finding.policy or finding.rule, []).append(finding)
    return found


def _locate(case: ET.Element, location: Location) -> None:
    case.set("file", _text(location.file))
    case.set("line", str(location.line))


def _said(finding: Finding) -> str:
    told = ": ".join(part for part in (headline(finding), detail(finding)) if part)
    return _text(f"{finding.severity} {told}" + (f" → {finding.remedy}" if finding.remedy else ""))


def _lines(texts: Iterable[str]) -> str:
    every = list(texts)
    more = [f"{counted(len(every) - LINES, 'more finding')} in {FULL_REPORT}"] if len(every) > LINES else []
    return "\n".join((*every[:LINES], *more))


def _text(text: str) -> str:
    return clip(terminal(clip(text, _LONG)), _LONG)
