"""Where an external program is: on PATH, or where `ml-compliance tools install` put it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from ml_compliance.errors import EvaluationError
from ml_compliance.tools._lock import LOCK_VARIABLE, Asset, pinned, read_lock

FOLDER_VARIABLE = "ML_COMPLIANCE_TOOLS"


def folder() -> Path:
    """Where programs are installed: ML_COMPLIANCE_TOOLS, else `ml-compliance/bin` in the user's cache."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "ml-compliance" / "bin"


def place(asset: Asset) -> Path:
    """The file of an installed program, with its version in the name."""
    return folder() / f"{asset.tool}-{asset.version}"


def find(tool: str) -> str | None:
    """The program's path: on PATH, else installed from the lock and verified by its sha256; None where it is not.

    The sha256 is the lock's, or that of the file that was built from the source that the lock pins.

    Raises EvaluationError when the installed file is not the one that the lock pins.
    """
    on_path = shutil.which(tool)
    if on_path is not None:
        return on_path
    if not any(folder().glob(f"{tool}-*")):
        return None
    asset = pinned(tool, read_lock())
    path = place(asset)
    if not path.is_file():
        return None
    expected = asset.sha256 or _built(asset)
    if not expected or sha256(path) != expected:
        raise EvaluationError(
            f"the installed {tool} is not the one that the lock pins",
            where=str(path),
            remedy=f"run: ml-compliance tools install {tool}; {LOCK_VARIABLE} names a lock of your own",
        )
    return str(path)


def record(asset: Asset) -> Path:
    """The file beside a program that was built here: its sha256, and the checksum of its source."""
    return Path(f"{place(asset)}.built.json")


def _built(asset: Asset) -> str:
    """The sha256 that a program had when it was built from the pinned source; empty where it was not.

    It shows that the file is still that one. It is no proof against somebody who can write both files.
    """
    try:
        found = json.loads(record(asset).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    same = isinstance(found, dict) and found.get("source") == asset.source != ""
    return str(found.get("sha256", "")) if same else ""


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
