"""The `opa` program, where policies are worked on; it is asked without a shell, and its words are passed on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ml_compliance.decide.binary import INSTALL
from ml_compliance.errors import EvaluationError

_SECONDS = 900


def program() -> str:
    """The path of `opa`. Raises EvaluationError when it is not on PATH."""
    found = shutil.which("opa")
    if found is None:
        raise EvaluationError("the program `opa` is not on PATH", remedy=INSTALL)
    return found


def called(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `opa` in `folder`; whoever calls reads its exit code. Raises EvaluationError when it does not end."""
    command = [program(), *arguments]
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8",
                              timeout=_SECONDS, check=False)  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EvaluationError(f"`opa {arguments[0]}` did not end within {_SECONDS} s", where=command[0]) from error
    except OSError as error:
        raise EvaluationError(f"`opa` cannot be started: {error}", where=command[0], remedy=INSTALL) from error


def run(*arguments: str, folder: Path | None = None) -> str:
    """What `opa` prints. Raises EvaluationError with its own words when it fails."""
    done = called(*arguments, folder=folder)
    if done.returncode != 0:
        raise EvaluationError(f"`opa {arguments[0]}` failed: {said(done)}")
    return done.stdout


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What `opa` said on the way out."""
    return done.stderr.strip() or done.stdout.strip() or "it does not say why"
