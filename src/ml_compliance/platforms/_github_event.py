"""What a run on GitHub Actions is about: its environment variables and its event file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_compliance.errors import UsageError
from ml_compliance.files import read_json
from ml_compliance.platforms import Run
from ml_compliance.platforms._variables import COMMIT, LARGEST_ID, PATH, address, commit, project_path, required, whole

_REMEDY = "let GitHub Actions write this file; GITHUB_EVENT_PATH names it"
_REQUESTS = ("pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment")
_LARGEST = 25 * 1024 * 1024
"""Bytes of an event: GitHub sends no larger one."""
_LONG = 300


def _object(**properties: Any) -> dict[str, Any]:
    """The JSON Schema of an object that has these properties, and may have others."""
    return {"type": "object", "required": list(properties), "properties": properties}


_TEXT = {"type": "string"}
_ID = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
_COMMIT = {"type": "string", "pattern": rf"\A{COMMIT}\Z"}
_REPOSITORY = _object(full_name={"type": "string", "pattern": rf"\A{PATH}\Z"})
_PULL = _object(
    number=_ID,
    # The head's repository is null when the fork was deleted.
    head=_object(sha=_COMMIT, repo={"anyOf": [{"type": "null"}, _REPOSITORY]}),
    base=_object(sha=_COMMIT, ref=_TEXT),
)
_FIRST_RUN = _object(
    id=_ID, run_attempt=_ID, head_sha=_COMMIT, event=_TEXT, head_branch={"type": ["string", "null"]},
    head_repository={**_REPOSITORY, "required": ["full_name", "owner"],
                     "properties": {**_REPOSITORY["properties"], "owner": _object(login=_TEXT)}},
)  # fmt: skip
_EVENTS = {
    **dict.fromkeys(_REQUESTS, _object(pull_request=_PULL)),
    "merge_group": _object(merge_group=_object(head_sha=_COMMIT, base_sha=_COMMIT, base_ref=_TEXT)),
    "workflow_run": _object(workflow_run=_FIRST_RUN),
}


def read_run(environ: Mapping[str, str]) -> Run:
    """The run that `environ` describes. Raises UsageError when variables or the event file are missing or broken."""
    name, place = required(environ, "GITHUB_EVENT_NAME"), required(environ, "GITHUB_EVENT_PATH")
    repository, number = project_path(environ, "GITHUB_REPOSITORY"), whole(environ, "GITHUB_RUN_ID")
    server = address(environ, "GITHUB_SERVER_URL", "https://github.com").rstrip("/")
    pipelined = commit(environ, "GITHUB_SHA")
    run: dict[str, Any] = {
        "platform": "github",
        "event": name,
        "repository": repository,
        "commit": pipelined,
        "commit_of_pipeline": pipelined,
        "number": number,
        "attempt": whole(environ, "GITHUB_RUN_ATTEMPT") if environ.get("GITHUB_RUN_ATTEMPT") else 1,
        "url": f"{server}/{repository}/actions/runs/{number}",
        "api": address(environ, "GITHUB_API_URL", "https://api.github.com"),
        "token": environ.get("GITHUB_TOKEN", ""),
        "summary": environ.get("GITHUB_STEP_SUMMARY", ""),
        "outputs": environ.get("GITHUB_OUTPUT", ""),
    }
    return Run(**run | _details(name, _event(name, place), repository))


def _details(name: str, event: dict[str, Any], repository: str) -> dict[str, Any]:
    """What only the event file says.

    GITHUB_SHA of a pull request is GitHub's own merge, which nobody looks at. It is the base for pull_request_target,
    and the default branch for workflow_run: no commit of the change.
    """
    if name in _REQUESTS:
        request = event["pull_request"]
        head, base = request["head"], request["base"]
        return {
            "commit": head["sha"],
            **({"commit_of_pipeline": ""} if name == "pull_request_target" else {}),
            "request": int(request["number"]),
            "base": base["sha"],
            "base_branch": base["ref"],
            "fork": (head["repo"] or {}).get("full_name") != repository,
        }
    if name == "merge_group":
        group = event["merge_group"]
        branch = group["base_ref"].removeprefix("refs/heads/")
        return {"commit": group["head_sha"], "base": group["base_sha"], "base_branch": branch}
    if name == "workflow_run":
        return _first_run(event["workflow_run"], repository)
    return {}


def _first_run(first: dict[str, Any], repository: str) -> dict[str, Any]:
    """The run that has called this one. What it measured is about its own commit, and ordered by its own number."""
    source = first["head_repository"]
    found: dict[str, Any] = {
        "commit": first["head_sha"],
        "commit_of_pipeline": "",
        "number": int(first["id"]),
        "attempt": int(first["run_attempt"]),
        "fork": source["full_name"] != repository,
    }
    if first["event"] in _REQUESTS and first["head_branch"]:
        found["head"] = f"{source['owner']['login']}:{first['head_branch']}"
    return found


def _event(name: str, place: str) -> dict[str, Any]:
    """The event in the file `place`. Raises UsageError unless it is what an event called `name` is."""
    try:
        event = read_json(Path(place), _REMEDY, largest=_LARGEST)
    except UsageError as error:
        raise UsageError(f"the event file: {error.message}", where=place, remedy=_REMEDY) from error
    _check(name, event, place)
    return event


def _check(name: str, event: dict[str, Any], place: str) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    problem = best_match(Draft202012Validator(_EVENTS.get(name, {})).iter_errors(event))
    if problem is not None:
        told = problem.message if len(problem.message) <= _LONG else f"{problem.message[:_LONG]}…"
        raise UsageError(f"this is no event {name!r}: {problem.json_path}: {told}", where=place, remedy=_REMEDY)
