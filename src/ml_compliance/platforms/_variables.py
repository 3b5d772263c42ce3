"""Variables that a CI platform sets for a job. They become parts of API paths, so each is held to its form first."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ml_compliance.errors import UsageError

COMMIT = "(?:[0-9a-f]{40}|[0-9a-f]{64})"
"""SHA-1 or SHA-256."""
PATH = r"(?:(?!\.\.?/)[A-Za-z0-9._-]+/)+(?!\.\.?\Z)[A-Za-z0-9._-]+"
"""The path of a repository: names without a meaning for a URL, and no way up."""
ADDRESS = r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/(?!\.\.?(?:/|\Z))[A-Za-z0-9._~-]+)*/?"
"""https://HOST[:PORT][/PATH] without a user, a question or a fragment: what is added to it stays below it."""
LARGEST_ID = 2**63 - 1
_LONG = 40
_REMEDY = "leave the variables that the platform sets as they are"


def required(environ: Mapping[str, str], name: str) -> str:
    """The variable `name`. Raises UsageError when it is missing or empty."""
    value = environ.get(name, "")
    if not value:
        raise UsageError(f"{name} is not set", where="the environment", remedy="run this in a job of the platform")
    return value


def whole(environ: Mapping[str, str], name: str) -> int:
    """The number in `name`, from 0 to `LARGEST_ID`. Raises UsageError for anything else."""
    value = required(environ, name)
    # Python refuses to read thousands of digits, and reads digits of other scripts.
    if not re.fullmatch("[0-9]{1,19}", value) or int(value) > LARGEST_ID:
        raise _refused(name, value, "number")
    return int(value)


def commit(environ: Mapping[str, str], name: str) -> str:
    """The commit in `name`. Raises UsageError for anything else."""
    return _held(environ, name, COMMIT, "commit")


def project_path(environ: Mapping[str, str], name: str) -> str:
    """The path of a repository in `name`. Raises UsageError for anything else."""
    return _held(environ, name, PATH, "path of a repository")


def address(environ: Mapping[str, str], name: str, default: str | None = None) -> str:
    """The URL in `name`, or `default` where it is missing or empty. Raises UsageError for anything else."""
    return default if default is not None and not environ.get(name) else _held(environ, name, ADDRESS, "address")


def _held(environ: Mapping[str, str], name: str, pattern: str, what: str) -> str:
    value = required(environ, name)
    if not re.fullmatch(pattern, value):
        raise _refused(name, value, what)
    return value


def _refused(name: str, value: str, what: str) -> UsageError:
    told = value if len(value) <= _LONG else f"{value[:_LONG]}…"
    return UsageError(f"{name} is no {what}: {told!r}", where="the environment", remedy=_REMEDY)
