"""The rules that were agreed on beforehand, by their digest: no other ones decide."""

from __future__ import annotations

import re
from pathlib import Path

from ml_compliance.decide._contract import Request
from ml_compliance.decide._policy import load_policy
from ml_compliance.decisions import rules_digest
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.model import Decision

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_here(rego: Path | None, key: Path | None, law_digest: str) -> str:
    """The digest of the policy on this machine (None: the shipped one; a bundle is verified with `key`) and the law."""
    return rules_digest(load_policy(Request({}, {}, rego, None, key)).digest, law_digest)


def check_decided(agreed: str, decision: Decision) -> None:
    """As `check_agreed`, for the rules that `decision` was made by.

    A server that does not show its policies may judge by any: the digest of its address is none that can be agreed on.
    """
    if not _DIGEST.fullmatch(decision.policy_digest):
        raise EvaluationError("the policy server does not show its policies, so whether it judges by the rules that "
                              "were agreed on is not known", where=decision.policy_digest.removeprefix("server:"),
                              remedy="let the token read /v1/policies, or judge on this machine")  # fmt: skip
    check_agreed(agreed, rules_digest(decision.policy_digest, decision.law_digest))


def check_agreed(agreed: str, found: str) -> None:
    """Raise EvaluationError when `found` is not the digest agreed on, UsageError when that is no digest."""
    if not _DIGEST.fullmatch(agreed):
        raise UsageError(f"--policy-digest: {agreed!r} is no digest", remedy="print it: ml-compliance policy digest")
    if agreed != found:
        raise EvaluationError(
            f"these are not the rules that were agreed on: agreed {agreed}, here {found}",
            remedy="judge by the agreed policy and law, or agree on these: ml-compliance policy digest",
        )
