"""The same report through GitHub and through GitLab says the same, sink by sink."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.model import Report
from ml_compliance.platforms import Delivery, Run, Wish
from ml_compliance.platforms import github as on_github
from ml_compliance.platforms import gitlab as on_gitlab
from ml_compliance.platforms._github_runner import outputs
from ml_compliance.publish import codequality, dotenv
from ml_compliance.publish._text import terminal
from ml_compliance.publish._view import ordered
from tests.platforms.github_server import GitHub
from tests.platforms.gitlab_server import Gitlab
from tests.platforms.gitlab_server import gitlab as serve
from tests.platforms.test_gitlab import started
from tests.publish import reports

REPORTS: dict[str, Callable[[], Report]] = {
    "allowed": reports.allowed,
    "denied": reports.denied,
    "below a folder": lambda: replace(reports.denied(), folder="models/loans"),
    "not_evaluated": reports.not_evaluated,
    "huge": lambda: reports.huge(900, 50),
    "hostile": reports.hostile,
}


@pytest.fixture
def gitlab() -> Iterator[Gitlab]:
    with serve() as instance:
        yield instance


def on_both(report: Report, run: Run, wish: Wish, url: str, **job: str) -> tuple[dict[str, Delivery], ...]:
    other = started(url, **job)
    found = on_github.deliver(report, run, on_github.connect(run), wish)
    return tuple({item.name: item for item in every}
                 for every in (found, on_gitlab.deliver(report, other, on_gitlab.connect(other), wish)))  # fmt: skip


@pytest.mark.parametrize("name", REPORTS)
def test_comment_and_check_say_the_same(github: GitHub, gitlab: Gitlab, run: Run, wish: Wish, name: str) -> None:
    report = REPORTS[name]()
    for every in on_both(report, run, wish, gitlab.url):
        assert {every[what].status for what in ("comment", "check")} == {"delivered"}
    (comment,), (note,) = github.said(), gitlab.ours()
    assert comment.split("\n", 1)[1] == note.split("\n", 1)[1]
    (check,), (status,) = github.checks.values(), gitlab.statuses.values()
    assert (check["conclusion"], status["status"]) in (("success", "success"), ("failure", "failed"))
    assert check["output"]["title"].replace(":", " ·", 1) == status["description"]


@pytest.mark.parametrize("name", sorted(set(REPORTS) - {"huge"}))
def test_annotations_and_findings_are_the_same_in_the_same_places(
    github: GitHub, gitlab: Gitlab, run: Run, wish: Wish, name: str
) -> None:
    """GitLab has no finding that sets nobody back, so what is waived is in the note alone."""
    report = REPORTS[name]()
    on_both(report, run, wish, gitlab.url)
    (check,) = github.checks.values()
    notes = [item for item in check["annotations"] if item["annotation_level"] != "notice"]
    issues: list[dict[str, Any]] = json.loads(codequality.render(report).text)
    grades = {"failure": False, "warning": True}
    for note, issue in zip(notes, issues, strict=True):
        at = issue["location"]
        # A runner may print the path of an issue, so it is made harmless for a log.
        assert (terminal(note["path"]), note["start_line"]) == (at["path"], at["lines"]["begin"])
        assert grades[note["annotation_level"]] == (issue["severity"] == "info")
        assert html.unescape(issue["description"]).replace("\u200b", "").startswith(note["title"][:150])
    decision = report.decision
    assert len(check["annotations"]) - len(notes) == len(ordered(decision.waived))
    assert len(notes) == len(decision.violations) + len(decision.warnings) + len(decision.insufficient)


@pytest.mark.parametrize("name", sorted(set(REPORTS) - {"hostile"}))
def test_outputs_and_variables_have_the_same_values(name: str) -> None:
    report = REPORTS[name]()
    there = outputs(report, Wish("gate", out=Path("out")))
    here = dict(line.split("=", 1) for line in dotenv.render(report).text.splitlines())
    shared = ("verdict", "decision-id", "violations", "warnings", "waived", "insufficient")
    assert {key: there[key] for key in shared} == {
        key: here[f"ML_COMPLIANCE_{key.upper().replace('-', '_')}"] for key in shared
    }


@pytest.mark.parametrize(
    ("there", "here", "skipped", "told"),
    [
        ({"fork": True}, {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "9"}, {"comment", "check"}, "from a fork"),
        ({"token": ""}, {"GITLAB_TOKEN": ""}, {"comment", "check"}, "token"),
        ({"request": None, "event": "push"}, {"CI_MERGE_REQUEST_IID": ""}, {"comment"}, "request"),
    ],
)
def test_what_is_not_possible_is_skipped_with_its_reason(
    github: GitHub, gitlab: Gitlab, run: Run, wish: Wish, there: dict[str, Any], here: dict[str, str],
    skipped: set[str], told: str,
) -> None:  # fmt: skip
    for every in on_both(reports.denied(), replace(run, **there), wish, gitlab.url, **here):
        assert {name for name in ("comment", "check") if every[name].status == "skipped"} == skipped
        assert all(told in every[name].detail for name in skipped)
    assert not github.comments
    assert not gitlab.notes


def test_an_older_run_is_told_the_same(github: GitHub, gitlab: Gitlab, run: Run, wish: Wish) -> None:
    on_both(reports.allowed(), replace(run, number=200), wish, gitlab.url, CI_PIPELINE_ID="200")
    found = on_both(reports.denied(), run, wish, gitlab.url)
    assert [every["comment"].status for every in found] == ["skipped", "skipped"]
    assert all("200 is newer: its result stays" in every["comment"].detail for every in found)
    assert "ALLOWED" in github.said()[0]
    assert "ALLOWED" in gitlab.ours()[0]
