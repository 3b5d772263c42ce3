"""The one note on a merge request: known by marker and author among all, and never that of an older pipeline."""

from __future__ import annotations

from ml_compliance.model import Report
from ml_compliance.platforms import Api, Delivery, Wish
from ml_compliance.platforms._gitlab_run import GitlabRun
from ml_compliance.platforms._planned import Planned
from ml_compliance.platforms._sticky import Comment, Rank, marked, rank_of, remove, same


def post_note(report: Report, run: GitlabRun, api: Api, wish: Wish) -> Delivery:
    """Write this run's note, then remove those of older runs; where a newer run has written, remove this one's.

    GitLab cannot write on a condition. So a run changes no note but its own, and removes only what is older: in
    whatever order runs write and look, the note of the newest is the one that stays. Raises ApiError; where the notes
    cannot be read, nothing is written.
    """
    from ml_compliance.publish import markdown

    notes = f"/projects/{run.project}/merge_requests/{run.request}/notes"
    rank = Rank(False, run.number, run.attempt)
    body = marked(markdown.render(report).text, wish.name, run)
    author = (api.send("GET", "/user") or {}).get("id")
    found = _ours(api, notes, author, wish.name)
    own = next((note for note in found if note.rank == rank), None)
    if newer := [note for note in found if note.rank > rank]:
        return _superseded(api, notes, found, newer)
    wrote = own is None or not same(own.body, body)
    if own is None or not same(own.body, body):
        method, path = ("POST", notes) if own is None else ("PUT", f"{notes}/{own.id}")
        written = api.send(method, path, {"body": body})
        if isinstance(api, Planned):
            return Delivery("comment", "planned")
        own = Comment(written["id"], body, rank)
        found = _ours(api, notes, author, wish.name)
        if newer := [note for note in found if note.rank > rank]:
            return _superseded(api, notes, found, newer)
    for note in found:
        if note.rank < rank or (note.rank == rank and note.id > own.id):
            remove(api, f"{notes}/{note.id}")
    url = f"{run.request_url}#note_{own.id}"
    return Delivery("comment", "delivered" if wrote else "unchanged", url=url)


def _superseded(api: Api, notes: str, found: list[Comment], newer: list[Comment]) -> Delivery:
    newest = max(note.rank for note in newer)
    for note in found:
        if note.rank < newest:
            remove(api, f"{notes}/{note.id}")
    return Delivery("comment", "skipped", f"pipeline {newest.number} is newer: its result stays")


def _ours(api: Api, notes: str, author: int | None, name: str) -> list[Comment]:
    """The notes of this gate by this author, of all pages."""
    found = []
    for note in api.pages(notes, sort="asc", order_by="created_at"):
        rank = rank_of(note["body"], name, head="")
        if rank and not note.get("system") and note.get("author", {}).get("id") == author:
            found.append(Comment(note["id"], note["body"], rank))
    return found
