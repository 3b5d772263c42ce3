"""Reading and writing the files of the output folder: whole files or none."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from ml_compliance.errors import UsageError

SUBMISSION_FILE, DECISION_FILE = "model_submission.json", "decision.json"
RESULTS = (
    SUBMISSION_FILE,
    "policy_data.json",
    DECISION_FILE,
    "report.json",
    "report.md",
    "report.html",
    "report.txt",
    "report.sarif",
    "summary.md",
    "junit.xml",
    "codequality.json",
    "metrics.txt",
    "gate.env",
    "badge.json",
    "admission.json",
    "check_run.json",
    "snapshot.json",
    "explainability.html",
    "requests.json",
    "image.cdx.json",
    "gl-container-scanning-report.json",
)
LARGEST = 256 * 1024 * 1024
"""Bytes of one file; a submission with tens of thousands of groups has a tenth of it."""
# What is made of a decision, and is worth nothing without it.
VERDICTS = tuple(name for name in RESULTS if name not in (SUBMISSION_FILE, "explainability.html", "image.cdx.json"))


def withdraw(out: Path, names: tuple[str, ...] = RESULTS) -> None:
    """Take out an earlier run's results, so that they cannot pass for this run's, even if it stops at a mistake.

    Raises UsageError when the folder cannot be written.
    """
    try:
        for name in names:
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise _not_writable(out, error) from error


def prepare(out: Path) -> None:
    """Make the output folder and take out an earlier run's results and evidence.

    Raises UsageError when the folder cannot be written.
    """
    withdraw(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for old in (out / "evidence").glob("*.json"):
            old.unlink()
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise _not_writable(out, error) from error


def _not_writable(out: Path, error: OSError) -> UsageError:
    remedy = "choose another one with --out DIR"
    return UsageError(f"the output folder cannot be written: {error.strerror}", where=str(out), remedy=remedy)


def write(path: Path, content: str | bytes) -> None:
    """Write `content` under a temporary name, then rename: an interrupted run leaves no half-written file.

    Raises UsageError when the folder cannot be written.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        raise UsageError(
            f"the file cannot be written: {error.strerror}",
            where=str(path),
            remedy="make room, or choose another folder with --out DIR",
        ) from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def from_root(folder: Path) -> str:
    """`folder` as seen from the root of its repository; empty when it is the root itself, or in no repository."""
    folder, root = folder.resolve(), repository(folder)
    return "" if folder == root else folder.relative_to(root).as_posix()


def repository(folder: Path) -> Path:
    """The root of the repository that `folder` is in; itself when it is in none."""
    folder = folder.resolve()
    return next((path for path in (folder, *folder.parents) if (path / ".git").exists()), folder)


def read_json(path: Path, remedy: str = "", *, largest: int = LARGEST, follow: bool = True) -> dict[str, Any]:
    """A JSON object from a file of at most `largest` bytes; a link is followed if `follow` says so.

    Raises UsageError when it is missing, no plain file, larger, or no strict JSON object.
    """
    content = read_plain(path, str(path), remedy, largest=largest, follow=follow)
    try:
        loaded = strict_json(content)
    except json.JSONDecodeError as error:
        raise UsageError(f"this is not JSON: {error.msg}", where=f"{path}:{error.lineno}:{error.colno}") from None
    except ValueError as error:
        raise UsageError(f"this is not JSON: {error}", where=str(path), remedy=remedy) from error
    if not isinstance(loaded, dict):
        raise UsageError("this is not a JSON object", where=str(path), remedy=remedy)
    return loaded


def strict_json(content: str | bytes) -> Any:
    """What JSON text says, if every reader takes it for the same: no NaN, no key twice, no endless depth.

    Raises ValueError for anything else.
    """
    try:
        text = content if isinstance(content, str) else content.decode()
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def read_plain(path: Path, name: str, remedy: str = "", *, largest: int = LARGEST, follow: bool = True) -> bytes:
    """The bytes of the file that the user calls `name`. Raises UsageError as `read_json` does."""
    try:
        # Not waited for, where it is a pipe; and no end is looked for in a device that has none.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise UsageError("this is no plain file", where=name, remedy=remedy)
            content = file.read(largest + 1)
    except FileNotFoundError:
        raise UsageError("there is no such file", where=name, remedy=remedy) from None
    except IsADirectoryError:
        raise UsageError("this is no plain file, but a folder", where=name, remedy=remedy) from None
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror}", where=name, remedy=remedy) from error
    except ValueError as error:  # a null byte in its name
        raise UsageError(f"the file cannot be read: {error}", where=repr(name), remedy=remedy) from error
    if len(content) > largest:
        raise UsageError(f"the file is larger than {largest:,} bytes", where=name, remedy=remedy)
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number in it")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice")
    return found
