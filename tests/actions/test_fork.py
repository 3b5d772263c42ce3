"""The workflow that the documentation shows for forks, which calls the one that is shipped: a comment, or nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ml_compliance.platforms import _untrusted
from ml_compliance.yaml_file import read_yaml
from tests import project
from tests.actions import rig
from tests.platforms.github_server import HEAD, REPOSITORY
from tests.platforms.test_github_run import FIRST

# Whoever opens a request decides what its run has uploaded; the number and the head are none of it.
PULLS = [{"number": 8, "head": {"sha": "d" * 40}, "from": "mallory:feature"},
         {"number": 9, "head": {"sha": HEAD}, "from": "mallory:feature"}]  # fmt: skip
REFUSED = {"large": "larger than 16,777,216 bytes", "odd": "not a decision that ml-compliance wrote"}


def uploaded(made: project.Project, artifacts: Path) -> None:
    """What the run of the fork has uploaded: a result, and two that are none."""
    assert made.run("gate").code == 0
    for name in ("ml-compliance", *REFUSED):
        shutil.copytree(made.out, artifacts / name)
    shutil.rmtree(made.out)
    with (artifacts / "large" / "model_submission.json").open("ab") as file:
        file.truncate(_untrusted.LARGEST + 1)
    decision = json.loads((artifacts / "odd" / "decision.json").read_text(encoding="utf-8"))
    (artifacts / "odd" / "decision.json").write_text(json.dumps({**decision, "id": "@everyone"}), encoding="utf-8")


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> rig.Run:
    """The documented job, and beside it one that takes what must be refused."""
    scratch = tmp_path_factory.mktemp("fork")
    repository = scratch / "repository"
    repository.mkdir()
    uploaded(project.make(repository), scratch / "artifacts")
    path = rig.repository(repository, rig.shown("docs/github.md", "fork"))
    workflow = dict(read_yaml(path, "fork.yml").data)
    refused = {**workflow["jobs"]["comment"], "name": "Refused", "with": {"artifact": "${{ matrix.artifact }}"},
               "strategy": {"fail-fast": False, "matrix": {"artifact": list(REFUSED)}}}  # fmt: skip
    workflow["jobs"] = {**workflow["jobs"], "refused": refused}
    path.write_text(json.dumps(workflow), encoding="utf-8")
    return rig.act(repository, rig.checkout(scratch / "ours"), scratch, "workflow_run",
                   payload={"workflow_run": FIRST}, pulls=PULLS)  # fmt: skip


def test_the_result_of_a_fork_becomes_one_comment_on_its_request(called: rig.Run) -> None:
    (comment,) = called.github["comments"]
    assert comment["number"] == 9
    assert "ALLOWED" in comment["body"]
    assert f"run {FIRST['id']}.{FIRST['run_attempt']} of {HEAD}" in comment["body"]


def test_a_fork_makes_no_check(called: rig.Run) -> None:
    assert called.github["checks"] == []
    assert not [asked for asked in called.github["asked"] if asked.startswith("POST") and "check-runs" in asked]


@pytest.mark.parametrize("artifact", REFUSED)
def test_what_is_no_result_is_refused(called: rig.Run, artifact: str) -> None:
    assert called.code == 1
    assert REFUSED[artifact] in " ".join(called.text.split())


def test_what_comes_from_a_branch_of_the_repository_is_left_to_its_own_run(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    rig.repository(tmp_path / "repository", rig.shown("docs/github.md", "fork"))
    own = {**FIRST, "head_repository": {"full_name": REPOSITORY, "owner": {"login": "org"}}}
    run = rig.act(tmp_path / "repository", rig.checkout(tmp_path / "ours"), tmp_path, "workflow_run",
                  payload={"workflow_run": own}, pulls=PULLS)  # fmt: skip
    assert run.code == 0
    assert run.github["asked"] == []
    assert "set up in" not in run.text
