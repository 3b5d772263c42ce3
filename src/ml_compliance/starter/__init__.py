"""`ml-compliance init`: the files that a project starts with. Nothing that is there is overwritten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_compliance import files
from ml_compliance.errors import UsageError
from ml_compliance.git import NoGitError, remotes

PLATFORMS = ("github", "gitlab")
IGNORED = "ml-compliance-out"
_OWN = ("compliance.yaml", "compliance_policy.yaml", "waivers.yaml")
_HERE = Path(__file__).parent
_SHOWN_NAME = "customer-credit"
_TRACES = {"github": ".github", "gitlab": ".gitlab-ci.yml"}
_HOST = re.compile(r"(?:[a-z+]+://)?(?:[^@/]*@)?([^:/]+)")


@dataclass(frozen=True)
class Started:
    """What was written, what was there and kept, and the lines to add by hand to a file that was kept."""

    platforms: tuple[str, ...]
    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    to_add: Mapping[Path, str]


def start(folder: Path, platforms: Iterable[str] | None = None) -> Started:
    """Write facts, law, waivers and a line of .gitignore into `folder`, and the workflow to the root of its repository.

    `platforms` are some of PLATFORMS; None means those that are recognised. Raises UsageError when something cannot be
    written; what had been written by then is removed again.
    """
    _refuse_loose_links((folder,))
    if folder.exists() and not folder.is_dir():
        raise UsageError("this is no folder", where=str(folder), remedy="name the folder of the project")
    root = repository(folder)
    chosen = tuple(recognised(root) if platforms is None else platforms)
    below = folder.resolve().relative_to(root.resolve()).as_posix() if root != folder else ""
    workflows = dict(_WORKFLOWS[name](root, below) for name in chosen)
    texts = {folder / name: _template(name, folder) for name in _OWN} | workflows
    gitignore = folder / ".gitignore"
    _refuse_loose_links((*texts, gitignore))
    kept = tuple(path for path in texts if path.exists())
    written = {path: text for path, text in texts.items() if path not in kept}
    to_add = {path: workflows[path] for path in kept if path.name == _TRACES["gitlab"] and not _included(path, below)}
    ignored = _ignoring(gitignore)
    _write_all(written, gitignore, ignored)
    if ignored is None:
        return Started(chosen, tuple(written), (*kept, gitignore), to_add)
    return Started(chosen, (*written, gitignore), kept, to_add)


def repository(folder: Path) -> Path:
    """The nearest folder around `folder` that holds a git repository; `folder` itself where there is none."""
    absolute = folder.resolve()
    found = next((path for path in (absolute, *absolute.parents) if (path / ".git").exists()), absolute)
    return folder if found == absolute else found


def recognised(root: Path) -> tuple[str, ...]:
    """The platforms that the repository's remotes, or its files, speak of."""
    try:
        hosts = [match[1] for url in remotes(root) if (match := _HOST.match(url))]
    except NoGitError:
        hosts = []  # no repository has no remotes
    return tuple(name for name in PLATFORMS if any(name in host for host in hosts) or (root / _TRACES[name]).exists())


def _template(name: str, folder: Path) -> str:
    """The text of a file that is shipped, with the folder's name as the project's."""
    project = re.sub(r"[^\w.-]+", "-", folder.resolve().name).strip("-.") or "model"
    return (_HERE / name).read_text(encoding="utf-8").replace(_SHOWN_NAME, project)


def _github(root: Path, below: str) -> tuple[Path, str]:
    """The workflow; for a folder below the root one of its own, whose comment and check have a name of their own."""
    text = (_HERE / "github.yml").read_text(encoding="utf-8")
    if not below:
        return root / ".github" / "workflows" / "ml-compliance.yml", text
    name = f"ml-compliance-{_slug(below)}"
    inputs = f"        with:\n          working-directory: {json.dumps(below)}\n          name: {name}\n"
    path = root / ".github" / "workflows" / f"{name}.yml"
    return path, text.replace("name: ml-compliance\n", f"name: {name}\n", 1) + inputs


def _gitlab(root: Path, below: str) -> tuple[Path, str]:
    """The include; the gate of a folder below the root has a job of its own."""
    text = (_HERE / "gitlab.yml").read_text(encoding="utf-8")
    if below:
        inputs = {"job-prefix": f"{_slug(below)}-", "config": f"{below}/compliance.yaml", "out": f"{below}/{IGNORED}"}
        text += f"    inputs: {json.dumps(inputs)}\n"
    return root / ".gitlab-ci.yml", text


_WORKFLOWS = {"github": _github, "gitlab": _gitlab}


def _slug(path: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", path)


def _refuse_loose_links(paths: Iterable[Path]) -> None:
    """A link to nothing is no file to keep, and what is written through it would land where it leads."""
    for path in (found for named in paths for found in (named, *named.parents)):
        if path.is_symlink() and not path.exists():
            raise UsageError(f"this is a link to {str(path.readlink())!r}, which is not there", where=str(path),
                             remedy="remove the link, or make what it leads to; nothing was written")  # fmt: skip


def _included(path: Path, below: str) -> bool:
    """Whether a .gitlab-ci.yml that was kept has the gate of this folder."""
    return (f"{below}/compliance.yaml" if below else "ml-compliance").encode() in _content(path)


def _ignoring(path: Path) -> bytes | None:
    """What .gitignore becomes with the output folder in it; None where it names that already."""
    before = _content(path) if path.exists() else b""
    if any(line.strip().strip(b"/") == IGNORED.encode() for line in before.splitlines()):
        return None
    return before + (b"\n" if before and not before.endswith(b"\n") else b"") + f"{IGNORED}/\n".encode()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror}", where=str(path),
                         remedy="make it readable; nothing was written") from error  # fmt: skip


def _write_all(texts: Mapping[Path, str], gitignore: Path, ignored: bytes | None) -> None:
    """All files or none: .gitignore, which may have been there, comes last."""
    written: list[Path] = []
    try:
        for path, text in texts.items():
            files.write(path, text)
            written.append(path)
        if ignored is not None:
            files.write(gitignore.resolve(), ignored)  # a link stays one
    except UsageError as error:
        for path in written:
            path.unlink()
        raise UsageError(error.message, where=error.where, remedy="make it writable; nothing was written") from error
