"""The `opa` program: it is asked without a shell, and its words are passed on."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ml_compliance.environment import told
from ml_compliance.errors import EvaluationError
from ml_compliance.tools import find

INSTALL = "run: ml-compliance tools install opa, or: go install github.com/open-policy-agent/opa@v1.22.2"
_SECONDS = 900
_COMPILING = ("eval", "build", "check", "test")
# Certificates are verified by the clock, too; OPA does not mark these.
_BY_THE_CLOCK = {
    "crypto.x509.parse_and_verify_certificates",
    "crypto.x509.parse_and_verify_certificates_with_options",
}
_UNDEFINED = re.compile(r"undefined function ([\w.]+)")
_ENDLESS = "make the policy go through less: no long range of numbers, and no product of long lists"
_IMPURE = ("take what it needs from the submission or the law, such as the moment from `input.created`: a decision "
           "comes out the same when it is repeated, and asks nobody")  # fmt: skip


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

    What compiles a policy does so without the functions that are not pure. Raises EvaluationError when there is no
    `opa`, it does not end within `seconds`, or does not say which functions those are.
    """
    using = using or program()
    if arguments[0] not in _COMPILING:
        return _started([using, *arguments], text, folder, seconds)
    with _pure(using) as options:
        return _started([using, arguments[0], *options, *arguments[1:]], text, folder, seconds)


def _started(command: list[str], text: str, folder: Path | None, seconds: int) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, cwd=folder, env=told(), input=text, capture_output=True, text=True,
                              encoding="utf-8", timeout=seconds, check=False)  # fmt: skip
    except subprocess.TimeoutExpired as error:
        remedy = _ENDLESS if command[1] in _COMPILING else ""
        raise EvaluationError(f"`opa {command[1]}` gave no answer within {seconds} s", where=command[0],
                              remedy=remedy) from error  # fmt: skip
    except OSError as error:
        raise EvaluationError(f"`opa` cannot be started: {error}", where=command[0], remedy=INSTALL) from error


@contextmanager
def _pure(using: str) -> Iterator[tuple[str, str]]:
    """The option that leaves a policy the pure functions alone: no network, clock, chance or environment."""
    with tempfile.NamedTemporaryFile("w", prefix="ml-compliance-", suffix=".json", encoding="utf-8") as file:
        file.write(capabilities(using)[0])
        file.flush()
        yield "--capabilities", file.name


@cache
def capabilities(using: str) -> tuple[str, frozenset[str]]:
    """What a policy may use of the program `using`, as OPA's capabilities file, and the names of what it may not.

    OPA itself marks what is not deterministic. Raises EvaluationError for an `opa` from before it did.
    """
    said = run("capabilities", "--current", using=using, seconds=120)
    try:
        found = json.loads(said)
        impure = {each["name"] for each in found["builtins"] if each.get("nondeterministic")}
    except (ValueError, KeyError, TypeError) as error:
        raise EvaluationError("`opa capabilities` is not its JSON format", where=using, remedy=INSTALL) from error
    if not {"http.send", "opa.runtime"} <= impure:
        raise EvaluationError("this `opa` does not say which functions are not deterministic: it is too old",
                              where=using, remedy=INSTALL)  # fmt: skip
    impure |= _BY_THE_CLOCK
    kept = [each for each in found["builtins"] if each["name"] not in impure]
    return json.dumps({**found, "builtins": kept, "allow_net": []}), frozenset(impure)


def run(*arguments: str, using: str = "", text: str = "", folder: Path | None = None, seconds: int = _SECONDS) -> str:
    """What `opa` prints. Raises EvaluationError as `called` does, and with its own words when it fails."""
    done = called(*arguments, using=using, text=text, folder=folder, seconds=seconds)
    if done.returncode != 0:
        what = f"`opa {arguments[0]}` failed: {said(done)}"
        raise EvaluationError(what, where=str(done.args[0]), remedy=remedy(done))
    return done.stdout


def remedy(done: subprocess.CompletedProcess[str]) -> str:
    """What to do about a policy that was refused because it calls what is not pure; empty where it was not."""
    called_for = set(_UNDEFINED.findall(said(done)))
    return _IMPURE if called_for and called_for & capabilities(str(done.args[0]))[1] else ""


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
