"""One comment on the pull request for each gate, found again by its marker and its author."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ml_compliance.model import Report
from ml_compliance.platforms import Api, ApiError, Delivery, Run, Wish
from ml_compliance.platforms._github_limits import COMMENT, PAGE
from ml_compliance.platforms._planned import Planned
from ml_compliance.publish.markdown import LIMIT, compose

_MARKER = re.compile(r"<!-- ml-compliance:comment (\{[^\n]*?\}) -->")
_PERSONAL = ("ghp_", "gho_", "ghu_", "github_pat_")
_ROUNDS = 5
"""How often a comment is written again because another run has changed it in between."""


@dataclass(frozen=True, order=True)
class Rank:
    """What makes one result newer than another: it is about the request's present head, then its run, then the try."""

    current: bool
    number: int
    attempt: int


@dataclass(frozen=True)
class Ours:
    """A comment of this gate."""

    rank: Rank
    id: int
    body: str
    url: str


def marker(run: Run, name: str) -> str:
    """The hidden first line of a comment; no text in it can end the HTML comment."""
    fields = {"name": name, "run": run.number, "attempt": run.attempt, "head": run.commit}
    text = json.dumps(fields, sort_keys=True)
    for character in "-<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"<!-- ml-compliance:comment {text} -->"


def deliver(report: Report, run: Run, api: Api, wish: Wish) -> Delivery:
    """Write the comment, or update it. Raises ApiError when it cannot be looked for: never a second comment.

    GitHub has no way to write only if nothing has changed. So one looks again after writing: of two comments the newer
    result stays, and a result that was overwritten by an older one is written again.
    """
    first = marker(run, wish.name)
    body = f"{first}\n{compose(report, min(LIMIT, COMMENT - len(first) - 1))}"
    pull = api.send("GET", f"/repos/{run.repository}/pulls/{run.request}")
    head = str((pull.get("head") or {}).get("sha", ""))
    mine = Rank(run.commit == head, run.number, run.attempt)
    author = _author(run, api)
    status = "unchanged"
    for _ in range(_ROUNDS):
        found = _ours(run, api, wish.name, head, author)
        newest = max(found, key=lambda item: (item.rank, -item.id), default=None)
        if newest is not None and (newest.rank > mine or newest.body == body):
            _collapse(run, api, [item for item in found if item is not newest])
            if newest.rank > mine:
                return Delivery("comment", "skipped", "a newer run has commented", newest.url)
            return Delivery("comment", status, "", newest.url)  # type: ignore[arg-type]
        status = "delivered"
        if newest is None:
            made = api.send("POST", f"/repos/{run.repository}/issues/{run.request}/comments", {"body": body})
        else:
            made = api.send("PATCH", f"/repos/{run.repository}/issues/comments/{newest.id}", {"body": body})
        if isinstance(api, Planned):
            return Delivery("comment", "planned")
    return Delivery("comment", "failed", "other runs keep changing it", str(made.get("html_url", "")))


def _author(run: Run, api: Api) -> str:
    """The login behind a personal token; empty for an app, which GitHub does not tell who it is."""
    return str(api.send("GET", "/user").get("login", "")) if run.token.startswith(_PERSONAL) else ""


def _ours(run: Run, api: Api, name: str, head: str, author: str) -> list[Ours]:
    """The comments of this gate: by their marker, and by an author that is us or, for an app, a bot; no person's."""
    found = []
    for item in api.pages(f"/repos/{run.repository}/issues/{run.request}/comments", per_page=PAGE):
        user = item.get("user") or {}
        known = user.get("login") == author if author else user.get("type") == "Bot"
        fields = _fields(str(item.get("body") or "")) if known else {}
        if fields.get("name") == name:
            rank = Rank(fields["head"] == head, fields["run"], fields["attempt"])
            found.append(Ours(rank, int(item["id"]), str(item["body"]), str(item.get("html_url", ""))))
    return found


def _fields(body: str) -> dict[str, Any]:
    """What the marker at the start of a comment says; empty where there is none that this program wrote."""
    match = _MARKER.match(body)
    try:
        fields = json.loads(match.group(1)) if match else {}
    except ValueError:
        return {}
    kinds = {"name": str, "run": int, "attempt": int, "head": str}
    return fields if all(isinstance(fields.get(key), kind) for key, kind in kinds.items()) else {}


def _collapse(run: Run, api: Api, others: list[Ours]) -> None:
    for item in others:
        try:
            api.send("DELETE", f"/repos/{run.repository}/issues/comments/{item.id}")
        except ApiError as error:
            # The other run of a race has deleted it.
            if error.status != 404:
                raise
