"""A task publishes what it has judged: by the same options it finds the law that it judged by, and by no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from ml_compliance import entry_points
from tests import project as example
from tests.platforms.gitlab_server import Gitlab
from tests.platforms.gitlab_server import gitlab as serve
from tests.platforms.test_gitlab import job
from tests.project import Project

STRICT = ("--min-accuracy", "0.85")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return example.make(tmp_path)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gitlab]:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    with serve() as instance:
        for name, value in job(instance.url).items():
            monkeypatch.setenv(name, value)
        yield instance


def run(project: Project, task: click.Command, *words: str) -> Result:
    places = ["--config", str(project.folder / "compliance.yaml"), "--out", str(project.out)]
    return CliRunner().invoke(task, [*places, *words])


def test_what_a_task_judged_is_published_under_its_name(project: Project, server: Gitlab) -> None:
    assert run(project, entry_points.validate_model, *STRICT).exit_code == 1
    before = (project.out / "decision.json").read_bytes()
    assert server.asked == []
    done = run(project, entry_points.validate_model, *STRICT, "--post", "accuracy")
    assert done.exit_code == 0, done.stderr
    (note,) = server.ours()
    assert note.startswith("<!-- ml-compliance accuracy run ")
    assert "--min-accuracy" in note
    (status,) = server.statuses.values()
    assert (status["name"], status["status"]) == ("ml-compliance: accuracy", "failed")
    assert (project.out / "decision.json").read_bytes() == before


def test_what_was_judged_by_other_options_is_not_published(project: Project, server: Gitlab) -> None:
    run(project, entry_points.validate_model, *STRICT)
    done = run(project, entry_points.validate_model, "--post", "accuracy")
    assert done.exit_code == 2
    assert "by another law" in done.stderr
    assert server.asked == []


def test_without_a_decision_there_is_nothing_to_publish(project: Project, server: Gitlab) -> None:
    done = run(project, entry_points.fairness_report, "--post", "fairness")
    assert done.exit_code == 2
    assert "there is no such file" in done.stderr
    assert server.asked == []


@pytest.mark.parametrize(("word", "notes", "statuses"), [("--no-comment", 0, 1), ("--no-check", 1, 0)])
def test_either_can_be_left_out(project: Project, server: Gitlab, word: str, notes: int, statuses: int) -> None:
    assert run(project, entry_points.fairness_report).exit_code == 0
    assert run(project, entry_points.fairness_report, "--post", "fairness", word).exit_code == 0
    assert (len(server.ours()), len(server.statuses)) == (notes, statuses)


def test_what_could_not_be_published_is_told(project: Project, server: Gitlab) -> None:
    server.tokens = {"good": ("read_api",)}
    assert run(project, entry_points.fairness_report).exit_code == 0
    done = run(project, entry_points.fairness_report, "--post", "fairness", "--json")
    assert done.exit_code == 3
    found = {item["name"]: item["status"] for item in json.loads(done.stdout)["deliveries"]}
    assert (found["comment"], found["check"]) == ("failed", "failed")
