"""SHA-256 of files and folders, read in pieces."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ml_compliance.errors import EvaluationError
from ml_compliance.model import FileDigest


def file_digest(path: Path, name: str) -> FileDigest:
    """The digest of the file `path`, called `name` in evidence. Raises EvaluationError when it cannot be read."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            return FileDigest(name, found, file.tell())
    except OSError as error:
        raise EvaluationError(f"the file cannot be read: {error.strerror or error}", where=name,
                              remedy="make it readable for this job") from error  # fmt: skip


def folder_digests(folder: Path, name: str) -> tuple[FileDigest, ...]:
    """The digests of every file below `folder`, named `name`/relative path, in the order of their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return tuple(file_digest(path, f"{name}/{path.relative_to(folder).as_posix()}") for path in files)


def listing_digest(files: tuple[FileDigest, ...]) -> str:
    """One sha256 for many files: of the lines that `sha256sum` prints for them, sorted by name."""
    lines = (f"{file.sha256}  {file.path}\n" for file in sorted(files, key=lambda file: file.path))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
