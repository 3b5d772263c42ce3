"""Which version of a program is here, and whether it was verified."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ml_compliance.environment import told
from ml_compliance.tools._find import find, folder, place, verified
from ml_compliance.tools._lock import Asset

_SECONDS = 60
_SAYS = "Version: "


@dataclass(frozen=True)
class Found:
    """A program. `version` is empty where it does not say it, `verified` means that it is what the lock pins."""

    path: Path
    version: str
    verified: bool


def found(tool: str) -> Found | None:
    """What `find` finds. Raises EvaluationError as it does."""
    path = find(tool)
    return Found(Path(path), _version(path), Path(path).parent == folder()) if path else None


def present(asset: Asset) -> Path | None:
    """The program in the lock's version: installed and verified, or on PATH where none is installed; else None."""
    path = place(asset)
    if path.is_file():
        return path if verified(asset, path) else None
    on_path = shutil.which(asset.tool)
    return Path(on_path) if on_path and _version(on_path) == asset.version else None


def _version(program: str) -> str:
    """What `opa version` and `trivy version` say first, in an empty folder: Trivy reads settings where it runs."""
    with tempfile.TemporaryDirectory(prefix="ml-compliance-") as empty:
        try:
            done = subprocess.run([program, "version"], cwd=empty, env=told(), stdin=subprocess.DEVNULL, text=True,
                                  capture_output=True, check=False, timeout=_SECONDS, errors="replace")  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return ""
    first = done.stdout.partition("\n")[0]
    return first.removeprefix(_SAYS).strip() if done.returncode == 0 and first.startswith(_SAYS) else ""
