"""Fetches a program that the lock pins, verifies it by its sha256, and puts it in place whole or not at all."""

from __future__ import annotations

import http.client
import os
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.tools._archive import LARGEST, unpacked
from ml_compliance.tools._build import build
from ml_compliance.tools._find import place, put, sha256
from ml_compliance.tools._lock import MIRROR_VARIABLE, Asset

_SECONDS = 60
_PIECE = 1 << 20
_SCHEMES = ("https", "http", "file")


def install(asset: Asset, mirror: str = "") -> Path:
    """Fetch `asset`, verify it, take the program out of it and put it in place; return its path.

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
            remedy=f"put {asset.tool} {asset.version} on PATH, or make a lock where the network is and keep it: "
            f"ml-compliance tools lock {asset.tool} --out tools.lock.json, then --lock tools.lock.json",
        )
    target = place(asset)
    url = mirrored(asset.url, mirror)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as name:
            fetched = Path(name) / ".fetched"
            found = download(url, fetched)
            if found != asset.sha256:
                raise EvaluationError(f"the file's sha256 is {found}, the lock pins {asset.sha256}", where=url,
                                      remedy="do not use it: it was changed, or is another version")  # fmt: skip
            return put(asset, unpacked(fetched, asset.tool, url) if asset.archived else fetched)
    except OSError as error:
        raise EvaluationError(f"the program cannot be written: {error}", where=str(target)) from error


def mirrored(url: str, mirror: str) -> str:
    """The address of an asset in `mirror`, else in ML_COMPLIANCE_TOOLS_MIRROR, else its own."""
    name = url.rsplit("/", 1)[1]
    mirror = mirror or os.environ.get(MIRROR_VARIABLE, "")
    if not mirror:
        return url
    if "://" in mirror:
        return f"{mirror.rstrip('/')}/{name}"
    return (Path(mirror).resolve() / name).as_uri()


def download(url: str, target: Path) -> str:
    """Write what is at `url` (https, http or file) to `target`; return its sha256.

    Raises UsageError for another address, or a file that is none of the plain ones, and EvaluationError when it cannot
    be had, or is larger than any program.
    """
    _refuse_address(url)
    left = LARGEST
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer, target.open("wb") as file:  # noqa: S310
            while left > 0 and (piece := answer.read(min(_PIECE, left))):
                left -= file.write(piece)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise EvaluationError(f"the file cannot be downloaded: {reason}", where=url,
                              remedy=f"name a mirror, or a folder that has it: --mirror, or {MIRROR_VARIABLE}"
                              ) from error  # fmt: skip
    if left == 0:
        raise EvaluationError(f"the file has {LARGEST} bytes or more, which no program has", where=url)
    return sha256(target)


def _refuse_address(url: str) -> None:
    """Raise UsageError for what is no address, and for a pipe or device, which may never end."""
    remedy = "name one that begins with https://, http:// or file://, or a folder"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _SCHEMES and (parts.scheme == "file" or bool(parts.hostname)) and parts.port != 0
        path = Path(url2pathname(parts.path))
        endless = parts.scheme == "file" and path.exists() and not path.is_file()
    except (OSError, ValueError) as error:
        raise UsageError(f"this is no address to download from: {error}", where=url, remedy=remedy) from error
    if not usable:
        raise UsageError("this is no address to download from", where=url, remedy=remedy)
    if endless:
        raise UsageError("this is no plain file", where=url, remedy="name a folder that has the asset itself")
