"""Fetches a program that the lock pins, verifies it by its sha256, and puts it in place whole or not at all."""

from __future__ import annotations

import http.client
import os
import shutil
import tempfile
import urllib.request
from pathlib import Path

from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.tools._build import build
from ml_compliance.tools._find import place, sha256
from ml_compliance.tools._lock import MIRROR_VARIABLE, Asset

_SECONDS = 60
_SCHEMES = ("https://", "http://", "file://")


def install(asset: Asset, mirror: str = "") -> Path:
    """Fetch `asset`, verify it and make it a program; return its path.

    `mirror` (else ML_COMPLIANCE_TOOLS_MIRROR) is a URL or a folder that holds the assets by their file names. It is
    trusted no more than the network: the lock's sha256 decides.

    Where the lock pins the source and not the file, it is built. Raises UsageError when the lock pins neither,
    EvaluationError when the asset cannot be had or is another.
    """
    if not asset.sha256 and asset.source:
        return build(asset)
    if not asset.sha256:
        raise UsageError(
            f"the lock pins no sha256 of {asset.tool} {asset.version} for {asset.platform}, and nothing unpinned "
            "is installed",
            remedy=f"put {asset.tool} on PATH, or make a lock where the network is and keep it: "
            f"ml-compliance tools lock {asset.tool} --out tools.lock.json, then --lock tools.lock.json",
        )
    target = place(asset)
    url = mirrored(asset.url, mirror)
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        os.close(handle)
        temporary = Path(name)
        found = download(url, temporary)
        if found != asset.sha256:
            raise EvaluationError(f"the file's sha256 is {found}, the lock pins {asset.sha256}", where=url,
                                  remedy="do not use it: it was changed, or is another version")  # fmt: skip
        temporary.chmod(0o755)
        temporary.replace(target)
    except OSError as error:
        raise EvaluationError(f"the program cannot be written: {error}", where=str(target)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return target


def mirrored(url: str, mirror: str) -> str:
    """The address of an asset in `mirror`, else in ML_COMPLIANCE_TOOLS_MIRROR, else its own."""
    name = url.rsplit("/", 1)[1]
    mirror = mirror or os.environ.get(MIRROR_VARIABLE, "")
    if not mirror:
        return url
    if mirror.startswith(_SCHEMES):
        return f"{mirror.rstrip('/')}/{name}"
    return (Path(mirror).resolve() / name).as_uri()


def download(url: str, target: Path) -> str:
    """Write what is at `url` (https, http or file) to `target`; return its sha256.

    Raises EvaluationError when it cannot be had.
    """
    if not url.startswith(_SCHEMES):
        raise UsageError("this is no address to download from", where=url)
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer, target.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise EvaluationError(f"the file cannot be downloaded: {reason}", where=url,
                              remedy="name a mirror or a folder that has it: --mirror") from error  # fmt: skip
    return sha256(target)
