"""One comment for each gate, with the newest result, whatever else is said and whoever races."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from ml_compliance.platforms import ApiError, Delivery, Run, Wish, _github_comment
from ml_compliance.platforms import github as platform
from ml_compliance.platforms._github_limits import COMMENT
from ml_compliance.platforms._sticky import marked
from tests.platforms.github_server import BOT, GRAPHQL, HEAD, Answer, Fault, GitHub
from tests.publish import reports

PERSON = {"login": "mallory", "type": "User"}
BROKEN: Answer = (502, {"message": "Server Error"}, {})


def comment(run: Run, wish: Wish, verdict: str = "denied") -> Delivery:
    report = {"denied": reports.denied, "allowed": reports.allowed}[verdict]()
    return _github_comment.deliver(report, run, platform.connect(run), wish, checked=False)


def both(run: Run, wish: Wish, verdict: str = "denied") -> Delivery:
    """The comment, after the check run, as a job with both permissions has them."""
    report = {"denied": reports.denied, "allowed": reports.allowed}[verdict]()
    return platform.deliver(report, run, platform.connect(run), wish)[0]


def test_five_runs_leave_one_comment_with_the_last_result(github: GitHub, run: Run, wish: Wish) -> None:
    for number in range(1, 6):
        assert comment(replace(run, number=number), wish, "denied" if number < 5 else "allowed").status == "delivered"
    (body,) = github.said()
    assert "ALLOWED" in body
    assert " run 5.1 " in body.split("\n")[0]


def test_the_same_result_again_changes_nothing(github: GitHub, run: Run, wish: Wish) -> None:
    comment(run, wish)
    github.seen.clear()
    assert comment(run, wish).status == "unchanged"
    assert {method for method, path, *_ in github.seen if path != GRAPHQL} == {"GET"}


def test_ours_is_found_behind_three_hundred_others(github: GitHub, run: Run, wish: Wish) -> None:
    for place in range(300):
        github.comment(f"comment {place}", PERSON)
    comment(run, wish)
    comment(replace(run, number=101), wish, "allowed")
    assert len(github.comments) == 301
    assert len(github.said()) == 1
    assert max(int(query.get("page", "1")) for _, _, query, _ in github.seen) == 4


def test_a_comment_of_somebody_else_with_our_marker_is_left_alone(github: GitHub, run: Run, wish: Wish) -> None:
    forged = marked("ALLOWED", wish.name, replace(run, number=10**9))
    github.comment(forged, PERSON)
    quoted = "see " + marked("", wish.name, run)
    github.comment(quoted, BOT)
    assert comment(run, wish).status == "delivered"
    assert [item["body"] for item in github.comments.values()][:2] == [forged, quoted]
    assert len(github.comments) == 3


def test_two_gates_have_a_comment_each(github: GitHub, run: Run, wish: Wish) -> None:
    comment(run, wish)
    comment(run, replace(wish, name="another"))
    comment(replace(run, number=101), wish)
    assert len(github.said()) == 2


def test_an_older_run_overwrites_nothing(github: GitHub, run: Run, wish: Wish) -> None:
    comment(run, wish, "allowed")
    for older in (replace(run, number=99), replace(run, number=99, attempt=7)):
        assert comment(older, wish).status == "skipped"
    (body,) = github.said()
    assert "ALLOWED" in body


def test_a_run_for_an_older_head_overwrites_nothing(github: GitHub, run: Run, wish: Wish) -> None:
    comment(run, wish, "allowed")
    assert comment(replace(run, number=200, commit="c" * 40), wish).status == "skipped"
    assert "ALLOWED" in github.said()[0]


def test_a_run_for_the_present_head_overwrites_one_that_is_about_an_older(github: GitHub, run: Run, wish: Wish) -> None:
    comment(replace(run, number=200, commit="c" * 40), wish)
    assert comment(run, wish, "allowed").status == "delivered"
    (body,) = github.said()
    assert HEAD in body


def test_duplicates_become_one(github: GitHub, run: Run, wish: Wish) -> None:
    for number in (1, 3, 2):
        github.comment(marked("old", wish.name, replace(run, number=number)), BOT)
    comment(run, wish)
    assert len(github.said()) == 1


@pytest.mark.parametrize("older_last", [True, False])
def test_two_runs_that_race_leave_the_newer_result(github: GitHub, run: Run, wish: Wish, older_last: bool) -> None:
    """Both find no comment, and both make one; the barrier holds each at its first writing."""
    barrier = threading.Barrier(2, timeout=20)
    writes: list[str] = []

    def hold(method: str, path: str) -> None:
        if method == "POST" and len(writes) < 2:
            writes.append(path)
            barrier.wait()

    github.before = hold
    runs = [(replace(run, number=101), "allowed"), (replace(run, number=100), "denied")]
    threads = [threading.Thread(target=comment, args=(one, wish, verdict)) for one, verdict in runs]
    for thread in threads if older_last else reversed(threads):
        thread.start()
    for thread in threads:
        thread.join()
    assert len(writes) == 2
    (body,) = github.said()
    assert "ALLOWED" in body


def test_a_result_that_an_older_run_has_overwritten_is_written_again(github: GitHub, run: Run, wish: Wish) -> None:
    comment(replace(run, number=1), wish)
    stale = marked("stale", wish.name, replace(run, number=2))
    patches: list[str] = []

    def meddle(method: str, path: str) -> None:
        if method == "GET" and path.endswith("/comments") and len(patches) == 1:
            patches.append("meddled")
            next(iter(github.comments.values()))["body"] = stale
        if method == "PATCH":
            patches.append(path)

    github.before = meddle
    assert comment(run, wish, "allowed").status == "delivered"
    assert "ALLOWED" in github.said()[0]
    assert len(patches) == 3


def overtaken(github: GitHub, method: str, newer: Callable[[], Delivery]) -> list[Delivery]:
    """Let `newer` run from its beginning to its end before the first writing of a comment that comes from now on."""
    done: list[Delivery] = []

    def overtake(verb: str, path: str) -> None:
        if verb == method and "/comments" in path:
            github.before = lambda verb, path: None
            done.append(newer())

    github.before = overtake
    return done


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_an_older_run_that_writes_last_puts_the_newer_result_back(
    github: GitHub, run: Run, wish: Wish, method: str
) -> None:
    """Run 101 has looked, 102 writes, looks and leaves; then 101 writes. Its last look finds the check run of 102."""
    if method == "PATCH":
        both(run, wish)
    done = overtaken(github, method, lambda: both(replace(run, number=102), wish, "allowed"))
    found = both(replace(run, number=101), wish)
    assert [item.status for item in done] == ["delivered"]
    assert (found.status, found.detail) == ("skipped", "run 102 is newer: its result stays")
    (body,) = github.said()
    assert " run 102.1 " in body.split("\n")[0]
    assert "ALLOWED" in body


def test_a_newer_result_of_a_newer_head_is_put_back(github: GitHub, run: Run, wish: Wish) -> None:
    both(run, wish)

    def push_and_run() -> Delivery:
        github.pulls[7] = {"number": 7, "head": {"sha": "d" * 40}}
        return both(replace(run, number=102, commit="d" * 40), wish, "allowed")

    done = overtaken(github, "PATCH", push_and_run)
    assert both(replace(run, number=101), wish).status == "skipped"
    assert len(done) == 1
    (body,) = github.said()
    assert " run 102.1 of dddd" in body
    assert "ALLOWED" in body


def test_an_older_run_writes_nothing_once_a_newer_check_run_is_there(github: GitHub, run: Run, wish: Wish) -> None:
    both(replace(run, number=102), wish, "allowed")
    before = github.said()
    assert both(run, wish).status == "skipped"
    assert github.said() == before


def test_a_check_run_of_another_app_is_nobodys_result(github: GitHub, run: Run, wish: Wish) -> None:
    both(replace(run, number=102), wish, "allowed")
    for check in github.checks.values():
        check["app"] = {"slug": "somebody"}
    github.comments.clear()
    assert both(run, wish).status == "delivered"
    assert "DENIED" in github.said()[0]


def test_a_comment_belongs_to_the_app_whose_token_it_is(github: GitHub, run: Run, wish: Wish) -> None:
    comment(run, wish)
    github.login = "our-app[bot]"
    assert both(replace(run, number=101), wish, "allowed").status == "delivered"
    assert both(replace(run, number=102), wish, "allowed").status == "delivered"
    assert [item["user"]["login"] for item in github.comments.values()] == [BOT["login"], "our-app[bot]"]
    assert {check["app"]["slug"] for check in github.checks.values()} == {"our-app"}


def test_who_one_is_has_to_be_told(github: GitHub, run: Run, wish: Wish) -> None:
    github.login = ""
    with pytest.raises(ApiError, match="who the token speaks as"):
        comment(run, wish)
    assert github.comments == {}


@pytest.mark.parametrize("status", [403, 404])
def test_a_job_that_may_not_read_requests_comments_all_the_same(
    github: GitHub, run: Run, wish: Wish, status: int
) -> None:
    """`issues: write` is enough: number and head are in the event."""
    github.faults.append(Fault("GET", "/pulls/", (status, {"message": "Not accessible"}, {}), times=99))
    assert comment(run, wish).status == "delivered"
    assert comment(replace(run, number=99), wish).status == "skipped"
    assert len(github.said()) == 1


def test_what_cannot_be_looked_up_is_an_error_and_no_second_comment(
    github: GitHub, run: Run, wish: Wish, waits: list[float]
) -> None:
    for place in range(150):
        github.comment(f"comment {place}", PERSON)
    comment(run, wish)
    github.faults.append(Fault("GET", "/comments", BROKEN, times=99))
    with pytest.raises(ApiError, match="502"):
        comment(replace(run, number=101), wish)
    assert len(github.said()) == 1
    assert waits == [1, 2, 4, 8, 16]


def test_an_answer_that_was_lost_makes_no_second_comment(
    github: GitHub, run: Run, wish: Wish, waits: list[float]
) -> None:
    github.faults.append(Fault("POST", "/comments", BROKEN, times=2, applied=True))
    assert comment(run, wish).status == "delivered"
    assert len(github.said()) == 1
    assert waits == [1, 2]


def test_a_comment_holds_what_github_accepts(github: GitHub, run: Run, wish: Wish) -> None:
    name = "gate -->" + "@" * 500
    found = _github_comment.deliver(reports.huge(), run, platform.connect(run), replace(wish, name=name), checked=False)
    assert found.status == "delivered"
    (body,) = github.said()
    assert 60_000 < len(body) <= COMMENT
    assert "--" not in body.split("\n")[0].removeprefix("<!--").removesuffix("-->")


def test_hostile_names_are_dead_in_the_comment(github: GitHub, run: Run, wish: Wish) -> None:
    _github_comment.deliver(reports.hostile(), run, platform.connect(run), wish, checked=False)
    (body,) = github.said()
    assert "@everyone" not in body
    assert "<script" not in body
    assert "\n::" not in body
