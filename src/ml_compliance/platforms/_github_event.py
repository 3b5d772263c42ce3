"""What a run on GitHub Actions is about: its environment variables and its event file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_compliance.errors import UsageError
from ml_compliance.files import read_json
from ml_compliance.platforms import Run

_REMEDY = "let GitHub Actions write this file; GITHUB_EVENT_PATH names it"
_REQUIRED = ("GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_REPOSITORY", "GITHUB_SHA", "GITHUB_RUN_ID")
_REQUESTS = ("pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment")


def read_run(environ: Mapping[str, str]) -> Run:
    """The run that `environ` describes. Raises UsageError when variables or the event file are missing or broken."""
    for name in _REQUIRED:
        if not environ.get(name):
            raise UsageError(f"{name} is not set", where="the environment", remedy="run this in a GitHub workflow")
    event, place = _event(environ["GITHUB_EVENT_PATH"]), environ["GITHUB_EVENT_PATH"]
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    repository, number = environ["GITHUB_REPOSITORY"], environ["GITHUB_RUN_ID"]
    run: dict[str, Any] = {
        "platform": "github",
        "event": environ["GITHUB_EVENT_NAME"],
        "repository": repository,
        "commit": environ["GITHUB_SHA"],
        "number": _whole("GITHUB_RUN_ID", number),
        "attempt": _whole("GITHUB_RUN_ATTEMPT", environ.get("GITHUB_RUN_ATTEMPT") or "1"),
        "url": f"{server}/{repository}/actions/runs/{number}",
        "api": environ.get("GITHUB_API_URL") or "https://api.github.com",
        "token": environ.get("GITHUB_TOKEN", ""),
        "summary": environ.get("GITHUB_STEP_SUMMARY", ""),
        "outputs": environ.get("GITHUB_OUTPUT", ""),
    }
    try:
        return Run(**run | _details(run["event"], event, repository))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"this is no event {run['event']!r}: it lacks {error}", where=place, remedy=_REMEDY) from error


def _details(name: str, event: dict[str, Any], repository: str) -> dict[str, Any]:
    """What only the event file says. GITHUB_SHA of a pull request is GitHub's own merge, which nobody looks at."""
    if name in _REQUESTS:
        request = event["pull_request"]
        head, base = request["head"], request["base"]
        return {
            "commit": _sha(head["sha"]),
            "request": int(request["number"]),
            "base": _sha(base["sha"]),
            "base_branch": str(base["ref"]),
            # The head's repository is null when the fork was deleted.
            "fork": (head["repo"] or {}).get("full_name") != repository,
        }
    if name == "merge_group":
        group = event["merge_group"]
        branch = str(group["base_ref"]).removeprefix("refs/heads/")
        return {"commit": _sha(group["head_sha"]), "base": _sha(group["base_sha"]), "base_branch": branch}
    if name == "workflow_run":
        return _first_run(event["workflow_run"], repository)
    return {}


def _first_run(first: dict[str, Any], repository: str) -> dict[str, Any]:
    """The run that has called this one. What it measured is about its own commit, and ordered by its own number."""
    source = first["head_repository"]
    found: dict[str, Any] = {
        "commit": _sha(first["head_sha"]),
        "number": int(first["id"]),
        "attempt": int(first["run_attempt"]),
        "fork": source["full_name"] != repository,
    }
    if first["event"] in _REQUESTS:
        found["head"] = f"{source['owner']['login']}:{first['head_branch']}"
    return found


def _event(place: str) -> dict[str, Any]:
    try:
        return read_json(Path(place), _REMEDY)
    except UsageError as error:
        raise UsageError(f"the event file: {error.message}", where=place, remedy=_REMEDY) from error


def _sha(text: str) -> str:
    if len(text) not in (40, 64) or set(text) - set("0123456789abcdef"):
        raise KeyError("a commit: " + text[:80])
    return text


def _whole(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"{name} is no number: {text[:40]!r}", where="the environment",
                         remedy="run this in a GitHub workflow")  # fmt: skip
    return int(text)
