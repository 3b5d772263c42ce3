"""The verdict as a badge: `badge.json`, what shields.io calls an endpoint."""

from __future__ import annotations

from ml_compliance.documents import canonical
from ml_compliance.model import Artifact, Report
from ml_compliance.publish._view import VERDICTS

_COLOURS = {"allowed": "brightgreen", "denied": "red", "not_evaluated": "lightgrey"}


def render(report: Report) -> Artifact:
    """`badge.json`: the verdict and its colour, nothing about the model."""
    verdict = report.decision.verdict
    return Artifact("badge.json", canonical({
        "schemaVersion": 1, "label": "ml-compliance", "message": VERDICTS[verdict].lower(),
        "color": _COLOURS[verdict],
    }))  # fmt: skip
