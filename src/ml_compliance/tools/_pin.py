"""Makes the pins of a lock file: the sha256 of every asset of a program, as its publisher says it, too."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_compliance.errors import EvaluationError
from ml_compliance.tools._install import download, mirrored
from ml_compliance.tools._lock import entry


def lock(document: Mapping[str, Any], tool: str, mirror: str = "") -> dict[str, Any]:
    """`document` with the sha256 of every asset of `tool`, downloaded and held against what its publisher says.

    That is in the file that the lock calls `checksums`, a line for each asset, else in the `.sha256` beside the asset.
    `mirror` is as for `install`: a URL or folder that has the files and what was published with them. For whoever
    maintains a lock: what this returns is reviewed and committed, and is the pin from then on. Raises EvaluationError
    when an asset cannot be had, or when its publisher says another digest.
    """
    locked = entry(tool, document)
    assets = {}
    with tempfile.TemporaryDirectory(prefix="ml-compliance-") as name:
        for key, asset in sorted(locked["assets"].items()):
            url, published = mirrored(asset["url"], mirror), Path(name) / "published"
            found = download(url, Path(name) / "asset")
            download(mirrored(locked.get("checksums", f"{asset['url']}.sha256"), mirror), published)
            said = _published(published.read_text(encoding="utf-8", errors="replace"), url.rsplit("/", 1)[1])
            if said != found:
                raise EvaluationError(f"the asset's sha256 is {found}, published is {said[:64]!r}",
                                      where=url, remedy="do not use it; ask its publisher")  # fmt: skip
            assets[key] = {**asset, "sha256": found}
    return {**document, tool: {**locked, "assets": assets}}


def _published(text: str, name: str) -> str:
    """The digest of the file `name` in what `sha256sum` writes, or the one that stands alone; empty without any."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    of_name = [line[0] for line in lines if len(line) == 2 and line[1].removeprefix("*") == name]
    alone = [line[0] for line in lines if len(lines) == len(line) == 1]
    return "".join((of_name or alone)[:1]).lower()
