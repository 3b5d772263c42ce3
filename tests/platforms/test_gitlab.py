"""GitLab: what a run reads of its job, and what its requests make of a project that remembers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ml_compliance.errors import UsageError
from ml_compliance.model import Report
from ml_compliance.platforms import Delivery, Wish, gitlab
from ml_compliance.platforms._gitlab_run import GitlabRun
from ml_compliance.platforms._planned import Planned
from tests.platforms.gitlab_server import BOT, Gitlab, operation, valid
from tests.platforms.gitlab_server import gitlab as serve
from tests.publish import reports

SHA, HEAD, BASE = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture
def server() -> Iterator[Gitlab]:
    with serve() as instance:
        yield instance


def job(url: str, **changes: str) -> dict[str, str]:
    """The variables of a job in a merge request pipeline; an empty value takes one out."""
    start = {
        "GITLAB_CI": "true", "GITLAB_TOKEN": "good", "CI_JOB_TOKEN": "job", "CI_API_V4_URL": url,
        "CI_PIPELINE_SOURCE": "merge_request_event", "CI_PROJECT_ID": "5", "CI_PROJECT_PATH": "bank/loans",
        "CI_COMMIT_SHA": SHA, "CI_PIPELINE_ID": "100", "CI_JOB_ID": "1000", "CI_JOB_NAME": "ml-compliance",
        "CI_JOB_URL": "https://gitlab.example.org/bank/loans/-/jobs/1000", "CI_MERGE_REQUEST_IID": "2",
        "CI_MERGE_REQUEST_PROJECT_ID": "5", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_PROJECT_PATH": "bank/loans",
        "CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.example.org/bank/loans",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "release/1", "CI_MERGE_REQUEST_DIFF_BASE_SHA": BASE,
    }  # fmt: skip
    return {key: value for key, value in {**start, **changes}.items() if value}


def started(url: str, **changes: str) -> GitlabRun:
    return gitlab.read_run(job(url, **changes))


def deliver(run: GitlabRun, report: Report | None = None, name: str = "loans", **changes: Any) -> dict[str, Delivery]:
    found = gitlab.deliver(report or reports.denied(), run, gitlab.connect(run), Wish(name, **changes))
    return {item.name: item for item in found}


def test_a_job_is_read() -> None:
    run = started("https://gitlab.example.org/api/v4", CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=HEAD)
    assert gitlab.detect(job("x"))
    assert not gitlab.detect({"CI": "true"})
    assert (run.commit, run.commit_of_pipeline, run.base, run.base_branch) == (HEAD, SHA, BASE, "release/1")
    assert (run.request, run.number, run.attempt, run.fork) == (2, 100, 1000, False)
    assert "good" not in repr(run)


def test_a_scheduled_job_of_the_default_branch_has_no_request() -> None:
    plain = {name: "" for name in job("x") if "MERGE_REQUEST" in name}
    run = started("https://gitlab.example.org/api/v4", **plain, CI_PIPELINE_SOURCE="schedule")
    assert (run.event, run.request, run.base_branch, run.commit, run.fork) == ("schedule", None, "", SHA, False)


def test_a_fork_is_told_by_its_project_and_writes_nothing(server: Gitlab) -> None:
    run = started(server.url, CI_MERGE_REQUEST_SOURCE_PROJECT_ID="9", CI_PROJECT_ID="9")
    found = deliver(run)
    assert {item.status for item in found.values()} == {"skipped"}
    assert "fork" in found["comment"].detail
    assert server.writes() == []
    assert [item.available for item in gitlab.capabilities(run, gitlab.connect(run))] == [False, False]


@pytest.mark.parametrize("name", ["CI_API_V4_URL", "CI_COMMIT_SHA", "CI_PIPELINE_ID", "CI_PROJECT_ID"])
def test_a_job_without_its_variables_is_refused(name: str) -> None:
    changes = {name: "", "CI_MERGE_REQUEST_PROJECT_ID": ""}
    with pytest.raises(UsageError, match=name):
        started("https://gitlab.example.org/api/v4" if name != "CI_API_V4_URL" else "", **changes)


@pytest.mark.parametrize(
    ("name", "value"),
    [("CI_PIPELINE_ID", "latest"), ("CI_JOB_ID", "9" * 5_000), ("CI_MERGE_REQUEST_PROJECT_ID", "5/../6"),
     ("CI_COMMIT_SHA", "main"), ("CI_COMMIT_SHA", SHA + "/../x"),
     *((name, value) for name in ("CI_API_V4_URL", "CI_JOB_URL", "CI_MERGE_REQUEST_PROJECT_URL")
       for value in ("javascript:alert(1)", "https://gitlab.example.org/?x=", "https://user@gitlab.example.org"))],
    ids=lambda value: value[:30],
)  # fmt: skip
def test_a_variable_that_could_lead_elsewhere_is_refused(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is no (number|commit|address)"):
        started("https://gitlab.example.org/api/v4", **{name: value})


@pytest.mark.parametrize("below", ["", "/git/lab"])
def test_five_runs_make_one_note(below: str) -> None:
    with serve(below) as server:
        for number in range(100, 105):
            found = deliver(started(server.url, CI_PIPELINE_ID=str(number)))
            assert (found["comment"].status, found["check"].status) == ("delivered", "delivered")
        assert len(server.notes) == 1
        assert "run 104.1000 " in server.ours()[0]
        assert "selection rate differs by race" in server.ours()[0]
        assert (
            found["comment"].url == f"https://gitlab.example.org/bank/loans/-/merge_requests/2#note_{min(server.notes)}"
        )
        assert {status["status"] for status in server.statuses.values()} == {"failed"}
        assert [key[2] for key in server.statuses] == [100, 101, 102, 103, 104]


def test_the_same_run_again_changes_nothing(server: Gitlab) -> None:
    run = started(server.url)
    deliver(run)
    server.asked.clear()
    found = deliver(run)
    assert (found["comment"].status, found["check"].status) == ("unchanged", "unchanged")
    assert server.writes() == ["post"]


def test_the_note_is_found_among_350_of_others(server: Gitlab) -> None:
    for place in range(350):
        server.add_note(f"note {place}", system=place % 9 == 0)
    stolen = server.add_note("<!-- ml-compliance loans run 999.1 of  -->\nby somebody else")["body"]
    deliver(started(server.url))
    deliver(started(server.url, CI_PIPELINE_ID="101"))
    assert len(server.notes) == 352
    assert len(server.ours()) == 1
    assert stolen in [note["body"] for note in server.notes.values()]


def test_two_gates_of_one_request_have_two_notes(server: Gitlab) -> None:
    for name in ("loans", "cards", "loans", "cards --> run 999.9 of"):
        deliver(started(server.url), name=name)
    assert len(server.ours()) == 3


def test_notes_of_older_runs_are_removed(server: Gitlab) -> None:
    for number in (90, 95, 92):
        server.add_note(f"<!-- ml-compliance loans run {number}.1 of {HEAD} -->\nold", BOT)
    deliver(started(server.url))
    assert len(server.ours()) == 1
    assert "run 100.1000 " in server.ours()[0]


def test_an_older_pipeline_never_overwrites_a_newer(server: Gitlab) -> None:
    deliver(started(server.url, CI_PIPELINE_ID="200"), reports.allowed())
    before = server.ours()
    found = deliver(started(server.url, CI_PIPELINE_ID="150"))
    assert (found["comment"].status, server.ours()) == ("skipped", before)
    assert "pipeline 200 is newer" in found["comment"].detail


def test_racing_runs_leave_one_note_of_the_newest(server: Gitlab) -> None:
    together = threading.Barrier(4)

    def wait(method: str, path: str) -> None:
        """Let nobody write before everybody has seen that there is nothing."""
        if method == "post":
            together.wait(10)

    server.before = wait
    runs = [started(server.url, CI_PIPELINE_ID=str(number)) for number in range(100, 104)]
    threads = [threading.Thread(target=deliver, args=(run,), kwargs={"check": False}) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.ours()) == 1
    assert "run 103.1000 " in server.ours()[0]


def test_an_older_run_that_writes_last_does_not_stay(server: Gitlab) -> None:
    server.add_note("<!-- ml-compliance loans run 90.1 of bbb -->\nold", BOT)
    newer = started(server.url, CI_PIPELINE_ID="103")

    def overtake(method: str, path: str) -> None:
        """The older run has looked and is about to write: now the newer one looks, writes and looks again."""
        if method == "post":
            server.before = lambda method, path: None
            assert deliver(newer, check=False)["comment"].status == "delivered"

    server.before = overtake
    found = deliver(started(server.url, CI_PIPELINE_ID="102"), check=False)
    assert found["comment"].status == "skipped"
    assert len(server.ours()) == 1
    assert "run 103.1000 " in server.ours()[0]


def test_the_same_run_edits_its_note_when_the_report_is_another(server: Gitlab) -> None:
    run = started(server.url)
    deliver(run)
    (note,) = server.notes
    assert deliver(run, reports.allowed())["comment"].status == "delivered"
    assert list(server.notes) == [note]
    assert "ALLOWED" in server.ours()[0]


def test_a_dry_run_sends_nothing_and_tells_what_it_would(server: Gitlab) -> None:
    api = Planned()
    found = gitlab.deliver(reports.denied(), started(server.url), api, Wish("loans"))
    assert [item.status for item in found] == ["planned", "planned"]
    assert [item["method"] for item in api.requests if item["method"] != "GET"] == ["POST", "POST"]
    for item in api.requests:
        valid(operation(item["method"].lower(), item["path"].split("?")[0])[1].get("body"), item["body"])
    assert server.asked == []


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_passing_error_is_asked_again(server: Gitlab, status: int) -> None:
    server.faults = [(status, {"Retry-After": "0"})]
    found = deliver(started(server.url))
    assert (found["comment"].status, len(server.ours())) == ("delivered", 1)


def test_an_error_that_stays_is_reported_and_writes_nothing(server: Gitlab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    server.faults = [(503, {"Retry-After": "0"})] * 12
    found = deliver(started(server.url))
    assert {item.status for item in found.values()} == {"failed"}
    assert "503" in found["comment"].detail
    assert server.notes == {}


def test_an_answer_that_is_no_json_is_an_error(server: Gitlab) -> None:
    server.faults = [(200, {"X-Text": "<html>a proxy</html>"})]
    assert deliver(started(server.url), check=False)["comment"].status == "failed"
    assert server.notes == {}


def test_waiting_has_an_end(server: Gitlab, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    server.faults = [(429, {"Retry-After": "86400"})]
    deliver(started(server.url))
    assert max(slept) == 60


@pytest.mark.parametrize(
    ("token", "told"),
    [("bad", "401"), ("reader", "403"), ("", "may read notes but neither write them")],
)
def test_a_token_that_may_not_write_is_told_what_is_needed(server: Gitlab, token: str, told: str) -> None:
    run = started(server.url, GITLAB_TOKEN=token)
    for item in deliver(run).values():
        assert item.status == ("failed" if token else "skipped")
        assert told in item.detail
        assert "project access token with the role Developer and the scope api" in item.detail
        assert "Bearer" not in item.detail
    assert server.notes == {}
    for capability in gitlab.capabilities(run, gitlab.connect(run)):
        assert not capability.available
        assert "GITLAB_TOKEN" in capability.reason + capability.remedy


def test_a_good_token_can_do_everything(server: Gitlab) -> None:
    run = started(server.url)
    assert all(item.available for item in gitlab.capabilities(run, gitlab.connect(run)))


def test_an_unknown_project_is_reported(server: Gitlab) -> None:
    found = deliver(started(server.url, CI_MERGE_REQUEST_PROJECT_ID="6", CI_MERGE_REQUEST_SOURCE_PROJECT_ID="6"))
    assert {item.status for item in found.values()} == {"failed"}
    assert "404" in found["check"].detail


def test_an_instance_that_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with serve() as server:
        run = started(server.url)
    found = deliver(run, comment=False)
    assert found["check"].status == "failed"
    assert set(found) == {"check"}
