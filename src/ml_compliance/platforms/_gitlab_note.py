"""The one note on a merge request: found by marker and author among all, written once, never by an older pipeline."""

from __future__ import annotations

from typing import Any

from ml_compliance.model import Report
from ml_compliance.platforms import Api, ApiError, Delivery, Wish
from ml_compliance.platforms._gitlab_run import GitlabRun
from ml_compliance.platforms._sticky import Comment, latest, marked, order_of

_ROUNDS = 4


def post_note(report: Report, run: GitlabRun, api: Api, wish: Wish) -> Delivery:
    """Make the gate's oldest note say what the latest run said, and remove its others.

    After writing, the notes are read again: where another run wrote meanwhile, the same rule is applied once more. An
    older run that read before and writes after a newer one has looked again is the window that remains: GitLab has no
    way to write on a condition. Raises ApiError; where the notes cannot be read, nothing is written.
    """
    from ml_compliance.publish import markdown

    notes = f"/projects/{run.project}/merge_requests/{run.request}/notes"
    order = (run.number, run.attempt)
    body = marked(markdown.render(report).text, wish.name, order)
    author = api.send("GET", "/user").get("id")
    written: Any = None
    for _ in range(_ROUNDS):
        found = _ours(api, notes, author, wish.name)
        if not found:
            if written:
                break  # A replica that lags behind, or a dry run: what is not seen yet is not written twice.
            written = api.send("POST", notes, {"body": body})
            continue
        first = min(found, key=lambda note: note.id)
        wanted = latest((Comment(first.id, body, order), *found))
        if not _same(first.body, wanted.body):
            written = api.send("PUT", f"{notes}/{first.id}", {"body": wanted.body})
        for note in found:
            if note is not first:
                _remove(api, f"{notes}/{note.id}")
        if len(found) == 1 and _same(first.body, wanted.body):
            if first.order > order:
                return Delivery("comment", "skipped", f"pipeline {first.order[0]} is newer, and has written already")
            return Delivery("comment", "delivered" if written else "unchanged", url=_url(run, first.id))
    return Delivery("comment", "delivered", url=_url(run, written["id"]) if written else "")


def _ours(api: Api, notes: str, author: int, name: str) -> list[Comment]:
    """The notes of this gate by this author, of all pages."""
    found = []
    for note in api.pages(notes, sort="asc", order_by="created_at"):
        order = order_of(note["body"], name)
        if order and not note.get("system") and note.get("author", {}).get("id") == author:
            found.append(Comment(note["id"], note["body"], order))
    return found


def _same(one: str, other: str) -> bool:
    """Whether two bodies are the same to a reader: GitLab may end lines and texts in its own way."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def _remove(api: Api, path: str) -> None:
    try:
        api.send("DELETE", path)
    except ApiError as error:
        if error.status != 404:  # Another run has removed it: that is what was wanted.
            raise


def _url(run: GitlabRun, note: int) -> str:
    return f"{run.request_url}#note_{note}"
