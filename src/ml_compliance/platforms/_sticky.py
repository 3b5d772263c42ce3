"""The one comment of a gate on a change request: how it is known again, and which of several stays."""

from __future__ import annotations

import re
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
    # A dash is quoted too: two of them could end the HTML comment.
    return f"<!-- ml-compliance {_quoted(name)} run {order[0]}.{order[1]} -->\n{body}"


def order_of(body: str, name: str) -> tuple[int, int] | None:
    """The run that wrote `body`; None when it is no comment of the gate `name`."""
    found = _MARK.match(body)
    return (int(found[2]), int(found[3])) if found and found[1] == _quoted(name) else None


def _quoted(name: str) -> str:
    return quote(name, safe="").replace("--", "-%2D")
