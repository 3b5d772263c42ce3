"""Where an external program is: on PATH, or where `ml-compliance tools install` put it."""

from __future__ import annotations

import hashlib
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
    if not asset.sha256 or sha256(path) != asset.sha256:
        raise EvaluationError(
            f"the installed {tool} is not the one that the lock pins",
            where=str(path),
            remedy=f"run: ml-compliance tools install {tool}; {LOCK_VARIABLE} names a lock of your own",
        )
    return str(path)


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
