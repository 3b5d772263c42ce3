"""How long the default install takes, how many packages it makes, and their size.

uv installs the locked requirements into an empty environment; what its cache holds is not downloaded again.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import harness

ROWS = None
PEERS = ("uv",)
LARGEST = 8


def install(folder: str) -> Callable[[], Any]:
    """Install into a new environment in `folder`; answers the sizes of its packages in bytes, the largest first."""

    def run() -> Any:
        venv.create(folder, with_pip=False, clear=True)
        requirements = harness.ROOT / "requirements" / "run.txt"
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", f"{folder}/bin/python",
                   "--require-hashes", "-r", str(requirements)]  # fmt: skip
        subprocess.run(command, check=True)
        (packages,) = (Path(folder) / "lib").glob("python*/site-packages")
        sizes = sorted(((_size(path), path.name) for path in packages.iterdir() if path.is_dir()), reverse=True)
        return {"packages": len(list(packages.glob("*.dist-info"))), "bytes": _size(packages), "sizes": sizes}

    return run


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def run(rows: int | None) -> Iterator[harness.Result]:
    """One install; it has no rows."""
    with tempfile.TemporaryDirectory() as folder:
        cost = harness.measure(install, folder=folder)
    found = cost.answer
    yield harness.result(f"install: {found['packages']} packages, {found['bytes'] / 2**20:,.0f} MiB", None, cost)
    for size, package in found["sizes"][:LARGEST]:
        print(f"  {package:<24}{size / 2**20:7,.0f} MiB")


if __name__ == "__main__":
    harness.main("install")
