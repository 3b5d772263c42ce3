"""One comment on the pull request for each gate, found again by its marker and its author, and updated in place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ml_compliance.model import Report
from ml_compliance.platforms import Api, ApiError, Delivery, Run, Wish
from ml_compliance.platforms import _github_check as check
from ml_compliance.platforms._github_identity import login
from ml_compliance.platforms._github_limits import COMMENT, PAGE
from ml_compliance.platforms._planned import Planned
from ml_compliance.platforms._sticky import Comment, Rank, marked, rank_of, remove, same, staying
from ml_compliance.publish.markdown import LIMIT, compose

_ROUNDS = 5
"""How often a comment is written again because another run has changed it in between."""


@dataclass(frozen=True)
class _Result:
    """What the comment should say, as far as one knows."""

    rank: Rank
    body: str


def deliver(report: Report, run: Run, api: Api, wish: Wish, *, checked: bool) -> Delivery:
    """Write the comment, or update it. Raises ApiError when it cannot be looked for: never a second comment.

    GitHub cannot write on a condition: a run that looked before a newer one wrote may write after it. So every run
    looks again after writing, at the comments and, where its check run is there (`checked`), at those of the present
    head. Each run makes its check run before it comments, and the text of the comment is in it: whoever has
    overwritten a newer result finds that text, and writes it. The last to write has seen all who wrote before it.
    """
    room = min(LIMIT, COMMENT - len(marked("", wish.name, run)))
    body, author = marked(compose(report, room), wish.name, run), login(api)
    status = "unchanged"
    for _ in range(_ROUNDS):
        head = _head(run, api)
        mine = _Result(Rank(run.commit == head, run.number, run.attempt), body)
        best = max((mine, *(_reported(run, api, wish.name, head, author) if checked else ())), key=lambda it: it.rank)
        found = _ours(run, api, wish.name, head, author)
        stays = staying(found)
        if stays is not None and (stays.rank > best.rank or (stays.rank == best.rank and _says(stays, best, mine))):
            _collapse(run, api, [item for item in found if item is not stays])
            if stays.rank > mine.rank:
                return Delivery("comment", "skipped", f"run {stays.rank.number} is newer: its result stays", stays.url)
            return Delivery("comment", status, "", stays.url)  # type: ignore[arg-type]
        status = "delivered"
        if stays is None:
            made = api.send("POST", f"/repos/{run.repository}/issues/{run.request}/comments", {"body": best.body})
        else:
            made = api.send("PATCH", f"/repos/{run.repository}/issues/comments/{stays.id}", {"body": best.body})
        if isinstance(api, Planned):
            return Delivery("comment", "planned")
    return Delivery("comment", "failed", "other runs keep changing it", str(made.get("html_url", "")))


def _says(stays: Comment, best: _Result, mine: _Result) -> bool:
    """Another run's comment may have its own wording of its result; one's own has to be what one says."""
    return best is not mine or same(stays.body, best.body)


def _head(run: Run, api: Api) -> str:
    """The commit that the request has now; that of the event where the token may not read requests."""
    try:
        pull = api.send("GET", f"/repos/{run.repository}/pulls/{run.request}")
    except ApiError as error:
        if error.status in (403, 404):
            return run.commit
        raise
    return str((pull.get("head") or {}).get("sha") or run.commit)


def _reported(run: Run, api: Api, name: str, head: str, author: str) -> Iterable[_Result]:
    """The results that other runs have reported in check runs on the present head."""
    for item in check.results(replace(run, commit=head), api, name, author):
        if item.summary and (item.number, item.attempt) != (run.number, run.attempt):
            about = replace(run, number=item.number, attempt=item.attempt, commit=head)
            text = marked(item.summary, name, about)
            if len(text) <= COMMENT:
                yield _Result(Rank(True, item.number, item.attempt), text)


def _ours(run: Run, api: Api, name: str, head: str, author: str) -> list[Comment]:
    """The comments of this gate: by their marker, and by their author."""
    found = []
    for item in api.pages(f"/repos/{run.repository}/issues/{run.request}/comments", per_page=PAGE):
        body = str(item.get("body") or "")
        rank = rank_of(body, name, head)
        if rank and (item.get("user") or {}).get("login") == author:
            found.append(Comment(int(item["id"]), body, rank, str(item.get("html_url", ""))))
    return found


def _collapse(run: Run, api: Api, others: Iterable[Comment]) -> None:
    for item in others:
        remove(api, f"/repos/{run.repository}/issues/comments/{item.id}")
