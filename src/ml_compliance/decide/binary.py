"""The `opa` program on this machine, which judges by the shipped policy or by one of your own."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ml_compliance.decide._bundle import is_bundle
from ml_compliance.decide._contract import PACKAGE, Answer, Request
from ml_compliance.decide._policy import Policy, load_policy
from ml_compliance.errors import EvaluationError
from ml_compliance.tools import find

INSTALL = "run: ml-compliance tools install opa, or: go install github.com/open-policy-agent/opa@v1.22.2"
_QUERY = ".".join(("data", *PACKAGE))
_SECONDS = 120


def available(request: Request) -> bool:
    """Whether `opa` is on PATH, or installed from the lock."""
    return find("opa") is not None


def evaluate(request: Request) -> Answer:
    """Run `opa eval`. Raises EvaluationError when there is no `opa`, or when it does not answer."""
    program = find("opa")
    if program is None:
        raise EvaluationError("the program `opa` is neither on PATH nor installed", remedy=INSTALL)
    policy = load_policy(request)
    with tempfile.TemporaryDirectory(prefix="ml-compliance-") as name:
        folder = Path(name)
        sources = _written(policy, folder) if request.rego and is_bundle(request.rego) else list(policy.modules)
        law = folder / "law.json"
        law.write_text(json.dumps(policy.data_with(request.law)), encoding="utf-8")
        data = [argument for path in (*sources, str(law)) for argument in ("--data", path)]
        arguments = ["eval", "--format", "json", "--strict-builtin-errors", "--stdin-input", *data, _QUERY]
        output = _run(program, arguments, json.dumps(request.submission.get("input")))
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


def _run(program: str, arguments: list[str], text: str = "") -> str:
    try:
        done = subprocess.run(
            [program, *arguments], input=text, capture_output=True, text=True, encoding="utf-8",
            timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EvaluationError(f"`opa` gave no answer within {_SECONDS} s", where=program) from error
    except OSError as error:
        raise EvaluationError(f"`opa` cannot be started: {error}", where=program, remedy=INSTALL) from error
    if done.returncode != 0:
        raise EvaluationError(f"`opa {arguments[0]}` failed: {_reason(done.stdout, done.stderr)}", where=program)
    return done.stdout


def _reason(output: str, errors: str) -> str:
    """What `opa` says is wrong: it writes JSON with `errors`, or text on stderr."""
    try:
        found = json.loads(output)["errors"]
        return "; ".join(_told(error) for error in found)
    except (ValueError, KeyError, TypeError):
        return errors.strip() or output.strip() or "it does not say why"


def _told(error: dict[str, Any]) -> str:
    place = error.get("location") or {}
    where = f"{place['file']}:{place['row']}: " if place.get("file") else ""
    return f"{where}{error['message']}"


def _result(output: str) -> Any:
    """The value of the one expression; None where the document is undefined."""
    try:
        answers = json.loads(output).get("result", [])
        return answers[0]["expressions"][0]["value"] if answers else None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise EvaluationError("`opa eval` answered something that is not its JSON format") from error


def _version(program: str) -> str:
    first = _run(program, ["version"]).split("\n", 1)[0]
    return first.removeprefix("Version:").strip()
