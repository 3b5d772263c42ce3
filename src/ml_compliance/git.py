"""The git repository that a folder lies in: its state, and what its files were before."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ml_compliance.environment import told

_LINK = "160000 "
"""How git lists a submodule."""
_COMMIT = re.compile("[0-9a-f]{7,64}")


class NoGitError(Exception):
    """There is no git, no repository or no commit; the message says which."""


@dataclass(frozen=True)
class GitState:
    """`dirty` means that tracked files differ from the commit."""

    commit: str
    dirty: bool


def git_state(folder: Path) -> GitState:
    """The commit that is checked out at `folder`. Raises NoGitError when there is none."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD^{commit}")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return GitState(commit.strip(), bool(changes.strip()))


def merge_base(folder: Path, base: str, names: Sequence[str]) -> str:
    """The last commit that `base`, a branch or commit, shares with HEAD.

    Raises NoGitError when there is none; and for a file or folder of `names`, which are to be compared with it and are
    relative to `folder`, in a submodule: that has branches of its own, and those are not what the change set is about.
    """
    for name in names:
        place = (folder / name).parent
        if place.is_dir() and _git(place, "rev-parse", "--show-superproject-working-tree").strip():
            raise NoGitError(f"{name} is in a git submodule")
    commit = _git(folder, "rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}").strip()
    try:
        return _git(folder, "merge-base", commit, "HEAD").strip()
    except NoGitError as error:
        raise NoGitError("it shares no commit with HEAD here; fetch the history (fetch-depth: 0)") from error


def text_at(folder: Path, commit: str, name: str) -> str | None:
    """What the file `name`, relative to `folder`, was at `commit`; None when it was not there.

    Raises NoGitError when it was in a submodule.
    """
    if _git(folder, "ls-tree", "--name-only", commit, "--", name).strip():
        return _git(folder, "show", f"{commit}:./{name}")
    whole = PurePosixPath(_git(folder, "rev-parse", "--show-prefix").removesuffix("\n")) / name
    above = [str(path) for path in PurePosixPath(os.path.normpath(whole)).parents][:-1]
    found = _git(folder, "ls-tree", "-z", "--full-tree", commit, "--", *above) if above else ""
    if any(entry.startswith(_LINK) for entry in found.split("\0")):
        raise NoGitError(f"{name} was in a git submodule")
    return None


def changed_since(folder: Path, commit: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the files and folders `names` in which something differs from `commit`, new files included."""
    found = []
    for name in names:
        differing = _git(folder, "diff", "--name-only", commit, "--", name)
        untracked = _git(folder, "ls-files", "--others", "--exclude-standard", "--", name)
        found += [name] * bool(differing.strip() or untracked.strip())
    return tuple(found)


def holds(folder: Path) -> bool:
    """Whether a repository holds files of `folder`, as far as git is there to say so."""
    try:
        return bool(_git(folder, "ls-files", "-z"))
    except NoGitError:
        return False


def remotes(folder: Path) -> tuple[str, ...]:
    """The URLs of the remotes of the repository at `folder`. Raises NoGitError when there is no repository."""
    return tuple(line.split()[1] for line in _git(folder, "remote", "-v").splitlines() if len(line.split()) > 1)


def git_author(folder: Path, commit: str, apart_from: str) -> str:
    """The e-mail address of the author of `commit`; or, if that is empty, of the last commit at `folder` that changed
    anything but the file `apart_from`. Raises NoGitError when there is none.
    """
    if commit and not _COMMIT.fullmatch(commit):
        raise NoGitError(f"{commit!r} is no commit")
    which = [commit] if commit else ["HEAD", "--", ".", f":(exclude,literal){apart_from}"]
    address = _git(folder, "log", "-1", "--format=%ae", *which).strip()
    if not address:
        raise NoGitError("no commit has an author's address")
    return address


def _git(folder: Path, *arguments: str) -> str:
    # A repository's own configuration may name programs to run (fsmonitor, filters); nothing of it is wanted here, and
    # least of all that of a bare repository which a change has brought along as plain files.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "safe.bareRepository=explicit", "-C", str(folder), *arguments]
    environment = {**told("XDG_CONFIG_HOME", "GIT_CONFIG"), "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    except FileNotFoundError as error:
        raise NoGitError("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise NoGitError("git did not answer within a minute") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise NoGitError(said[0] if said else f"git ended with {done.returncode}")
    return done.stdout.decode(errors="replace")
