"""The program `trivy`: run without a shell and without anybody else's settings; what it could not do is an error."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ml_compliance.environment import told
from ml_compliance.errors import EvaluationError
from ml_compliance.tools import find

INSTALL = "run: ml-compliance tools install trivy (in a workflow, `tools: trivy`), or put trivy 0.67.2 on PATH"
_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_", "XDG_")
# Who may pull: what Docker, Podman, containerd and the clouds' own libraries read. Of TRIVY_… these alone:
# TRIVY_SEVERITY and TRIVY_IGNOREFILE would leave findings out, unseen.
_REGISTRY = (
    "TRIVY_USERNAME", "TRIVY_PASSWORD", "TRIVY_REGISTRY_TOKEN", "TRIVY_INSECURE", "TRIVY_NON_SSL",
    "DOCKER_", "REGISTRY_AUTH_FILE", "CONTAINERD_", "AWS_", "AZURE_", "GOOGLE_APPLICATION_CREDENTIALS",
)  # fmt: skip
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
        # Only who pulls an image, or the database, has to prove who it is.
        passed_on = (*_NETWORK, *_REGISTRY) if arguments[0] == "image" else _NETWORK
        always = _ALWAYS if arguments[0] != "convert" else ()
        return _ended([*command, *always], self.folder, self.seconds, told(*passed_on))

    def version(self) -> str:
        """Its version. Raises EvaluationError when it says none."""
        code, said = _ended([self.program, "--version"], self.folder, self.seconds, told())
        first = said.splitlines()[0] if said else ""
        if code != 0 or not first.startswith("Version: "):
            raise EvaluationError(f"trivy does not say its version: {_why(code, said)}", where=self.program)
        return first.removeprefix("Version: ").strip()


@contextmanager
def scanning(cache: Path, seconds: int) -> Iterator[tuple[Trivy, Path]]:
    """The program, ready to run, and a folder for what is needed on the way, which is removed in the end.

    Raises EvaluationError when there is no such program.
    """
    with TemporaryDirectory(prefix="ml-compliance-") as name:
        empty = Path(name) / "empty"
        empty.mkdir()
        yield Trivy(program(), cache, empty, seconds), Path(name)


def program() -> str:
    """The path of `trivy`. Raises EvaluationError when it is neither on PATH nor installed."""
    found = find("trivy")
    if found is None:
        raise EvaluationError("the program `trivy` is not on PATH, nor installed", remedy=INSTALL)
    return found


def _ended(command: list[str], folder: Path, seconds: int, environment: dict[str, str]) -> tuple[int, str]:
    try:
        process = subprocess.Popen(
            command, cwd=folder, env={**environment, "NO_COLOR": "1"}, stdin=subprocess.DEVNULL,
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


def _without_secrets(text: str) -> str:
    for name in _SECRET:
        secret = os.environ.get(name)
        text = text.replace(secret, "***") if secret else text
    return text


def _why(code: int, said: str) -> str:
    if code < 0:
        return f"trivy was ended by the signal {signal.Signals(-code).name}"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [place for place, line in enumerate(lines) if "FATAL" in line or "level=fatal" in line]
    # Several causes stand in lines of their own below.
    told = " ".join(" ".join(lines[fatal[0] :] if fatal else lines[-1:]).split())
    # The last cause is the one that matters, and Trivy writes it last.
    return f"…{told[-_SAID:]}" if len(told) > _SAID else told or f"trivy ended with {code}, without a word"


def _remedy(said: str) -> str:
    if "no space left" in said:
        return "make room for the cache and for temporary files (scanner.cache, TMPDIR)"
    if "UNAUTHORIZED" in said or "401" in said or "DENIED" in said:
        return "set TRIVY_USERNAME and TRIVY_PASSWORD, or name a Docker configuration with DOCKER_CONFIG"
    return "look at what trivy says, and scan again"
