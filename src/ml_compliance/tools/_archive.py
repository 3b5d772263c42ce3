"""Takes one program out of a `.tar.gz`, and nothing else."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import IO

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
        with (
            tarfile.open(archive, "r:gz") as file,
            _content(file, tool, where) as content,
            target.open("wb") as program,
        ):
            shutil.copyfileobj(content, program)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise EvaluationError(f"the archive is broken: {error}", where=where) from error
    return target


def _content(file: tarfile.TarFile, tool: str, where: str) -> IO[bytes]:
    found, size = [], 0
    for member in file:
        size += member.size
        if size > LARGEST:
            raise EvaluationError(f"the archive holds more than {LARGEST} bytes", where=where)
        found += [member] if member.name == tool else []
    content = file.extractfile(found[0]) if len(found) == 1 and found[0].isreg() else None
    if content is None:
        what = "is no plain file" if len(found) == 1 else f"is in the archive {len(found)} times"
        raise EvaluationError(f"the program {tool} {what}", where=where, remedy="pin another asset in the lock")
    return content
