"""The platforms that carry a report to where people look; a plugin is a module of this folder.

    detect(environ) -> bool                          whether this process runs there
    read_run(environ) -> Run                         what was started, for which commit and change request
    connect(run, probe=False) -> Api                 the way to its API; a probe gives up within seconds
    capabilities(run, api) -> tuple[Capability, ...] what may be published, and what would lift what may not
    baseline(run, api, name) -> dict | str           the snapshot (snapshot.json) of the branch that is merged into, or
                                                     why there is none; empty where nothing will be merged
    deliver(report, run, api, wish) -> tuple[Delivery, ...]

Nothing here changes a verdict: what cannot be delivered is reported, and the reports are in the output folder anyway.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class Run:
    """One run of a pipeline, as its platform describes it.

    `commit` is the head of the change that people look at, never the platform's own merge of it; `request` is the
    number of the pull or merge request, None where there is none. `base` is the commit that it will be merged into, and
    `base_branch` its branch; both are empty outside of requests. `number` is an id of the run that grows, `attempt`
    counts its repeats: together they order runs. `head` (`owner:branch`) is where the request comes from, for a run
    that is not told its number. `summary` and `outputs` are files of the runner to append to, empty for none.
    `commit_of_pipeline` is what the pipeline runs on, which may be that merge; empty where it is none of the change.
    """

    platform: str
    event: str
    repository: str
    commit: str
    number: int
    attempt: int
    url: str
    api: str
    token: str = field(repr=False)
    request: int | None = None
    base: str = ""
    base_branch: str = ""
    fork: bool = False
    head: str = ""
    summary: str = ""
    outputs: str = ""
    commit_of_pipeline: str = ""


@dataclass(frozen=True)
class Wish:
    """What is to be published, and under which name: the name tells several gates of one repository apart.

    `out` is the folder that the reports are in.
    """

    name: str
    comment: bool = True
    check: bool = True
    out: Path = Path()


@dataclass(frozen=True)
class Capability:
    """Whether something can be published here; `remedy` is the exact line that would make it possible."""

    name: str
    available: bool
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Delivery:
    """What became of one thing that was to be published."""

    name: str
    status: Literal["delivered", "unchanged", "skipped", "failed", "planned"]
    detail: str = ""
    url: str = ""


class Api(Hashable, Protocol):
    """A platform's API. Paths are relative to its root, as its documentation writes them."""

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request; the parsed answer. Raises ApiError when the platform refuses, or does not answer in time."""

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """The items of every page of a list. Raises ApiError, also in mid-list: part of a list is no list."""


class ApiError(Exception):
    """The platform said no, or nothing. `status` is that of HTTP, 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
