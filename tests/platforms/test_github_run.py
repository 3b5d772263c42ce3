"""What a run is about, and what the runner takes without a token."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.errors import UsageError
from ml_compliance.platforms import Run, Wish, _github_runner
from ml_compliance.platforms import github as platform
from ml_compliance.platforms._github_limits import COMMANDS, SUMMARY
from tests.platforms.github_server import BASE, HEAD, REPOSITORY, GitHub
from tests.publish import reports

PULL = {"number": 7, "head": {"sha": HEAD, "repo": {"full_name": REPOSITORY}}, "base": {"sha": BASE, "ref": "main"}}
FIRST = {"id": 55, "run_attempt": 2, "head_sha": HEAD, "head_branch": "feature", "event": "pull_request",
         "head_repository": {"full_name": "mallory/loans", "owner": {"login": "mallory"}}}  # fmt: skip


def environment(folder: Path, name: str, event: Any) -> dict[str, str]:
    path = folder / "event.json"
    path.write_text(event if isinstance(event, str) else json.dumps(event), encoding="utf-8")
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path),
            "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_SHA": "c" * 40, "GITHUB_RUN_ID": "900",
            "GITHUB_RUN_ATTEMPT": "3", "GITHUB_API_URL": "https://ghes.example/api/v3"}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "event", "expected"),
    [
        ("pull_request", {"pull_request": PULL}, (HEAD, 7, BASE, "main", False, 900)),
        ("pull_request", {"pull_request": {**PULL, "head": {"sha": HEAD, "repo": None}}},
         (HEAD, 7, BASE, "main", True, 900)),
        ("merge_group", {"merge_group": {"head_sha": HEAD, "base_sha": BASE, "base_ref": "refs/heads/main"}},
         (HEAD, None, BASE, "main", False, 900)),
        ("push", {}, ("c" * 40, None, "", "", False, 900)),
        ("workflow_dispatch", {}, ("c" * 40, None, "", "", False, 900)),
        ("workflow_run", {"workflow_run": FIRST}, (HEAD, None, "", "", True, 55)),
    ],
)  # fmt: skip
def test_a_run_is_about_the_head_that_people_look_at(tmp_path: Path, name: str, event: Any, expected: Any) -> None:
    run = platform.read_run(environment(tmp_path, name, event))
    assert (run.commit, run.request, run.base, run.base_branch, run.fork, run.number) == expected
    assert run.api == "https://ghes.example/api/v3"


@pytest.mark.parametrize(
    "event",
    ["", "[]", "{", {}, {"pull_request": None}, {"pull_request": {**PULL, "number": "x"}},
     {"pull_request": {**PULL, "head": {"sha": "main; rm", "repo": None}}}],
)  # fmt: skip
def test_an_event_that_is_none_is_the_users_mistake(tmp_path: Path, event: Any) -> None:
    with pytest.raises(UsageError, match=r"event\.json"):
        platform.read_run(environment(tmp_path, "pull_request", event))


@pytest.mark.parametrize("name", ["GITHUB_EVENT_PATH", "GITHUB_RUN_ID", "GITHUB_REPOSITORY"])
def test_a_variable_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    environ = environment(tmp_path, "push", {})
    del environ[name]
    with pytest.raises(UsageError, match=name):
        platform.read_run(environ)


def statuses(run: Run, wish: Wish) -> dict[str, tuple[str, str]]:
    found = platform.deliver(reports.denied(), run, platform.connect(run), wish)
    return {item.name: (item.status, item.detail) for item in found}


def test_a_fork_gets_what_needs_no_token(github: GitHub, run: Run, wish: Wish) -> None:
    found = statuses(replace(run, fork=True), wish)
    assert {name: status for name, (status, _) in found.items()} == {
        "comment": "skipped", "check": "skipped", "summary": "delivered", "outputs": "delivered",
        "annotations": "delivered",
    }  # fmt: skip
    assert "workflow_run" in found["comment"][1]
    assert github.seen == []


def test_a_merge_queue_gets_a_check_run_on_its_head_and_no_comment(github: GitHub, run: Run, wish: Wish) -> None:
    queue = replace(run, event="merge_group", request=None, commit="e" * 40)
    found = statuses(queue, wish)
    assert (found["check"][0], found["comment"][0]) == ("delivered", "skipped")
    assert "merge_group is about no pull request" in found["comment"][1]
    assert [check["head_sha"] for check in github.checks.values()] == ["e" * 40]
    assert github.comments == {}


def test_a_permission_that_is_missing_keeps_nothing_else_back(github: GitHub, run: Run, wish: Wish) -> None:
    github.denied.add("/comments")
    found = statuses(run, wish)
    assert found["comment"][0] == "skipped"
    assert "`pull-requests: write`" in found["comment"][1]
    assert found["check"][0] == "delivered"


def test_a_token_that_is_wrong_is_a_failure(run: Run, wish: Wish) -> None:
    found = statuses(replace(run, token="ghs_wrong"), wish)  # noqa: S106
    assert (found["comment"][0], found["check"][0]) == ("failed", "failed")


def test_a_second_workflow_finds_the_request_of_a_fork(github: GitHub, run: Run, wish: Wish) -> None:
    github.pulls[8] = {"number": 8, "head": {"sha": "d" * 40}, "from": "mallory:feature"}
    github.pulls[9] = {"number": 9, "head": {"sha": HEAD}, "from": "mallory:feature"}
    second = replace(run, event="workflow_run", request=None, head="mallory:feature", fork=True)
    assert statuses(second, wish)["comment"][0] == "delivered"
    assert [item["number"] for item in github.comments.values()] == [9]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token": ""}, "no token"),
        ({"token": "ghp_1"}, "personal token"),
        ({"fork": True}, "fork"),
    ],
)
def test_capabilities_say_why_not_and_how(run: Run, changes: dict[str, Any], reason: str) -> None:
    other = replace(run, **changes)
    check = next(item for item in platform.capabilities(other, platform.connect(other)) if item.name == "check")
    assert not check.available
    assert reason in check.reason
    assert check.remedy


def parsed(text: str) -> dict[str, str]:
    """As the runner reads outputs."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, end = line.split("<<", 1)
        found[name] = "\n".join(iter(lambda: next(lines), end))
    return found


def test_outputs_and_summary_are_what_a_workflow_reads(run: Run, wish: Wish) -> None:
    statuses(run, wish)
    found = parsed(Path(run.outputs).read_text())
    assert found["verdict"] == "denied"
    assert (found["violations"], found["exit-code"]) == ("3", "1")
    assert set(found) == {"verdict", "decision-id", "violations", "warnings", "waived", "insufficient", "report-path",
                          "submission-path", "exit-code"}  # fmt: skip
    assert "DENIED" in Path(run.summary).read_text()


def test_a_summary_that_has_no_room_is_told(run: Run) -> None:
    Path(run.summary).write_bytes(b"x" * (SUMMARY - 100))
    assert _github_runner.deliver_summary(reports.denied(), run, dry=False).status == "failed"
    assert Path(run.summary).stat().st_size == SUMMARY - 100


def test_hostile_text_is_no_command_and_no_output(run: Run, wish: Wish) -> None:
    report = reports.hostile()
    for line in _github_runner.commands(report):
        command = re.fullmatch(r"::(error|warning) (file=[^:,]*,line=\d+,)?title=[^:,]*::(.*)", line)
        assert command, line
        assert "::" not in command[3]
        assert "\n" not in line
    _github_runner.deliver_outputs(report, run, wish, dry=False)
    found = parsed(Path(run.outputs).read_text())
    assert set(found) == set(_github_runner.outputs(report, wish))
    assert "\n" not in found["decision-id"]


def test_commands_stay_within_what_a_step_may_give() -> None:
    found = _github_runner.commands(reports.huge())
    assert sum(line.startswith("::error") for line in found) == COMMANDS
