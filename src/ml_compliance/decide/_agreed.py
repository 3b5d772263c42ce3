"""The rules that were agreed on beforehand, by their digest: no other ones decide."""

from __future__ import annotations

import re
from pathlib import Path

from ml_compliance.decide._contract import Request
from ml_compliance.decide._policy import load_policy
from ml_compliance.decisions import rules_digest
from ml_compliance.errors import EvaluationError, UsageError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_here(rego: Path | None, key: Path | None, law_digest: str) -> str:
    """The digest of the policy on this machine (None: the shipped one; a bundle is verified with `key`) and the law."""
    return rules_digest(load_policy(Request({}, {}, rego, None, key)).digest, law_digest)


def check_agreed(agreed: str, found: str) -> None:
    """Raise EvaluationError when `found` is not the digest agreed on, UsageError when that is no digest."""
    if not _DIGEST.fullmatch(agreed):
        raise UsageError(f"--policy-digest: {agreed!r} is no digest", remedy="print it: ml-compliance policy digest")
    if agreed != found:
        raise EvaluationError(
            f"these are not the rules that were agreed on: agreed {agreed}, here {found}",
            remedy="judge by the agreed policy and law, or agree on these: ml-compliance policy digest",
        )
