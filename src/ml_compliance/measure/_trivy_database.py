"""Trivy's database of vulnerabilities: downloaded from the first mirror that has it, dated, and known by its digest."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ml_compliance import git
from ml_compliance.deployed import Scanner
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.law import Law, items_of
from ml_compliance.measure._digests import file_digest
from ml_compliance.measure._trivy import Trivy

ALLOWED_DAYS = 7.0
"""How old the database may be where the law does not say; policies/lib/vulnerabilities.rego has the same number."""
# Registries that say TOOMANYREQUESTS are asked again after so many seconds; after the last, they are left alone.
WAITS = (2.0, 8.0, 30.0)
_DAY = 86_400.0
_AHEAD = 1.0  # A clock may be wrong by some hours.
_BUSY = ("TOOMANYREQUESTS", "429")


@dataclass(frozen=True)
class Database:
    """A database that can be scanned with; `age_days` is the time since it was made, `sha256` that of trivy.db."""

    updated: str
    age_days: float
    sha256: str


def cache_folder(scanner: Scanner, folder: Path) -> Path:
    """Trivy's cache: as the facts say, from `folder` on, else TRIVY_CACHE_DIR, else where Trivy itself puts it.

    Raises UsageError when a repository holds files of it: whoever changes those would say what Trivy finds, since its
    database, its checks and what it remembers of layers are there.
    """
    if scanner.cache:
        cache = (folder / scanner.cache).resolve()
    elif os.environ.get("TRIVY_CACHE_DIR"):
        cache = Path(os.environ["TRIVY_CACHE_DIR"]).resolve()
    else:
        caches = os.environ.get("XDG_CACHE_HOME")
        cache = (Path(caches) if caches else Path.home() / ".cache") / "trivy"
    if git.holds(cache):
        raise UsageError("Trivy's cache is part of the repository, whose changes are judged by it", where=str(cache),
                         remedy="take it out of the repository, and put it there in the workflow")  # fmt: skip
    return cache


def allowed_days(law: Law | None, kind: str) -> float | None:
    """How old the law lets the database be: the strictest of its items of a type, None when it has none."""
    return min((float(item.get("database_age_days", ALLOWED_DAYS)) for item in items_of(law, kind)), default=None)


def database(trivy: Trivy, scanner: Scanner, limit: float | None, now: datetime) -> Database:
    """The database in Trivy's cache, which is brought up to date first unless the facts say `offline`.

    Raises EvaluationError when there is none, when it is not the one that is pinned, or when it is older than `limit`
    days: a scan by it says nothing of what has become known since.
    """
    if not scanner.offline:
        download(trivy, scanner.databases)
    folder = trivy.cache / "db"
    file, described = folder / "trivy.db", folder / "metadata.json"
    if not (file.is_file() and described.is_file()):
        raise EvaluationError("there is no database of vulnerabilities", where=str(folder),
                              remedy="leave out scanner.offline, or put trivy.db and metadata.json there")  # fmt: skip
    updated = _updated(described)
    age = (now - updated).total_seconds() / _DAY
    found = Database(updated.isoformat(), round(max(age, 0.0), 2), file_digest(file, str(file)).sha256)
    if scanner.database_sha256 and found.sha256 != scanner.database_sha256:
        raise EvaluationError(f"the sha256 of the database is {found.sha256}", where=str(file),
                              remedy=f"put the one there that is pinned: {scanner.database_sha256}")  # fmt: skip
    if age < -_AHEAD:
        raise EvaluationError(f"the database is from the future ({found.updated})", where=str(described),
                              remedy="put the clock of this machine right, or get the database anew")  # fmt: skip
    if limit is not None and age > limit:
        raise EvaluationError(f"the database is {found.age_days} days old, and the law allows {limit:g}",
                              where=str(described), remedy="get a new one, and scan again")  # fmt: skip
    return found


def download(trivy: Trivy, mirrors: tuple[str, ...], sleep: Callable[[float], None] = time.sleep) -> None:
    """Bring the database up to date from the first of `mirrors` that has it.

    Those that answer TOOMANYREQUESTS are asked again, a few times; others are not. Raises EvaluationError with what
    each of them said when none has it.
    """
    left, said = mirrors, dict[str, str]()
    for wait in (*WAITS, None):
        busy = []
        for mirror in left:
            code, answer = trivy.called("image", "--download-db-only", "--db-repository", mirror)
            if code == 0:
                return
            lines = answer.strip().splitlines()
            said[mirror] = " ".join(lines[-1].split())[-200:] if lines else f"exit code {code}"
            busy += [mirror] * any(sign in answer for sign in _BUSY)
        if not busy or wait is None:
            break
        left = tuple(busy)
        sleep(wait)
    told = "; ".join(f"{mirror}: {answer}" for mirror, answer in said.items())
    raise EvaluationError(f"the database of vulnerabilities cannot be downloaded: {told}", where="scanner.databases",
                          remedy="name a mirror that this machine reaches, or bring the database along and write "
                          "scanner.offline: true")  # fmt: skip


def _updated(described: Path) -> datetime:
    try:
        text = json.loads(described.read_text(encoding="utf-8"))["UpdatedAt"]
        found = datetime.fromisoformat(text)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(f"it cannot be read when the database was made: {type(error).__name__}: {error}",
                              where=str(described), remedy="get the database anew") from error  # fmt: skip
    return found if found.tzinfo else found.replace(tzinfo=UTC)
