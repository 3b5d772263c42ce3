"""`ml-compliance post` and `doctor`, from the output folder to GitHub."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ml_compliance.cli import main
from ml_compliance.git import git_state
from tests import project
from tests.platforms.github_server import BASE, HEAD, TOKEN, GitHub
from tests.platforms.test_github_run import PULL, environment
from tests.project import Project, Result
from tests.test_preregistration import committed


@pytest.fixture
def gated(tmp_path: Path) -> Project:
    """A project with a decision."""
    made = project.make(tmp_path)
    assert made.run("gate").code == 0
    return made


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = environment(tmp_path, "pull_request", {"pull_request": PULL})
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def online(environ: dict[str, str], api_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITHUB_API_URL", api_url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))


def test_on_a_laptop_nothing_is_posted_and_that_is_said(gated: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    done = gated.run("post")
    assert done.code == 0
    assert "no CI platform" in done.out


def test_everything_arrives(gated: Project, github: GitHub, online: None) -> None:
    done = gated.run("post", "--json")
    assert done.code == 0
    found = {item["name"]: item["status"] for item in json.loads(done.out)["deliveries"]}
    assert set(found) == {"comparison", "comment", "check", "summary", "outputs", "annotations"}
    assert (found["comment"], found["check"]) == ("delivered", "delivered")
    assert len(github.comments) == len(github.checks) == 1
    assert TOKEN not in done.out + done.err


def test_several_gates_have_one_comment_and_one_check(
    gated: Project, github: GitHub, online: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_SHA", git_state(committed(gated).folder).commit)
    assert gated.run("gate").code == 0
    parts = ["--part", f"loans={gated.out}", "--part", f"cards={tmp_path / 'cards'}"]
    words = ["collect", *parts, "--out", str(tmp_path / "all"), "--name", "models"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 3
    (body,), (check,) = github.said(), github.checks.values()
    assert "| `loans` | ALLOWED |" in body
    assert "| `cards` | NOT EVALUATED |" in body
    assert (check["name"], check["conclusion"]) == ("models", "failure")
    # A result of its own: one decision counts for one part.
    result = json.loads((gated.out / "report.json").read_text())
    result["decision"]["id"] = "c" * 64
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "report.json").write_text(json.dumps(result))
    assert CliRunner().invoke(main, words).exit_code == 0
    (body,) = github.said()
    assert body.count("ALLOWED") == 3
    assert [item["conclusion"] for item in github.checks.values()] == ["failure", "success"]


def test_posting_for_a_fork_executes_nothing_and_opens_no_data(
    gated: Project, github: GitHub, online: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under `pull_request_target` the token may write. Only the decision is read, with facts and law."""
    fork = {**PULL, "head": {"sha": HEAD, "repo": {"full_name": "mallory/loans"}}}
    for name, value in environment(tmp_path, "pull_request_target", {"pull_request": fork}).items():
        if name != "GITHUB_API_URL":
            monkeypatch.setenv(name, value)
    (gated.folder / "predictions.csv").unlink()

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("post has started something")

    for place in ("subprocess.Popen", "ml_compliance.gate.Context", "ml_compliance.decide.decide"):
        monkeypatch.setattr(place, refuse)
    done = gated.run("post", "--json")
    assert done.code == 0
    found = {item["name"]: item["status"] for item in json.loads(done.out)["deliveries"]}
    assert (found["comment"], found["check"]) == ("delivered", "delivered")
    assert "ALLOWED" in github.said()[0]


@pytest.mark.parametrize("command", ["post", "doctor"])
@pytest.mark.parametrize("event", ["[" * 100_000, '{"pull_request": null}', '{"pull_request": ' + "7" * 5_000 + "}"])
def test_an_event_that_is_none_is_a_mistake_and_no_bug(
    gated: Project, environ: dict[str, str], command: str, event: str
) -> None:
    Path(environ["GITHUB_EVENT_PATH"]).write_text(event, encoding="utf-8")
    done = gated.run("post") if command == "post" else CliRunner().invoke(main, ["doctor"])
    code, said = (done.code, done.err) if isinstance(done, Result) else (done.exit_code, done.stderr)
    assert code == 2
    assert said.count("event.json: ") == 1
    assert "bug" not in said


def test_what_has_changed_since_the_base_comes_first(gated: Project, github: GitHub, online: None) -> None:
    gated.run("post", "--no-comment")
    (check,) = github.checks.values()
    check["head_sha"] = BASE
    gated.run("post")
    (body,) = github.said()
    assert "0 new, 0 fixed" in body
    assert "0 new, 0 fixed" in (gated.out / "report.md").read_text()


def test_publishing_that_fails_is_told_and_the_decision_stays(
    gated: Project, github: GitHub, online: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_wrong")
    before = (gated.out / "decision.json").read_bytes()
    done = gated.run("post")
    assert done.code == 3
    assert "401" in done.out
    assert (gated.out / "decision.json").read_bytes() == before


def test_a_dry_run_prints_the_same_bytes_and_speaks_to_nobody(
    gated: Project, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a dry run has connected")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    first, second = gated.run("post", "--dry-run"), gated.run("post", "--dry-run")
    assert first.code == 0
    assert first.out == second.out == (gated.out / "requests.json").read_text()
    requests = json.loads(first.out)
    assert all(set(item) == {"method", "path", "body"} for item in requests)
    written = [item["path"].rsplit("/", 1)[-1] for item in requests if item["method"] != "GET"]
    assert written == ["graphql", "check-runs", "comments"]
    assert "per_page=100" in "".join(item["path"] for item in requests)
    # Outputs are sent nowhere, and a later step may ask for them.
    assert re.search(r"^verdict<<.*\nallowed$", (tmp_path / "outputs").read_text(), re.MULTILINE)


def test_doctor_says_what_is_here(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    done = CliRunner().invoke(main, ["doctor", "--json"])
    assert done.exit_code == 0
    found = {item["what"]: item for item in json.loads(done.stdout)}
    assert found["engine embedded"]["available"]
    assert found["platform"]["about"].startswith("github: pull_request")
    assert "github.token" in found["comment"]["remedy"]
