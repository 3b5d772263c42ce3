"""Where records are: a folder, or an object store by its URL (s3://…, gs://…, file:///…).

In a folder none is ever overwritten. In an object store a free name is looked for first: of two processes that record
the same decision at the same moment, the later record stays. S3 and its like show an object when all of it is there.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from ml_compliance.errors import EvaluationError, UsageError

_REMEDY = "put the cause right, or name another `record: {folder: …}` in compliance.yaml"


def is_url(place: str) -> bool:
    """Whether `place` is the URL of an object store."""
    return "://" in place


def add(place: str, name: str, text: str) -> str:
    """Keep `text` as `name`.json, or `name`-2.json and so on if there is one; returns where it is.

    It is on the disk when this returns. Raises EvaluationError when it cannot be written.
    """
    try:
        return _add_object(place, name, text) if is_url(place) else _add_file(Path(place), name, text)
    except (OSError, ValueError) as error:
        # pyarrow raises its own kinds of both.
        raise EvaluationError(
            f"the decision cannot be recorded: {_said(error)}", where=_shown(place), remedy=_REMEDY
        ) from error


def _names(name: str) -> Iterator[str]:
    yield f"{name}.json"
    yield from (f"{name}-{number}.json" for number in count(2))


def _add_file(folder: Path, name: str, text: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".record.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        for path in (folder / each for each in _names(name)):
            try:
                # A link, and no renaming: it fails where the name is taken.
                path.hardlink_to(temporary)
            except FileExistsError:
                continue
            break
    finally:
        Path(temporary).unlink(missing_ok=True)
    _sync(folder)
    return str(path)


def _sync(folder: Path) -> None:
    """The name of a new file is on the disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _add_object(url: str, name: str, text: str) -> str:
    store, path = _object_store(url)
    from pyarrow.fs import FileType

    free = next(each for each in _names(name) if store.get_file_info(f"{path}/{each}").type == FileType.NotFound)
    store.create_dir(path, recursive=True)
    with store.open_output_stream(f"{path}/{free}") as file:
        file.write(text.encode())
    return _shown(f"{url.rstrip('/')}/{free}")


def _object_store(url: str) -> tuple[Any, str]:
    from pyarrow.fs import FileSystem

    store, path = FileSystem.from_uri(url.rstrip("/"))
    return store, path


@contextmanager
def opened(place: str) -> Iterator[tuple[Path, ...]]:
    """The records at `place` as files here, by name; those of an object store are copied for the time being.

    Raises UsageError when `place` is not there, EvaluationError when it cannot be read.
    """
    if not is_url(place):
        folder = Path(place)
        if not folder.is_dir():
            raise UsageError("there is no folder of records", where=place, remedy="decide something, or name --records")
        yield tuple(sorted(folder.glob("[!.]*.json")))
        return
    with tempfile.TemporaryDirectory() as name:
        try:
            _copy(place, Path(name))
        except (OSError, ValueError) as error:
            raise EvaluationError(f"the records cannot be read: {_said(error)}", where=_shown(place)) from error
        yield tuple(sorted(Path(name).glob("*.json")))


def _copy(url: str, folder: Path) -> None:
    from pyarrow.fs import FileSelector, FileType

    store, path = _object_store(url)
    for info in store.get_file_info(FileSelector(path)):
        if info.type == FileType.File and info.base_name.endswith(".json"):
            with store.open_input_stream(info.path) as file:
                (folder / info.base_name).write_bytes(file.read())


def _said(error: Exception) -> str:
    return _shown((getattr(error, "strerror", None) or str(error)).splitlines()[0])


def _shown(text: str) -> str:
    """Without what URLs in it have before an @: a key and its secret, which may hold a slash."""
    return re.sub(r"(?<=://)\S*@", "***@", text)
