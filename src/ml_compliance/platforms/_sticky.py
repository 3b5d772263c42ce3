"""The one comment of a gate on a change request: how it is known again, and which of several stays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from ml_compliance.platforms import Api, ApiError, Run

_MARK = re.compile(r"\A<!-- ml-compliance (\S*) run (\d+)\.(\d+) of ([0-9a-f]*) -->")


@dataclass(frozen=True, order=True)
class Rank:
    """What makes one result newer than another: it is about the request's present head, then its run, then the try."""

    current: bool
    number: int
    attempt: int


@dataclass(frozen=True)
class Comment:
    """A comment of this gate."""

    id: int
    body: str
    rank: Rank
    url: str = ""


def marked(body: str, name: str, run: Run) -> str:
    """`body` below a line that no reader sees: the gate's name, the run that has judged, and the commit."""
    # A dash is quoted too: two of them could end the HTML comment.
    return f"<!-- ml-compliance {_quoted(name)} run {run.number}.{run.attempt} of {run.commit} -->\n{body}"


def rank_of(body: str, name: str, head: str) -> Rank | None:
    """The rank of the result in `body`, where `head` is the request's; None when it is no comment of the gate `name`.

    Where the platform's run numbers order heads too, `head` is empty, and only the numbers count.
    """
    found = _MARK.match(body)
    if not found or found[1] != _quoted(name):
        return None
    return Rank(bool(head) and found[4] == head, int(found[2]), int(found[3]))


def staying(found: Iterable[Comment]) -> Comment | None:
    """Which comment stays: the newest result, of equal ones the first that was written; None where there is none."""
    return max(found, key=lambda item: (item.rank, -item.id), default=None)


def same(one: str, other: str) -> bool:
    """Whether two bodies are the same to a reader: a platform may end lines and texts in its own way."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def remove(api: Api, path: str) -> None:
    """Delete a comment. Raises ApiError, unless it is gone: another run has removed it, and that is what was wanted."""
    try:
        api.send("DELETE", path)
    except ApiError as error:
        if error.status != 404:
            raise


def _quoted(name: str) -> str:
    return quote(name, safe="").replace("--", "-%2D")
