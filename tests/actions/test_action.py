"""The whole gate as an action: by its published name from another repository, and by its path."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ml_compliance.yaml_file import read_yaml
from tests.actions import projects, rig

PUBLISHED = rig.workflow(
    {"uses": "org/ml-compliance@v1", "id": "allowed", "with": {"working-directory": "model"}},
    {"uses": "org/ml-compliance/actions/post-from-fork@v1", "id": "fork",
     "with": {"working-directory": "model", "dry-run": "true"}},
    {"uses": "org/ml-compliance@v1", "id": "broken", "continue-on-error": True,
     "with": {"working-directory": "predictions", "artifact": "broken", "engine": "server",
              "opa-url": "http://127.0.0.1:9"}},
    {"uses": "org/ml-compliance/actions/setup@v1", "id": "setup"},
    {"run": '"$PROGRAM" gate', "id": "direct", "working-directory": "talking",
     "env": {"PROGRAM": "${{ steps.setup.outputs.program }}"}},
    {"uses": "org/ml-compliance@v1", "id": "denied",
     "with": {"working-directory": "predictions", "artifact": "", "out": "elsewhere"}},
)  # fmt: skip
OWN = rig.workflow(
    {"uses": "./", "id": "gate", "with": {"working-directory": "consumer/predictions", "fail-on": "never"}}
)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project, as it would be published."""
    return rig.checkout(tmp_path_factory.mktemp("published") / "ml-compliance")


@pytest.fixture(scope="module")
def published(ours: Path, tmp_path_factory: pytest.TempPathFactory) -> rig.Run:
    """One job in a repository of its own, where four gates run one after the other."""
    scratch = tmp_path_factory.mktemp("consumer")
    projects.write(scratch / "repository")
    projects.talk(scratch / "repository" / "talking")
    rig.repository(scratch / "repository", PUBLISHED)
    return rig.act(scratch / "repository", ours, scratch)


@pytest.mark.parametrize(
    ("step", "code", "result"), [("allowed", "0", "success"), ("denied", "1", "failure"), ("broken", "3", "failure")]
)
def test_the_exit_code_is_an_output_and_decides(published: rig.Run, step: str, code: str, result: str) -> None:
    assert published.outputs(step)["exit-code"] == code
    assert published.result(step) == result


def test_a_denied_model_fails_the_job_on_the_line_of_its_law(published: rig.Run) -> None:
    assert published.code == 1
    annotation = published.annotations("error")[-1]
    assert (annotation["file"], annotation["line"]) == ("predictions/compliance_policy.yaml", "8")
    assert annotation["message"].startswith("demographic_parity_difference by race is 0.191")


@pytest.mark.parametrize(
    ("step", "verdict", "violations", "shown"),
    [("allowed", "allowed", "0", "ALLOWED"), ("denied", "denied", "1", "DENIED"),
     ("broken", "not_evaluated", "0", "NOT EVALUATED")],
)  # fmt: skip
def test_outputs_and_summary_say_the_verdict(
    published: rig.Run, step: str, verdict: str, violations: str, shown: str
) -> None:
    outputs = published.outputs(step)
    assert set(outputs) == set(read_yaml(rig.ROOT / "action.yml", "action.yml").data["outputs"])
    assert (outputs["verdict"], outputs["violations"]) == (verdict, violations)
    assert outputs["report-path"] == f"{outputs['folder']}/report.html"
    assert published.summary(step).startswith(f"### ml-compliance `loans`: {shown}\n")


def test_a_result_of_another_run_is_looked_at_and_shown(published: rig.Run) -> None:
    assert published.result("fork") == "success"


def test_what_a_model_prints_is_no_command_also_without_the_action(published: rig.Run) -> None:
    assert published.result("direct") == "success"
    assert "a model said so" in published.text
    assert published.outputs("direct") == {}
    assert published.summary("direct") == ""
    assert not [one for one in published.annotations("error") if "a model said so" in one["message"]]
    # What came after it was obeyed again.
    assert published.annotations("error")


def test_a_job_installs_once(published: rig.Run) -> None:
    assert published.text.count("ml-compliance: set up in") == 1


def test_the_output_folder_is_uploaded_also_when_nothing_could_be_judged(published: rig.Run) -> None:
    report = json.loads((published.artifacts / "broken" / "report.json").read_text())
    assert report["decision"]["verdict"] == "not_evaluated"


def test_it_works_by_its_path_too(ours: Path, tmp_path: Path) -> None:
    repository = rig.checkout(tmp_path / "repository")
    projects.write(repository / "consumer")
    rig.repository(repository, OWN)
    run = rig.act(repository, ours, tmp_path)
    assert run.code == 0
    assert run.outputs("gate")["exit-code"] == "1"
    assert "exit code 1 fails nothing" in run.annotations("warning")[-1]["message"]


@pytest.mark.parametrize(
    ("code", "fail_on", "ends"),
    [
        ("0", "denied", 0), ("1", "denied", 1), ("2", "denied", 2), ("3", "denied", 3), ("137", "denied", 137),
        ("0", "never", 0), ("1", "never", 0), ("2", "never", 2), ("3", "never", 0), ("137", "never", 137),
        ("", "denied", 3), ("", "never", 3), ("0", "", 2), ("1", "Never", 2),
    ],
)  # fmt: skip
def test_what_fails_a_step(code: str, fail_on: str, ends: int) -> None:
    done = subprocess.run([rig.ROOT / "actions" / "verdict.sh", code, fail_on], capture_output=True, check=False)
    assert done.returncode == ends
