"""An API that sends nothing: it writes down what would be sent, and finds nothing where it looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Planned:
    """The API of a dry run. `requests` are what would be sent, in order, each `{method, path, body}`.

    It answers as an empty repository would, so that one sees what a first run creates.
    """

    requests: list[dict[str, Any]] = field(default_factory=list)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Write the request down; the answer is what was sent, with the id 0."""
        self.requests.append({"method": method, "path": path, "body": body})
        return {**(body or {}), "id": 0}

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Write the request down; the list is empty."""
        asked = "&".join(f"{key}={value}" for key, value in query.items())
        self.requests.append({"method": "GET", "path": f"{path}?{asked}" if asked else path, "body": None})
        return iter(())
