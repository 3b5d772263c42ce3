"""The report as a job summary: `summary.md`, the words of the comment with room for more of them."""

from __future__ import annotations

from ml_compliance.model import Artifact, Report
from ml_compliance.publish.markdown import compose

LIMIT = 1_000_000
"""Bytes of UTF-8: below the MiB that a step's summary may have; an oversized one is dropped without a word."""


def render(report: Report) -> Artifact:
    """`summary.md`. What does not fit is dropped in whole rows, violations last, and counted."""
    return Artifact("summary.md", compose(report, LIMIT))
