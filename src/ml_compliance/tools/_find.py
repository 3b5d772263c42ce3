"""Where an external program is: where `ml-compliance tools install` put it, or on PATH."""

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
    """The program's path: installed from the lock and verified by its sha256, else on PATH; None where it is not.

    The sha256 is the lock's, or the one that the program had when it came out of what the lock pins.

    Raises EvaluationError when the installed file is not the one that the lock pins.
    """
    on_path = shutil.which(tool)
    document = read_lock() if any(folder().glob(f"{tool}-*")) else {}
    if tool not in document:
        return on_path
    asset = pinned(tool, document)
    path = place(asset)
    if not path.is_file():
        return on_path
    if not verified(asset, path):
        raise EvaluationError(
            f"the installed {tool} is not the one that the lock pins",
            where=str(path),
            remedy=f"run: ml-compliance tools install {tool}; {LOCK_VARIABLE} names a lock of your own",
        )
    return str(path)


def verified(asset: Asset, path: Path) -> bool:
    """Whether the file at `path` is the one that the lock pins. Raises OSError when there is none."""
    expected = _recorded(asset) if asset.origin else asset.sha256
    return expected != "" and sha256(path) == expected


def put(asset: Asset, program: Path) -> Path:
    """Move `program`, a file in a folder beside its place, there, and record its sha256 where the lock has none of it.

    Raises OSError when it cannot be written.
    """
    program.chmod(0o755)
    if asset.origin:
        recorded = program.with_name(".record")
        recorded.write_text(json.dumps({"sha256": sha256(program), "origin": asset.origin}) + "\n", encoding="utf-8")
        recorded.replace(_record(asset))
    return program.replace(place(asset))


def _record(asset: Asset) -> Path:
    """The file beside a program: its sha256, and the digest of what it came out of."""
    return Path(f"{place(asset)}.record.json")


def _recorded(asset: Asset) -> str:
    """The sha256 that a program had when it came out of what the lock pins; empty where it did not.

    It shows that the file is still that one. It is no proof against somebody who can write both files.
    """
    try:
        found = json.loads(_record(asset).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    same = isinstance(found, dict) and found.get("origin") == asset.origin
    return str(found.get("sha256", "")) if same else ""


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
