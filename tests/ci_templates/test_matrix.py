"""The pipeline for several models, as it stands in docs/gitlab.md: a matrix of gates, and one verdict of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests import project
from tests.ci_templates import consumer as example
from tests.ci_templates.consumer import ROOT, Consumer, Pipeline
from tests.platforms.gitlab_server import gitlab

SECTION = (ROOT / "docs" / "gitlab.md").read_text(encoding="utf-8").split("\n## Several models", 1)[1]


def documented() -> str:
    found = re.search(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def consumer(tmp_path: Path) -> Consumer:
    """Two models that are allowed, each in a folder of its own."""
    made = example.make(tmp_path)
    for part in ("loans", "cards"):
        (made.folder / "models" / part).mkdir(parents=True)
        project.make(made.folder / "models" / part)
        # Two models that are the same in all, judged in the same second, would have the same decision.
        made.write(f"models/{part}/compliance.yaml", project.FACTS.replace("loans", part))
        made.write(f"models/{part}/compliance_policy.yaml", project.LAW.replace("loans", part))
    made.write(".gitignore", ".gitlab-ci-local/\n")
    made.write(".gitlab-ci.yml", documented())
    return made


def run(consumer: Consumer, *words: str) -> tuple[Pipeline, dict[str, object]]:
    """The pipeline, and the report of all parts."""
    done = consumer.run(*words)
    return done, json.loads(done.artifact("collect", "report.json"))


def verdicts(report: dict[str, object]) -> dict[str, str]:
    parts = report["parts"]
    assert isinstance(parts, list)
    return {part["name"]: part["verdict"] for part in parts}


def test_both_parts_are_allowed_and_there_is_one_note_and_one_status(consumer: Consumer) -> None:
    with gitlab() as server:
        done, report = run(consumer, *example.merge_request(server.url))
    assert done.code == 0, done.log
    assert verdicts(report) == {"loans": "allowed", "cards": "allowed"}
    (note,) = server.ours()
    assert "| `loans` | ALLOWED |" in note
    assert "| `cards` | ALLOWED |" in note
    (status,) = server.statuses.values()
    assert (status["name"], status["status"]) == ("ml-compliance: models", "success")


def test_one_part_that_is_denied_denies_the_whole(consumer: Consumer) -> None:
    consumer.write("models/cards/compliance_policy.yaml", project.LAW.replace("loans", "cards").replace("0.7", "0.9"))
    done, report = run(consumer)
    assert done.code == 1, done.log
    assert verdicts(report) == {"loans": "allowed", "cards": "denied"}
    assert done.verdict("collect", "report.json") == "denied"
    (issue,) = json.loads(done.artifact("collect", "codequality.json"))
    assert issue["location"]["path"] == "models/cards/compliance_policy.yaml"


def test_a_part_that_left_nothing_is_missed(consumer: Consumer) -> None:
    consumer.write("models/cards/compliance.yaml", project.FACTS + "unknown: 1\n")
    done, report = run(consumer)
    assert done.code != 0
    assert verdicts(report) == {"loans": "allowed", "cards": "not_evaluated"}
    assert done.verdict("collect", "report.json") == "not_evaluated"
    assert "part cards: parts/cards: report.json: there is no such file" in " ".join(done.log.split())
