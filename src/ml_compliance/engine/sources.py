"""What a path in compliance.yaml stands for: one file, the table files of a folder, or those that a pattern matches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ml_compliance.errors import EvaluationError, UsageError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
PARQUET = (".parquet", ".pq")
_KINDS = (*DELIMITERS, *PARQUET)


@dataclass(frozen=True)
class Source:
    """A file, and what messages and evidence call it."""

    path: Path
    name: str


def is_remote(written: str, backend: str = "") -> bool:
    """Whether `written` is the URL of an object store, such as s3://bucket/table.parquet, or is read by a `backend`.

    Of such a table there is no file here, and so no digest that anyone could take.
    """
    return bool(backend) or "://" in written


def files_of(folder: Path, written: str) -> tuple[Source, ...]:
    """The files behind `written`, a path relative to `folder`, sorted by name; of a folder all but hidden ones.

    Raises UsageError when there are none.
    """
    path = folder / written
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.is_file() and not _hidden(file, path)]
    elif any(sign in written for sign in "*?["):
        found = [file for file in folder.glob(written) if file.is_file()]
    else:
        found = [path] if path.is_file() else []
    if not found:
        what = "has no files" if path.is_dir() else "does not exist"
        remedy = "name a .csv, .tsv or .parquet file, a folder of them, or a pattern such as data/*.parquet"
        raise UsageError(f"the table {what}", where=written, remedy=remedy, named=written)
    return tuple(sorted((_named(file, path, written) for file in found), key=lambda source: source.name))


def table_files(folder: Path, written: str) -> tuple[Source, ...]:
    """The files behind `written`, all of one kind of table.

    Raises UsageError when there are none, or when they are of no known or of several kinds, EvaluationError when one
    is empty.
    """
    sources = files_of(folder, written)
    if (folder / written).is_dir():
        sources = tuple(source for source in sources if source.path.suffix.lower() in _KINDS) or sources
    _check_kind(sources, written)
    for source in sources:
        if source.path.stat().st_size == 0:
            raise EvaluationError("the file is empty", where=source.name, remedy="write a header and at least one row")
    return sources


def _hidden(file: Path, folder: Path) -> bool:
    """Whether a writer's own files, such as those of an unfinished job, are meant."""
    return any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)


def _named(file: Path, path: Path, written: str) -> Source:
    if file == path:
        return Source(file, written)
    if path.is_dir():
        return Source(file, f"{written.rstrip('/')}/{file.relative_to(path).as_posix()}")
    parent = written.rpartition("/")[0]
    fixed = parent if not any(sign in parent for sign in "*?[") else ""
    return Source(file, f"{fixed}/{file.name}" if fixed else file.name)


def _check_kind(sources: tuple[Source, ...], written: str) -> None:
    kinds = sorted({source.path.suffix.lower() for source in sources})
    unknown = [kind for kind in kinds if kind not in _KINDS]
    if unknown:
        kind = unknown[0] or "a file without a suffix"
        raise UsageError(f"no table is read from {kind}", where=written, remedy="use .csv, .tsv or .parquet")
    if len(kinds) > 1:
        raise UsageError(f"the files are of several kinds: {', '.join(kinds)}", where=written,
                         remedy="name one kind with a pattern, such as data/*.parquet")  # fmt: skip
