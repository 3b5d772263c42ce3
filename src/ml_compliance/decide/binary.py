"""The `opa` program on this machine, which judges by the shipped policy or by one of your own."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from ml_compliance.decide import _opa
from ml_compliance.decide._bundle import is_bundle
from ml_compliance.decide._contract import PACKAGE, Answer, Request
from ml_compliance.decide._policy import Policy, load_policy
from ml_compliance.errors import EvaluationError
from ml_compliance.tools import find

_QUERY = ".".join(("data", *PACKAGE))
_SECONDS = 120


def available(request: Request) -> bool:
    """Whether `opa` is on PATH, or installed from the lock."""
    return find("opa") is not None


def evaluate(request: Request) -> Answer:
    """Run `opa eval`. Raises EvaluationError when there is no `opa`, or when it does not answer."""
    program = _opa.program()
    policy = load_policy(request)
    with tempfile.TemporaryDirectory(prefix="ml-compliance-") as name:
        folder = Path(name)
        sources = _written(policy, folder) if request.rego and is_bundle(request.rego) else list(policy.modules)
        law = folder / "law.json"
        law.write_text(json.dumps(policy.data_with(request.law)), encoding="utf-8")
        data = [argument for path in (*sources, str(law)) for argument in ("--data", path)]
        arguments = ["eval", "--format", "json", "--strict-builtin-errors", "--stdin-input", *data, _QUERY]
        question = json.dumps(request.submission.get("input"))
        output = _opa.run(*arguments, using=program, text=question, seconds=_SECONDS)
    return Answer(_result(output), "binary", _version(program), policy.digest, policy.revision)


def _written(policy: Policy, folder: Path) -> list[str]:
    """The modules of a bundle as files: what was verified is what `opa` reads."""
    paths = []
    for name, text in policy.modules.items():
        path = folder / "bundle" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        paths.append(str(path))
    return paths


def _result(output: str) -> Any:
    """The value of the one expression; None where the document is undefined."""
    try:
        answers = json.loads(output).get("result", [])
        return answers[0]["expressions"][0]["value"] if answers else None
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise EvaluationError("`opa eval` answered something that is not its JSON format") from error


def _version(program: str) -> str:
    first = _opa.run("version", using=program, seconds=_SECONDS).split("\n", 1)[0]
    return first.removeprefix("Version:").strip()
