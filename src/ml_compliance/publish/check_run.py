"""The report as a check of the commit: `check_run.json`, the output of a GitHub check run with all its annotations."""

from __future__ import annotations

from typing import Any

from ml_compliance.documents import canonical
from ml_compliance.model import Artifact, Finding, Report
from ml_compliance.publish._numbers import counted
from ml_compliance.publish._text import clip, plain
from ml_compliance.publish._view import FULL_REPORT, VERDICTS, counts, detail, headline, ordered, place
from ml_compliance.publish.markdown import LIMIT, compose

ANNOTATIONS = 1_000
"""They are sent 50 at a time, and GitHub slows down who sends more than 80 requests a minute."""
_TITLE = 200  # GitHub allows 255.
_MESSAGE = 4_000  # GitHub allows 64 KB.


def render(report: Report) -> Artifact:
    """`check_run.json`: `title`, `summary` (Markdown, below 65,535 bytes), and `annotations` on the lines of the law.

    Violations are failures, warnings and lacks of evidence warnings, what was waived is a notice. Beyond `ANNOTATIONS`
    the least severe are left out, and the summary says how many.
    """
    decision = report.decision
    found = [(item, "failure") for item in ordered(decision.violations)]
    found += [(item, "warning") for item in ordered((*decision.insufficient, *decision.warnings))]
    found += [(item, "notice") for item in ordered(decision.waived)]
    omitted = len(found) - ANNOTATIONS
    said = f"\n{counted(omitted, 'more annotation')} in `{FULL_REPORT}`\n" if omitted > 0 else ""
    return Artifact("check_run.json", canonical({
        "title": clip(f"{VERDICTS[decision.verdict]}: {' · '.join(counts(decision))}", _TITLE),
        "summary": compose(report, LIMIT - len(said)) + said,
        "annotations": [_annotation(report, *known) for known in found[:ANNOTATIONS]],
    }))  # fmt: skip


def _annotation(report: Report, finding: Finding, level: str) -> dict[str, Any]:
    at = place(report, finding)
    return {
        "path": plain(clip(at.file, _MESSAGE)),
        "start_line": at.line,
        "end_line": at.line,
        "annotation_level": level,
        "title": clip(plain(clip(headline(finding), _TITLE)), _TITLE),
        "message": _message(finding),
    }


def _message(finding: Finding) -> str:
    lines = (detail(finding) or headline(finding), f"→ {finding.remedy}" if finding.remedy else "", _named(finding))
    return "\n".join(clip(plain(clip(line, _MESSAGE // 4)), _MESSAGE // 4) for line in lines if line)


def _named(finding: Finding) -> str:
    parts = (finding.severity, finding.policy, finding.rule, *finding.references)
    return " · ".join(part for part in parts if part)
