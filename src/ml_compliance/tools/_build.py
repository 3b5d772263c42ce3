"""Builds a program from the source that the lock pins by Go's checksum, for an asset whose file nobody has pinned.

The checksum covers the module's own go.sum, which pins every module that it is built of. The built file has no digest
that could be known before; the one that it gets is written beside it and holds from then on.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.tools._find import place, put
from ml_compliance.tools._lock import Asset

_SECONDS = 1800
# The module is built as it is: not as part of somebody's workspace, nor with flags of this machine.
_ENVIRONMENT = {"GOWORK": "off", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}


def build(asset: Asset) -> Path:
    """Build `asset` by `go`, put it in place whole or not at all, and return its path.

    Raises UsageError where there is no `go`, EvaluationError when the source is another or cannot be built.
    """
    go = shutil.which("go")
    if go is None:
        raise UsageError(
            f"the lock pins no file of {asset.tool} {asset.version} for {asset.platform}, only its source, "
            "and there is no `go` to build it",
            remedy=f"install Go (https://go.dev/dl), or put {asset.tool} on PATH, or make a lock where the network is: "
            f"ml-compliance tools lock {asset.tool}",
        )
    target = place(asset)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as name:
            built = Path(name) / asset.tool
            source = _source(go, asset, name)
            _go(go, source, "build", "-trimpath", "-buildvcs=false", "-o", str(built), ".")
            return put(asset, built)
    except OSError as error:
        raise EvaluationError(f"the program cannot be written: {error}", where=str(target)) from error


def _source(go: str, asset: Asset, folder: str) -> str:
    """The folder of the module, once Go has found its checksum to be the pinned one."""
    found = json.loads(_go(go, folder, "mod", "download", "-json", f"{asset.module}@v{asset.version}"))
    if found["Sum"] != asset.source:
        raise EvaluationError(f"the source's checksum is {found['Sum']}, the lock pins {asset.source}",
                              where=asset.module, remedy="do not use it: it was changed")  # fmt: skip
    return str(found["Dir"])


def _go(go: str, folder: str, *arguments: str) -> str:
    try:
        done = subprocess.run([go, *arguments], cwd=folder, capture_output=True, text=True, check=False,
                              timeout=_SECONDS, env={**os.environ, **_ENVIRONMENT})  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EvaluationError(f"`go {arguments[0]}` took more than {_SECONDS} s", remedy="try again") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise EvaluationError(f"`go {arguments[0]}` failed: {said}",
                              remedy="see what Go says; GOPROXY names a mirror of modules")  # fmt: skip
    return done.stdout
