"""How many packages the default install makes, and their size."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
LARGEST = 8


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def main() -> None:
    uv = Path(sys.executable).parent / "uv"
    with tempfile.TemporaryDirectory() as name:
        venv.create(name, with_pip=False)
        python = Path(name) / "bin" / "python"
        requirements = str(ROOT / "requirements" / "run.txt")
        install = [
            str(uv),
            "pip",
            "install",
            "--quiet",
            "--python",
            str(python),
            "--require-hashes",
            "-r",
            requirements,
        ]
        subprocess.run(install, check=True)
        (packages,) = (Path(name) / "lib").glob("python*/site-packages")
        count = len(list(packages.glob("*.dist-info")))
        sizes = sorted(((_size(path), path.name) for path in packages.iterdir() if path.is_dir()), reverse=True)
        total = _size(packages)
    print(f"default install: {count} packages, {total / 2**20:,.0f} MiB")
    for size, package in sizes[:LARGEST]:
        print(f"  {package:<24}{size / 2**20:7,.0f} MiB")


if __name__ == "__main__":
    main()
