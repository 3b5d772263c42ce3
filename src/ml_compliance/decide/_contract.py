"""What passes between the gate and a policy engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_compliance.facts import Server

PACKAGE = ("mlpolicy", "deploy")


@dataclass(frozen=True)
class Request:
    """A question to a policy engine.

    `submission` is the `{"input": …}` document, `law` becomes `data.mlpolicy.law`. `rego` is a file, folder or
    bundle of the user's own policy (None: the shipped one), and `rego_key` a PEM file with the public key that its
    bundle is verified with. `server` holds the policy, and the law as `data.mlpolicy.law`; it is only asked, never
    changed.
    """

    submission: Mapping[str, Any]
    law: Mapping[str, Any]
    rego: Path | None = None
    server: Server | None = None
    rego_key: Path | None = None


@dataclass(frozen=True)
class Answer:
    """The whole document `data.mlpolicy.deploy`, and who computed it from which policy, of which bundle revision."""

    result: Any
    engine: str
    version: str
    policy_digest: str
    revision: str = ""
