"""Patience with GitHub's limits, and refusals told with the line that lifts them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from ml_compliance.platforms import ApiError, Run
from ml_compliance.platforms import github as platform
from tests.platforms.github_server import TOKEN, Fault, GitHub

PATH = "/repos/org/loans/pulls/7"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((429, {"message": "slow down"}, {"retry-after": "7"}), [7.0]),
        ((403, {"message": "You have exceeded a secondary rate limit"}, {"retry-after": "9"}), [9.0]),
        ((403, {"message": "You have exceeded a secondary rate limit"}, {}), [60.0]),
        ((429, {"message": "slow down"}, {}), [60.0]),
        ((502, "<html>", {}), [1.0]),
        ((503, {}, {}), [1.0]),
    ],
)
def test_one_waits_as_long_as_github_asks(
    github: GitHub, run: Run, waits: list[float], answer: Any, expected: list[float]
) -> None:
    github.faults.append(Fault("GET", "/pulls", answer))
    assert platform.connect(run).send("GET", PATH)["number"] == 7
    assert waits == expected


def test_502_twice(github: GitHub, run: Run, waits: list[float]) -> None:
    github.faults.append(Fault("GET", "/pulls", (502, {}, {}), times=2))
    assert platform.connect(run).send("GET", PATH)["number"] == 7
    assert waits == [1, 2]


def test_one_waits_for_the_reset_and_no_longer_than_is_sensible(github: GitHub, run: Run, waits: list[float]) -> None:
    soon = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 30)}
    github.faults.append(Fault("GET", "/pulls", (403, {"message": "API rate limit exceeded"}, soon)))
    platform.connect(run).send("GET", PATH)
    assert 25 <= waits[0] <= 30
    late = {**soon, "x-ratelimit-reset": str(int(time.time()) + 3000)}
    github.faults.append(Fault("GET", "/pulls", (403, {"message": "API rate limit exceeded"}, late)))
    with pytest.raises(ApiError, match="limit of requests") as told:
        platform.connect(run).send("GET", PATH)
    assert told.value.status == 429
    assert len(waits) == 1


def test_patience_ends(github: GitHub, run: Run, waits: list[float]) -> None:
    github.faults.append(Fault("GET", "/pulls", (502, {}, {}), times=99))
    with pytest.raises(ApiError, match="502"):
        platform.connect(run).send("GET", PATH)
    assert waits == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(
    ("path", "line"),
    [("/check-runs", "`checks: write`"), ("/issues/7/comments", "`pull-requests: write`")],
)
def test_a_permission_that_is_missing_is_named(github: GitHub, run: Run, path: str, line: str) -> None:
    github.denied.add(path)
    body = {"name": "x", "head_sha": run.commit, "body": "x"}
    with pytest.raises(ApiError, match=line) as told:
        platform.connect(run).send("POST", f"/repos/org/loans{path}", body)
    assert told.value.status == 403


def test_a_wrong_token_is_told_and_not_shown(github: GitHub, run: Run) -> None:
    with pytest.raises(ApiError, match="GITHUB_TOKEN") as told:
        platform.connect(replace(run, token="ghs_wrong")).send("GET", PATH)  # noqa: S106
    assert "ghs_wrong" not in str(told.value) + repr(run)
    assert TOKEN not in repr(run)


def test_odd_answers_are_errors_of_the_api(github: GitHub, run: Run, waits: list[float]) -> None:
    api = platform.connect(run)
    github.faults.append(Fault("GET", "/pulls", (429, {}, {"retry-after": "Wed, 25 Nov 2026 21:00:00 GMT"})))
    with pytest.raises(ApiError, match="header"):
        api.send("GET", PATH)
    with pytest.raises(ApiError, match="ConnectError"):
        platform.connect(replace(run, api="http://127.0.0.1:1")).send("GET", PATH)
    assert waits == [1, 2, 4, 8, 16]


def test_a_probe_asks_once_more_and_waits_for_nobody(github: GitHub, run: Run, waits: list[float]) -> None:
    github.faults.append(Fault("GET", "/pulls", (502, {}, {}), times=2))
    with pytest.raises(ApiError, match="502"):
        platform.connect(run, probe=True).send("GET", PATH)
    github.faults.append(Fault("GET", "/pulls", (429, {"message": "slow down"}, {"retry-after": "7"})))
    with pytest.raises(ApiError, match="limit"):
        platform.connect(run, probe=True).send("GET", PATH)
    assert waits == [1]
    github.faults.append(Fault("GET", "/pulls", (502, {}, {})))
    assert platform.connect(run, probe=True).send("GET", PATH)["number"] == 7
