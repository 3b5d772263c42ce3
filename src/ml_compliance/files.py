"""Reading and writing the files of the output folder: whole files or none."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ml_compliance.errors import UsageError

RESULTS = (
    "model_submission.json",
    "policy_data.json",
    "decision.json",
    "report.json",
    "report.md",
    "report.html",
    "report.txt",
    "report.sarif",
    "summary.md",
    "junit.xml",
    "codequality.json",
    "badge.json",
    "explainability.html",
    "image.cdx.json",
)


def prepare(out: Path) -> None:
    """Make the output folder and take out an earlier run's results, so that they cannot pass for this run's.

    Raises UsageError when the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in RESULTS:
            (out / name).unlink(missing_ok=True)
        for old in (out / "evidence").glob("*.json"):
            old.unlink()
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UsageError(
            f"the output folder cannot be written: {error.strerror}",
            where=str(out),
            remedy="choose another one with --out DIR",
        ) from error


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
    folder = folder.resolve()
    root = next((path for path in (folder, *folder.parents) if (path / ".git").exists()), folder)
    return "" if folder == root else folder.relative_to(root).as_posix()


def read_json(path: Path, remedy: str = "") -> dict[str, Any]:
    """A JSON object from a file. Raises UsageError when it is missing or broken."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError("there is no such file", where=str(path), remedy=remedy) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the file cannot be read: {error}", where=str(path), remedy=remedy) from error
    except json.JSONDecodeError as error:
        raise UsageError(f"this is not JSON: {error.msg}", where=f"{path}:{error.lineno}:{error.colno}") from None
    if not isinstance(loaded, dict):
        raise UsageError("this is not a JSON object", where=str(path), remedy=remedy)
    return loaded
