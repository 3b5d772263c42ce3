"""Approvals: read as they are written, with times in one form, beside the model and whoever trained it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.context import Context
from ml_compliance.errors import UsageError
from ml_compliance.facts import Data, Facts, Model, NoSettings
from ml_compliance.measure.approvals import measure
from tests import project as example
from tests.mlflow_store import store

pytestmark = pytest.mark.filterwarnings("ignore:fetch_:DeprecationWarning")

APPROVAL = {
    "model": "linear", "version": "1", "approver": "ada@bank.example", "role": "risk",
    "time": "2026-11-20T12:00:00+02:00", "expires": "2099-01-01T00:00:00Z",
}  # fmt: skip


def approved(folder: Path, *approvals: Any, model: Model | None = None, text: str = "") -> Any:
    (folder / "approvals.yaml").write_text(text or json.dumps({"approvals": approvals}))
    facts = Facts(
        "loans", Data("test.csv", "y"), model or Model(name="linear", version="1"), approvals="approvals.yaml"
    )
    return measure(Context(facts, None, folder, folder / "out"), NoSettings())


def commit(folder: Path, author: str, *names: str) -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", f"user.email={author}", "-C", str(folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("add", *names)
    git("commit", "-qm", "c")
    return git("rev-parse", "HEAD")


def test_times_are_in_utc_and_the_file_has_a_digest(tmp_path: Path) -> None:
    evidence = approved(tmp_path, APPROVAL)
    assert evidence.status == "declared"
    assert evidence.facts["approvals"] == [{**APPROVAL, "time": "2026-11-20T10:00:00Z"}]
    assert evidence.facts["model"] == {"name": "linear", "version": "1"}
    assert [file.path for file in evidence.files] == ["approvals.yaml"]


@pytest.mark.parametrize(
    "name", ["ada\u200b@bank.example", "\u0430da@bank.example", "\uff41da@bank.example", "Jose\u0301"]
)
def test_a_name_that_only_looks_like_another_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="approver: the name has") as error:
        approved(tmp_path, {**APPROVAL, "approver": name})
    assert error.value.where == "approvals.yaml:1"


@pytest.mark.parametrize("name", ["иван@bank.example", "José", "Νίκος 2", "李雷"])
def test_names_in_any_alphabet_are_names(name: str, tmp_path: Path) -> None:
    (found,) = approved(tmp_path, {**APPROVAL, "approver": name}).facts["approvals"]
    assert found["approver"] == name


def test_a_registered_model_has_a_digest_and_its_run_names_the_trainer(tmp_path: Path) -> None:
    evidence = approved(tmp_path, model=Model(uri="models:/linear/1", tracking_uri=store().uri))
    assert evidence.facts["model"]["version"] == "1"
    assert len(evidence.facts["model"]["digest"]) == 64
    assert "run tag mlflow.user" in [trainer["source"] for trainer in evidence.facts["trainers"]]


def test_who_only_approved_is_no_trainer(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    commit(tmp_path, "eve@bank.example", "train.py")
    (tmp_path / "approvals.yaml").write_text(json.dumps({"approvals": [APPROVAL]}))
    commit(tmp_path, "ada@bank.example", "approvals.yaml")
    trainers = approved(tmp_path, APPROVAL).facts["trainers"]
    assert trainers == [{"name": "eve@bank.example", "source": "author of the git commit"}]


def test_nobody_is_known_without_git_and_without_a_model(tmp_path: Path) -> None:
    assert approved(tmp_path, APPROVAL).facts["trainers"] == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"time": "yesterday"}, "no time with an offset"),
        ({"expires": "2026-11-20T10:00:00"}, "no time with an offset"),
        ({"approver": ""}, "approver"),
        ({"aprover": "x"}, "aprover"),
    ],
)
def test_a_mistake_has_its_line(tmp_path: Path, wrong: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        approved(tmp_path, {**APPROVAL, **wrong})
    assert str(raised.value.where).startswith("approvals.yaml:1")


def test_neither_version_nor_digest_is_refused(tmp_path: Path) -> None:
    anything = {key: value for key, value in APPROVAL.items() if key != "version"}
    with pytest.raises(UsageError):
        approved(tmp_path, anything)
    assert approved(tmp_path, {**anything, "digest": "a" * 64}).status == "declared"


LAW = "project: loans\npolicies:\n  - id: four_eyes\n    type: approvals\n    roles: [risk]\n"


def gated(folder: Path, *approvals: dict[str, str]) -> example.Result:
    found = example.make(folder)
    found.write("compliance.yaml", example.FACTS + "model: {name: linear, version: '1'}\napprovals: approvals.yaml\n")
    found.write("compliance_policy.yaml", LAW)
    found.write("approvals.yaml", json.dumps({"approvals": approvals}))
    commit(folder, "eve@bank.example", "compliance.yaml")
    return found.run("gate")


def test_two_people_who_did_not_train_it_are_enough(tmp_path: Path) -> None:
    bob = {**APPROVAL, "approver": "bob@bank.example", "role": "owner"}
    assert gated(tmp_path, APPROVAL, bob).code == 0


@pytest.mark.parametrize(
    "second",
    [
        {"approver": "ADA@bank.example"},
        {"approver": "eve"},
        {"approver": "bob", "version": "2"},
        {"approver": "bob", "expires": "2026-11-21T00:00:00Z"},
        {"approver": "bob", "time": "2098-11-21T00:00:00Z"},
    ],
    ids=["twice", "trainer", "another version", "expired", "not yet"],
)
def test_one_and_a_half_are_not(tmp_path: Path, second: dict[str, str]) -> None:
    result = gated(tmp_path, APPROVAL, {**APPROVAL, **second})
    assert result.code == 1
    assert "1 of 2 required people have approved" in result.out


def test_no_file_is_no_approval(tmp_path: Path) -> None:
    found = example.make(tmp_path)
    found.write("compliance_policy.yaml", LAW)
    result = found.run("gate")
    assert result.code == 1
    assert "no file is named" in result.out
