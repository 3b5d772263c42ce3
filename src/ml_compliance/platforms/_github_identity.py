"""Who the token speaks as. GitHub's REST API tells that to people only; its GraphQL API tells it to apps too."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ml_compliance.platforms import Api, ApiError
from ml_compliance.platforms._planned import Planned

_QUERY = {"query": "query { viewer { login } }"}
_BOT = "[bot]"


@lru_cache(maxsize=1)
def login(api: Api) -> str:
    """The login that comments of this token have: `github-actions[bot]`, or that of another app or of a person.

    Asked once: the token of an `api` stays the same. Empty in a dry run. Raises ApiError when GitHub does not tell.
    """
    answer = api.send("POST", "/graphql", _QUERY)
    if isinstance(api, Planned):
        return ""
    viewer = _mapping(_mapping(_mapping(answer).get("data")).get("viewer"))
    found = viewer.get("login")
    if not isinstance(found, str) or not found:
        raise ApiError("POST /graphql: GitHub does not tell who the token speaks as")
    return found


def app_of(login: str) -> str:
    """The slug of the app behind a login; empty for a person, who has none."""
    return login.removesuffix(_BOT) if login.endswith(_BOT) else ""


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
