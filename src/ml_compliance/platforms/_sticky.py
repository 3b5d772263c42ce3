"""The one comment of a gate on a change request: how it is known again, and which of several stays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

_MARK = re.compile(r"\A<!-- ml-compliance (\S*) run (\d+)\.(\d+) -->")


@dataclass(frozen=True)
class Comment:
    """A comment of ours. `order` is (number, attempt) of the run that wrote it."""

    id: int
    body: str
    order: tuple[int, int]


def marked(body: str, name: str, order: tuple[int, int]) -> str:
    """`body` below a line that no reader sees: the gate's name, and the run that writes."""
    return f"<!-- ml-compliance {quote(name, safe='')} run {order[0]}.{order[1]} -->\n{body}"


def order_of(body: str, name: str) -> tuple[int, int] | None:
    """The run that wrote `body`; None when it is no comment of the gate `name`."""
    found = _MARK.match(body)
    return (int(found[2]), int(found[3])) if found and found[1] == quote(name, safe="") else None


def latest(comments: Iterable[Comment]) -> Comment:
    """The comment of the latest run; of one run, the one that was there first."""
    return max(comments, key=lambda comment: (comment.order, -comment.id))
