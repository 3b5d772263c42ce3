"""The verdict for the jobs that follow: `gate.env`, a dotenv report of GitLab."""

from __future__ import annotations

import re

from ml_compliance.model import Artifact, Report

_UNSAFE = re.compile(r"[^A-Za-z0-9:._-]")
_LONG = 120


def render(report: Report) -> Artifact:
    """`gate.env`: verdict, digests and counts, each one word on one line.

    GitLab takes 20 variables and 5 KB, neither spaces nor comments, and expands `$` in values; so nothing that names
    the model or its groups is here, and what is no letter, digit or one of `:._-` becomes `_`.
    """
    decision = report.decision
    values = {
        "VERDICT": decision.verdict,
        "DECISION_ID": decision.id,
        "INPUT_DIGEST": decision.input_digest,
        "POLICY_DIGEST": decision.policy_digest,
        "LAW_DIGEST": decision.law_digest,
        "VIOLATIONS": str(len(decision.violations)),
        "WARNINGS": str(len(decision.warnings)),
        "WAIVED": str(len(decision.waived)),
        "INSUFFICIENT": str(len(decision.insufficient)),
        "ERRORS": str(len(decision.errors)),
    }
    lines = [f"ML_COMPLIANCE_{name}={_UNSAFE.sub('_', value)[:_LONG]}\n" for name, value in values.items()]
    return Artifact("gate.env", "".join(lines))
