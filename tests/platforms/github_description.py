"""GitHub's official OpenAPI description, cut to the paths that are used, and requests held against it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from tests.programs import required_file

_REPO = "/repos/{owner}/{repo}"
PATHS = (
    "/user",
    f"{_REPO}/pulls",
    f"{_REPO}/pulls/{{pull_number}}",
    f"{_REPO}/issues/{{issue_number}}/comments",
    f"{_REPO}/issues/comments/{{comment_id}}",
    f"{_REPO}/check-runs",
    f"{_REPO}/check-runs/{{check_run_id}}",
    f"{_REPO}/commits/{{ref}}/check-runs",
)


@cache
def description() -> OpenAPI:
    """The official description of `PATHS`, with the components that they reach."""
    whole = json.loads(required_file("github-openapi.json").read_text(encoding="utf-8"))
    kept: dict[str, Any] = {"openapi": whole["openapi"], "info": whole["info"], "servers": whole["servers"]}
    kept |= {"paths": {path: _requests(whole["paths"][path]) for path in PATHS}, "components": {}}
    todo = [kept["paths"]]
    while todo:
        for kind, name in _references(todo.pop()):
            held = kept["components"].setdefault(kind, {})
            if name not in held:
                held[name] = whole["components"][kind][name]
                todo.append(held[name])
    return OpenAPI.from_dict(kept)


def _requests(item: dict[str, Any]) -> dict[str, Any]:
    """Without the answers: only requests are held against the description."""
    return {
        verb: {**what, "responses": {"default": {"description": "any"}}} if isinstance(what, dict) else what
        for verb, what in item.items()
    }


def _references(part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            _, _, kind, name = part["$ref"].split("/", 3)
            yield kind, name
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def problem(method: str, path: str, query: dict[str, str], body: Any) -> str:
    """What the description has against a request; empty for nothing."""
    data = None if body is None else json.dumps(body).encode()
    request = MockRequest(
        "https://api.github.com", method.lower(), path, args=query, data=data, content_type="application/json"
    )
    try:
        description().validate_request(request)
    except OpenAPIError as error:
        return f"{method} {path}: {error!r} {error.__cause__!r}"
    return ""
