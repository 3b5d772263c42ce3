"""Takes one program out of a `.tar.gz`, and nothing else."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path

from ml_compliance.errors import EvaluationError

LARGEST = 1 << 29
"""Bytes that an asset, and all that is in an archive, may have; Trivy has a third of it."""


def unpacked(archive: Path, tool: str, where: str) -> Path:
    """The file `tool` of the `.tar.gz`, written beside it.

    Only the content is taken: no name, link, owner or mode in the archive decides what is written, or where. Raises
    EvaluationError, which names `where`, when there is no such file or more than one, when it is no plain file, when
    all that is in the archive is larger than LARGEST, or when the archive is broken.
    """
    target = archive.with_name(tool)
    try:
        with tarfile.open(archive, "r:gz") as file:
            content = file.extractfile(_member(file, tool, where))
            assert content is not None  # noqa: S101 that of a plain file
            with content, target.open("wb") as program:
                shutil.copyfileobj(content, program)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise EvaluationError(f"the archive is broken: {error}", where=where) from error
    return target


def _member(file: tarfile.TarFile, tool: str, where: str) -> tarfile.TarInfo:
    found, size = [], 0
    for member in file:
        size += member.size
        if size > LARGEST:
            raise EvaluationError(f"the archive holds more than {LARGEST} bytes", where=where)
        found += [member] if member.name == tool else []
    if len(found) != 1 or not found[0].isreg():
        what = "is no plain file" if len(found) == 1 else f"is in the archive {len(found)} times"
        raise EvaluationError(f"the program {tool} {what}", where=where, remedy="pin another asset in the lock")
    return found[0]
