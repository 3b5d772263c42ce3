"""What a run is about, and what the runner takes without a token."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.errors import UsageError
from ml_compliance.model import Part
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
    text = event if isinstance(event, str | bytes) else json.dumps(event)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
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


def without(event: dict[str, Any], *path: str) -> dict[str, Any]:
    """A copy of `event` with null at the end of `path`."""
    first, *rest = path
    return {**event, first: without(event[first], *rest) if rest else None}


@pytest.mark.parametrize(
    ("name", "event", "told"),
    [
        ("pull_request", "", "this is not JSON: Expecting value"),
        ("pull_request", "{", "this is not JSON"),
        ("pull_request", "[]", "this is not a JSON object"),
        ("pull_request", b"\xff\xfe\x00", "this is not JSON"),
        ("pull_request", "[" * 100_000, "this is not JSON: it is nested too deep"),
        ("pull_request", '{"pull_request": ' * 100_000, "this is not JSON: it is nested too deep"),
        ("pull_request", '{"pull_request": {"number": ' + "7" * 5_000 + "}}", "this is not JSON: Exceeds the limit"),
        ("pull_request", {}, "'pull_request' is a required property"),
        ("pull_request", {"pull_request": {**PULL, "number": "7"}}, "$.pull_request.number: '7' is not of type"),
        ("pull_request", {"pull_request": {**PULL, "number": "7" * 5_000}}, "$.pull_request.number: '777"),
        ("pull_request", {"pull_request": {**PULL, "number": True}}, "$.pull_request.number"),
        ("pull_request", {"pull_request": {**PULL, "number": 10**4_000}}, "$.pull_request.number"),
        *(
            ("pull_request", without({"pull_request": PULL}, "pull_request", *path), f"$.pull_request{at}: None is not")
            for path, at in (((), ""), (("head",), ".head"), (("head", "sha"), ".head.sha"), (("base",), ".base"),
                             (("base", "ref"), ".base.ref"), (("number",), ".number"))
        ),
        ("pull_request", {"pull_request": {**PULL, "head": {"sha": "main; rm", "repo": None}}}, "'main; rm' does not"),
        ("pull_request", {"pull_request": {**PULL, "head": {"sha": HEAD + "\n", "repo": None}}}, "does not match"),
        ("merge_group", {"merge_group": None}, "$.merge_group: None is not"),
        ("workflow_run", {"workflow_run": None}, "$.workflow_run: None is not"),
        ("workflow_run", {"workflow_run": {**FIRST, "head_repository": None}}, "head_repository: None is"),
        ("workflow_run", {"workflow_run": {**FIRST, "id": None}}, "$.workflow_run.id: None is"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_an_event_that_is_none_is_the_users_mistake(tmp_path: Path, name: str, event: Any, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        platform.read_run(environment(tmp_path, name, event))
    said = str(refused.value)
    assert told in said
    assert "event.json: " in said
    assert len(said) < 1_000


def test_a_fork_whose_branch_is_gone_has_no_head(tmp_path: Path) -> None:
    event = {"workflow_run": {**FIRST, "head_branch": None}}
    assert platform.read_run(environment(tmp_path, "workflow_run", event)).head == ""


def test_an_event_file_that_is_none_is_the_users_mistake(tmp_path: Path) -> None:
    environ = environment(tmp_path, "push", {})
    with (tmp_path / "large").open("wb") as file:
        file.truncate(100_000_000)
    for place, told in (("nowhere", "there is no such file"), (".", "no plain file"), ("\0", "null byte"),
                        ("large", "larger than 26,214,400 bytes")):  # fmt: skip
        with pytest.raises(UsageError, match=told):
            platform.read_run({**environ, "GITHUB_EVENT_PATH": str(tmp_path / place)})


NO_ADDRESSES = (
    "javascript:alert(1)", "ftp://api.example.org", "//api.example.org", "https://", "https:///x", "https://a\\b",
    "https://api.example.org/?x=", "https://api.example.org/#x", "https://user:word@api.example.org",
    "https://api.example.org/../x", "https://api.example.org/%2e%2e", "https://api.example.org/a b",
    "https://api.example.org\n", "https://api.example.org:port",
)  # fmt: skip


@pytest.mark.parametrize("url", ["https://ghes.example/api/v3", "http://127.0.0.1:8080", "https://[::1]:443/a/"])
def test_an_address_is_taken_as_it_is(tmp_path: Path, url: str) -> None:
    run = platform.read_run({**environment(tmp_path, "push", {}), "GITHUB_API_URL": url, "GITHUB_SERVER_URL": url})
    assert (run.api, run.url) == (url, f"{url.rstrip('/')}/org/loans/actions/runs/{run.number}")


@pytest.mark.parametrize("name", ["GITHUB_EVENT_PATH", "GITHUB_RUN_ID", "GITHUB_REPOSITORY", "GITHUB_SHA"])
def test_a_variable_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    environ = environment(tmp_path, "push", {})
    del environ[name]
    with pytest.raises(UsageError, match=name):
        platform.read_run(environ)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_REPOSITORY", "loans"), ("GITHUB_REPOSITORY", "org/loans/../../user"), ("GITHUB_REPOSITORY", "../user"),
        ("GITHUB_REPOSITORY", "org/.."), ("GITHUB_REPOSITORY", "org/loans?x=1"), ("GITHUB_REPOSITORY", "org/lo ans"),
        ("GITHUB_REPOSITORY", "org/loans\n"), ("GITHUB_REPOSITORY", "/loans"), ("GITHUB_REPOSITORY", "org//loans"),
        ("GITHUB_SHA", "main"), ("GITHUB_SHA", "c" * 39), ("GITHUB_SHA", "c" * 40 + "\n"), ("GITHUB_SHA", "../" * 20),
        ("GITHUB_RUN_ID", "9" * 5_000), ("GITHUB_RUN_ID", "-1"), ("GITHUB_RUN_ID", "٣"), ("GITHUB_RUN_ID", str(2**63)),
        ("GITHUB_RUN_ATTEMPT", "one"),
        *((name, value) for name in ("GITHUB_SERVER_URL", "GITHUB_API_URL") for value in NO_ADDRESSES),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_variable_that_could_lead_elsewhere_is_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name) as refused:
        platform.read_run({**environment(tmp_path, "push", {}), name: value})
    assert len(str(refused.value)) < 300


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


def test_a_report_of_parts_has_no_submission(wish: Wish) -> None:
    parts = replace(reports.denied(), parts=(Part("loans", "denied"),))
    assert _github_runner.outputs(parts, wish)["submission-path"] == ""
    assert Path(_github_runner.outputs(parts, replace(wish, out=Path("out")))["report-path"]).is_absolute()


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
    _github_runner.deliver_outputs(report, run, wish)
    found = parsed(Path(run.outputs).read_text())
    assert set(found) == set(_github_runner.outputs(report, wish))
    assert "\n" not in found["decision-id"]


def test_commands_stay_within_what_a_step_may_give() -> None:
    found = _github_runner.commands(reports.huge())
    assert sum(line.startswith("::error") for line in found) == COMMANDS
