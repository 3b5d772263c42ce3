"""The files that deploy a model, read once: links followed where they stay in the project, manifests taken apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.files import repository
from ml_compliance.measure import _dockerfile, _workloads


@dataclass(frozen=True)
class Link:
    """What is not read, by the name that it has below a folder that the facts name."""

    name: str
    why: str


@dataclass(frozen=True)
class File:
    """A file by its name in evidence; `below` is its place among those that the same entry of the facts names."""

    path: Path
    name: str
    below: str

    @cached_property
    def text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8-sig", errors="replace")
        except OSError as error:
            raise EvaluationError(f"the file cannot be read: {error.strerror or error}", where=self.name,
                                  remedy="make it readable for this job") from error  # fmt: skip

    @cached_property
    def is_dockerfile(self) -> bool:
        return _dockerfile.is_dockerfile(Path(self.name).name) and _dockerfile.builds(self.text)

    @cached_property
    def manifest(self) -> _workloads.Manifest | str:
        """What it describes, or why that is not known."""
        if not _workloads.may_describe(self.name):
            return _workloads.Manifest((), (), whole=False)
        try:
            return _workloads.read(self.text)
        except ValueError as error:
            return str(error)


def found(named: Iterable[str], folder: Path) -> tuple[list[File], list[Link]]:
    """All files that the facts of a project in `folder` name, each once, and the links that are not followed.

    Raises UsageError when there are none.
    """
    files: dict[str, File] = {}
    links: dict[str, Link] = {}
    for index, written in enumerate(named):
        path = folder / written
        if path.is_file():
            files.setdefault(written, File(path.resolve(), written, f"{index}/{path.name}"))
            continue
        clean, inside = written.rstrip("/"), (repository(folder), path.resolve())
        below = list(_below(path.resolve(), "", inside, ())) if path.is_dir() else []
        if not below:
            what = "the folder has no files" if path.is_dir() else "there is no such file"
            raise UsageError(what, where=written, remedy="put deployment.files in compliance.yaml right")
        for target, name, why in below:
            called = f"{clean}/{name}"
            if why:
                links.setdefault(called, Link(called, why))
            else:
                files.setdefault(called, File(target, called, f"{index}/{name}"))
    return list(files.values()), list(links.values())


def _below(
    folder: Path, name: str, inside: tuple[Path, ...], above: tuple[Path, ...]
) -> Iterator[tuple[Path, str, str]]:
    """Where each file really is, its name, and why it is not read, if so. A link has to lead to what is `inside`."""
    for entry in sorted(folder.iterdir()):
        if entry.name == ".git":
            continue
        called, target = f"{name}{entry.name}", _target(entry)
        if target is None or not any(target.is_relative_to(root) for root in inside):
            yield entry, called, "it is a link that leads out of the project, or nowhere"
        elif target.is_dir():
            if target in (folder, *above):
                yield entry, called, "it is a link to a folder that it is in itself"
            else:
                yield from _below(target, f"{called}/", inside, (*above, folder))
        elif target.is_file():
            yield target, called, ""
        else:
            yield entry, called, "it is no plain file"


def _target(entry: Path) -> Path | None:
    try:
        return entry.resolve(strict=True)
    except (OSError, RuntimeError):  # a link to nowhere, or to itself
        return None
