"""The program `trivy`: run without a shell and without anybody else's settings; what it could not do is an error."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_compliance.errors import EvaluationError
from ml_compliance.tools import find

INSTALL = "run: ml-compliance tools install trivy (in a workflow, `tools: trivy`), or put trivy 0.67.2 on PATH"
# What else TRIVY_… says would change the scan unseen: TRIVY_SEVERITY and TRIVY_IGNOREFILE leave findings out.
_PASSED_ON = frozenset({"TRIVY_USERNAME", "TRIVY_PASSWORD", "TRIVY_REGISTRY_TOKEN", "TRIVY_INSECURE", "TRIVY_NON_SSL"})
_SECRET = ("TRIVY_PASSWORD", "TRIVY_REGISTRY_TOKEN")
_ALWAYS = ("--skip-version-check", "--disable-telemetry")
_SAID = 400


@dataclass(frozen=True)
class Trivy:
    """The program, its cache, an empty folder to run it in, and the seconds that one run may take.

    Trivy reads `.trivyignore` and `trivy.yaml` of the folder it runs in: in an empty one there are none.
    """

    program: str
    cache: Path
    folder: Path
    seconds: int

    def run(self, *arguments: str) -> str:
        """What it says on the way. Raises EvaluationError when it fails, is killed, or takes longer than it may."""
        code, said = self.called(*arguments)
        if code != 0:
            raise EvaluationError(f"the scan could not be finished: {_why(code, said)}", where="trivy",
                                  remedy=_remedy(said))  # fmt: skip
        return said

    def called(self, *arguments: str) -> tuple[int, str]:
        """Its exit code, negative for a signal, and what it says. Raises EvaluationError when it takes too long."""
        command = [self.program, *arguments, "--cache-dir", str(self.cache), "--timeout", f"{self.seconds}s"]
        return _ended([*command, *(_ALWAYS if arguments[0] != "convert" else ())], self.folder, self.seconds)

    def version(self) -> str:
        """Its version. Raises EvaluationError when it says none."""
        code, said = _ended([self.program, "--version"], self.folder, self.seconds)
        first = said.splitlines()[0] if said else ""
        if code != 0 or not first.startswith("Version: "):
            raise EvaluationError(f"trivy does not say its version: {_why(code, said)}", where=self.program)
        return first.removeprefix("Version: ").strip()


def program() -> str:
    """The path of `trivy`. Raises EvaluationError when it is neither on PATH nor installed."""
    found = find("trivy")
    if found is None:
        raise EvaluationError("the program `trivy` is not on PATH, nor installed", remedy=INSTALL)
    return found


def _ended(command: list[str], folder: Path, seconds: int) -> tuple[int, str]:
    try:
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(os.environ), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise EvaluationError(f"`trivy` cannot be started: {error}", where=command[0], remedy=INSTALL) from error
    with process:
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise EvaluationError(f"the scan was not finished within {seconds} s", where="trivy",
                                  remedy="give it more time: scanner.timeout in the facts") from error  # fmt: skip
        finally:
            # Whatever it has started ends with it.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, _without_secrets(said.decode(errors="replace"))


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in given.items() if not key.startswith("TRIVY_") or key in _PASSED_ON}
    return {**kept, "NO_COLOR": "1"}


def _without_secrets(text: str) -> str:
    for name in _SECRET:
        secret = os.environ.get(name)
        text = text.replace(secret, "***") if secret else text
    return text


def _why(code: int, said: str) -> str:
    if code < 0:
        return f"trivy was ended by the signal {signal.Signals(-code).name}"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL" in line or "level=fatal" in line] or lines[-1:]
    told = " ".join(" ".join(fatal).split())
    # The last cause is the one that matters, and Trivy writes it last.
    return f"…{told[-_SAID:]}" if len(told) > _SAID else told or f"trivy ended with {code}, without a word"


def _remedy(said: str) -> str:
    if "no space left" in said:
        return "make room for the cache and for temporary files (scanner.cache, TMPDIR)"
    if "UNAUTHORIZED" in said or "401" in said or "DENIED" in said:
        return "set TRIVY_USERNAME and TRIVY_PASSWORD, or name a Docker configuration with DOCKER_CONFIG"
    return "look at what trivy says, and scan again"
