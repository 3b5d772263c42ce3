"""A GitHub for each test, a run on it, and no waiting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ml_compliance.platforms import Run, Wish
from tests.platforms import github_server
from tests.platforms.github_description import description
from tests.platforms.github_server import BASE, HEAD, REPOSITORY, TOKEN, GitHub


@pytest.fixture
def github() -> Iterator[GitHub]:
    """Its state; afterwards every request must have been one that the official description knows."""
    description()  # a missing one is told here, and not by a server that breaks
    state = GitHub()
    yield state
    assert state.problems == []


@pytest.fixture
def api_url(github: GitHub) -> Iterator[str]:
    with github_server.serving(github) as url:
        yield url


@pytest.fixture
def run(api_url: str, tmp_path: Path) -> Run:
    """A pull request from a branch of the repository."""
    return Run("github", "pull_request", REPOSITORY, HEAD, 100, 1, "https://github.com/org/loans/actions/runs/100",
               api_url, TOKEN, 7, BASE, "main", summary=str(tmp_path / "summary"),
               outputs=str(tmp_path / "outputs"))  # fmt: skip


@pytest.fixture
def wish(tmp_path: Path) -> Wish:
    return Wish("gate", out=tmp_path)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that githubkit would have slept."""
    seconds: list[float] = []
    monkeypatch.setattr("githubkit.core.time", SimpleNamespace(sleep=seconds.append))
    return seconds
