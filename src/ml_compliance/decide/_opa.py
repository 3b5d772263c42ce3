"""The `opa` program: it is asked without a shell, and its words are passed on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from ml_compliance.environment import told
from ml_compliance.errors import EvaluationError
from ml_compliance.tools import find

INSTALL = "run: ml-compliance tools install opa, or: go install github.com/open-policy-agent/opa@v1.22.2"
_SECONDS = 900


def program() -> str:
    """The path of `opa`. Raises EvaluationError when it is neither on PATH nor installed."""
    found = find("opa")
    if found is None:
        raise EvaluationError("the program `opa` is not on PATH, nor installed", remedy=INSTALL)
    return found


def called(
    *arguments: str, using: str = "", text: str = "", folder: Path | None = None, seconds: int = _SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run `opa`, or the program `using`, in `folder` with `text` to read; whoever calls reads its exit code.

    Raises EvaluationError when there is no `opa`, or it does not end within `seconds`.
    """
    command = [using or program(), *arguments]
    try:
        # A policy can read the environment (`opa.runtime`), so there is nothing in it to read.
        return subprocess.run(command, cwd=folder, env=told(), input=text, capture_output=True, text=True,
                              encoding="utf-8", timeout=seconds, check=False)  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EvaluationError(f"`opa` gave no answer within {seconds} s", where=command[0]) from error
    except OSError as error:
        raise EvaluationError(f"`opa` cannot be started: {error}", where=command[0], remedy=INSTALL) from error


def run(*arguments: str, using: str = "", text: str = "", folder: Path | None = None, seconds: int = _SECONDS) -> str:
    """What `opa` prints. Raises EvaluationError as `called` does, and with its own words when it fails."""
    done = called(*arguments, using=using, text=text, folder=folder, seconds=seconds)
    if done.returncode != 0:
        raise EvaluationError(f"`opa {arguments[0]}` failed: {said(done)}", where=str(done.args[0]))
    return done.stdout


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What `opa` says is wrong: it writes JSON with `errors`, or text."""
    try:
        return "; ".join(_told(error) for error in json.loads(done.stdout)["errors"])
    except (ValueError, KeyError, TypeError):
        return done.stderr.strip() or done.stdout.strip() or "it does not say why"


def _told(error: dict[str, Any]) -> str:
    place = error.get("location") or {}
    where = f"{place['file']}:{place['row']}: " if place.get("file") else ""
    return f"{where}{error['message']}"
