"""What a cluster has to know: `admission.json`, a merge patch for the ConfigMap of admitted images."""

from __future__ import annotations

import re

from ml_compliance.documents import canonical
from ml_compliance.model import Artifact, Json, Report

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def render(report: Report) -> Artifact:
    """`admission.json`: `{"data": {"sha256.HEX": ID}}` for the image whose manifest has the digest sha256:HEX.

    ID is that of the decision that allows it. A denial writes null, which takes an earlier admission of the same image
    back. Where nothing was decided, or no manifest was measured, nothing is written and the list stays as it is.
    """
    key, decision = _key(report), report.decision
    admitted: dict[str, Json] = {}
    if key and decision.verdict != "not_evaluated":
        admitted[key] = decision.id if decision.allow else None
    return Artifact("admission.json", canonical({"data": admitted}))


def _key(report: Report) -> str:
    """The key of the image's manifest, in letters that a ConfigMap allows; empty where none was measured."""
    for evidence in report.evidence:
        if evidence.name == "image" and evidence.status == "measured" and evidence.facts.get("digest_of") == "manifest":
            digest = evidence.facts.get("digest")
            if isinstance(digest, str) and _DIGEST.fullmatch(digest):
                return digest.replace(":", ".")
    return ""
