"""The rules that were agreed on, and whether they moved with the result."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.errors import UsageError
from ml_compliance.law_changes import base_of, law_changes
from ml_compliance.model import LawChanges
from tests import project as example
from tests.project import LAW, Project

OTHER = "sha256:" + "0" * 64


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("GITHUB_BASE_REF", "GITHUB_EVENT_NAME", "CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        monkeypatch.delenv(name, raising=False)
    return example.make(tmp_path)


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, "-C", str(folder), *words], check=True, capture_output=True)


def event(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, said: Any) -> None:
    """What GitHub Actions says of a run that was started by `name`."""
    path = folder / "event.json"
    path.write_text(json.dumps(said), encoding="utf-8")
    monkeypatch.setenv("GITHUB_EVENT_NAME", name)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(path))


def committed(project: Project) -> Project:
    """The project on a branch `change` whose law is still that of `main`."""
    project.write(".gitignore", "out/\n")
    git(project.folder, "init", "-q", "-b", "main")
    git(project.folder, "add", ".")
    git(project.folder, "commit", "-q", "-m", "start")
    git(project.folder, "checkout", "-q", "-b", "change")
    return project


def decision(project: Project) -> Any:
    return json.loads((project.out / "decision.json").read_text())


def digest_of(project: Project) -> str:
    return project.run("policy", "digest").out.strip()


def test_the_rules_that_were_agreed_on_decide(project: Project) -> None:
    agreed = digest_of(project)
    assert project.run("gate", "--policy-digest", agreed).code == 0
    assert decision(project)["rules_digest"] == agreed
    assert json.loads(project.run("policy", "digest", "--json").out) == {"rules_digest": agreed}


def test_other_rules_stop_before_anything_is_measured(project: Project) -> None:
    agreed = digest_of(project)
    assert project.run("gate").code == 0
    project.write("compliance_policy.yaml", LAW.replace("threshold: 0.3", "threshold: 0.31"))
    result = project.run("gate", "--policy-digest", agreed)
    assert result.code == 3
    assert agreed in result.err
    assert digest_of(project) in result.err
    assert [path for path in project.out.rglob("*.json") if path.parent.name != "decisions"] == []


def test_other_rules_decide_nothing(project: Project) -> None:
    project.run("gate")
    result = project.run("decide", "--policy-digest", OTHER)
    assert result.code == 3
    assert "NOT EVALUATED" in result.out
    assert decision(project)["verdict"] == "not_evaluated"
    assert OTHER in decision(project)["errors"][0]


@pytest.mark.parametrize("wrong", ["abc", "sha256:abc", OTHER.upper(), OTHER + "0"])
def test_what_is_no_digest_is_a_mistake(project: Project, wrong: str) -> None:
    result = project.run("gate", "--policy-digest", wrong)
    assert result.code == 2
    assert "is no digest" in result.err


def test_without_a_base_it_says_so(project: Project) -> None:
    result = project.run("gate")
    assert "not compared with what it was before: no base is named" in result.out
    assert decision(project)["law_changes"] == {"base": "", "changes": [], "reason": "no base is named"}


def test_without_a_repository_it_says_so(project: Project) -> None:
    assert project.run("gate", "--base", "main").code == 0
    assert decision(project)["law_changes"]["reason"].startswith("main: fatal: not a git repository")


@pytest.mark.parametrize("base", ["origin/none", "--help"])
def test_a_base_that_does_not_exist_is_named(project: Project, base: str) -> None:
    found = law_changes(committed(project).folder, "compliance_policy.yaml", (), base)
    assert found.reason.startswith(f"{base}: ")
    assert found.changes == ()


def test_thresholds_that_moved_with_the_result_are_shown_everywhere(project: Project) -> None:
    committed(project)
    moved = LAW.replace("threshold: 0.3", "threshold: 0.5").replace("minimum: 0.7", "minimum: 0.75")
    project.write("compliance_policy.yaml", moved)
    git(project.folder, "commit", "-q", "-am", "move")
    project.write("waivers.yaml", "waivers: []\n")
    result = project.run("gate", "--base", "main")
    assert result.code == 0
    changes = decision(project)["law_changes"]["changes"]
    assert [(item["policy"], item["key"], item["old"], item["new"], item["effect"]) for item in changes] == [
        ("accuracy", "minimum", "0.7", "0.75", "tightened"),
        ("parity", "threshold", "0.3", "0.5", "loosened"),
        ("", "", "", "", "changed"),
    ]
    assert changes[-1]["file"] == "waivers.yaml"
    for text in (result.out, *((project.out / f"report.{kind}").read_text() for kind in ("md", "html"))):
        shown = " ".join(text.replace("&#95;", "_").split())
        assert "thresholds moved with the result" in shown
        assert "parity threshold: 0.3 → 0.5" in shown


def test_another_law_that_the_facts_name_is_compared_with_the_one_before(project: Project) -> None:
    committed(project)
    project.write("other.yaml", LAW.replace("minimum: 0.7", "minimum: 0.01").split("  - id: parity")[0])
    project.write("compliance.yaml", f"{example.FACTS}policy: other.yaml\n")
    assert project.run("gate", "--base", "main").code == 0
    changes = [(item["policy"], item["key"], item["effect"]) for item in decision(project)["law_changes"]["changes"]]
    assert ("", "policy", "changed") in changes
    assert ("parity", "", "loosened") in changes
    assert ("accuracy", "minimum", "loosened") in changes


@pytest.mark.parametrize("words", [(), ("--policy", "compliance_policy.yaml")], ids=["facts", "command line"])
@pytest.mark.parametrize(
    ("more", "key"),
    [("measure: {calibration: {bins: 2}}\n", "measure"), ("record: {folder: elsewhere}\n", "record"),
     ("engine: embedded\n", "engine"), ("  reference: predictions.csv\n", "data.reference"),
     ("model: {tracking_uri: 'sqlite:///own.db'}\n", "model.tracking_uri")],
)  # fmt: skip
def test_what_the_facts_say_of_the_rules_is_shown(
    project: Project, more: str, key: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(project)
    monkeypatch.chdir(project.folder)
    project.write("compliance.yaml", example.FACTS + more)
    assert project.run("gate", "--base", "main", *words).code == 0
    changes = decision(project)["law_changes"]["changes"]
    assert [(Path(item["file"]).name, item["key"], item["effect"]) for item in changes] == [
        ("compliance.yaml", key, "changed")
    ]


def test_the_base_that_the_platform_names(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert base_of({"GITHUB_BASE_REF": "main"}) == "origin/main"
    assert base_of({"CI_MERGE_REQUEST_DIFF_BASE_SHA": "abc", "GITHUB_BASE_REF": ""}) == "abc"
    committed(project)
    monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", "main")
    assert "law: unchanged since" in project.run("gate").out


REQUEST = {"pull_request": {"base": {"ref": "release/1"}}}


@pytest.mark.parametrize(
    ("name", "said", "base"),
    [
        ("merge_group", {"merge_group": {"base_ref": "refs/heads/release/1"}}, "origin/release/1"),
        *((name, REQUEST, "origin/release/1") for name in ("pull_request", "pull_request_target",
          "pull_request_review", "pull_request_review_comment")),
        ("push", {"before": "a" * 40}, ""),
        ("workflow_dispatch", {}, ""),
    ],
)  # fmt: skip
def test_the_base_that_only_the_event_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: Any, base: str
) -> None:
    event(monkeypatch, tmp_path, name, said)
    monkeypatch.setenv("GITHUB_BASE_REF", "")
    monkeypatch.delenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", raising=False)
    assert base_of(os.environ) == base


@pytest.mark.parametrize("said", [[], "", {}, {"merge_group": None}, {"merge_group": {"base_ref": 7}},
                                  {"merge_group": {"base_ref": "refs/heads/"}}])  # fmt: skip
def test_a_base_that_the_event_does_not_name_is_a_mistake(tmp_path: Path, said: Any) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(said), encoding="utf-8")
    for place in (str(path), str(tmp_path / "none"), str(tmp_path), ""):
        with pytest.raises(UsageError) as caught:
            base_of({"GITHUB_EVENT_NAME": "merge_group", "GITHUB_EVENT_PATH": place})
        assert (caught.value.where, "--base" in caught.value.remedy) == (place or "GITHUB_EVENT_PATH", True)


def test_the_law_of_a_merge_queue_is_compared(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(project)
    git(project.folder, "update-ref", "refs/remotes/origin/main", "main")
    project.write("compliance_policy.yaml", LAW.replace("threshold: 0.3", "threshold: 0.5"))
    event(monkeypatch, tmp_path, "merge_group", {"merge_group": {"base_ref": "refs/heads/main"}})
    assert project.run("gate").code == 0
    assert [item["effect"] for item in decision(project)["law_changes"]["changes"]] == ["loosened"]


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        ("    minimum: 0.7", "    maximum: 0.9\n    minimum: 0.7", ("maximum", "tightened")),
        ("demographic_parity_difference\n    threshold: 0.3", "demographic_parity_ratio\n    threshold: 0.2",
         ("threshold", "loosened")),
        ("minimum: 0.7", "minimum: 0.6", ("minimum", "loosened")),
        ("[race]", "[sex]", ("sensitive_attributes", "changed")),
        ("  - id: accuracy\n    type: performance\n    metric: accuracy\n    minimum: 0.7\n", "", ("", "loosened")),
        ("policies:", "minimum: {cases: 9}\npolicies:", ("minimum", "changed")),
        ("  - id: parity", "  - {id: new, type: registry}\n  - id: parity", ("", "tightened")),
    ],
)  # fmt: skip
def test_what_a_change_does(project: Project, old: str, new: str, effect: tuple[str, str]) -> None:
    assert old in LAW
    committed(project)
    project.write("compliance_policy.yaml", LAW.replace(old, new))
    found = law_changes(project.folder, "compliance_policy.yaml", (), "main")
    assert effect in {(item.key, item.effect) for item in found.changes}


def test_a_law_that_cannot_be_read_there_is_not_compared(project: Project) -> None:
    project.write("compliance_policy.yaml", "[")
    committed(project)
    project.write("compliance_policy.yaml", LAW)
    assert "this is not YAML" in law_changes(project.folder, "compliance_policy.yaml", (), "main").reason


def submodule(folder: Path, name: str) -> None:
    """Put a repository in the place of the folder `name`, which has all of its files and a `main` of its own."""
    inner, elsewhere = folder / name, folder.parent / "elsewhere"
    git(folder, "rm", "-q", "-r", "--cached", name)
    inner.rename(elsewhere)
    git(elsewhere, "init", "-q", "-b", "main")
    git(elsewhere, "add", ".")
    git(elsewhere, "commit", "-q", "-m", "looks the same")
    git(folder, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(elsewhere), name)
    git(folder, "commit", "-q", "-am", "move")


def inside(folder: Path) -> Project:
    """A repository on a branch `change`, with a project in its folder `model` that `main` has too."""
    (folder / "whole" / "model").mkdir(parents=True)
    project = example.make(folder / "whole" / "model")
    (project.folder / "rules").mkdir()
    project.write("rules/own.rego", "package mlpolicy.own\n")
    whole = project.folder.parent
    git(whole, "init", "-q", "-b", "main")
    git(whole, "add", ".")
    git(whole, "commit", "-q", "-m", "start")
    git(whole, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(whole, "checkout", "-q", "-b", "change")
    return project


def test_what_a_submodule_holds_is_not_compared_with_itself(tmp_path: Path) -> None:
    project = inside(tmp_path)
    submodule(project.folder.parent, "model")
    found = law_changes(project.folder, "compliance_policy.yaml", ("rules",), "main", "compliance.yaml")
    assert found == LawChanges(reason="main: compliance.yaml is in a git submodule")


def test_facts_in_a_submodule_beside_the_law_are_not_compared_either(tmp_path: Path) -> None:
    project = inside(tmp_path)
    project.write("../compliance_policy.yaml", LAW)
    submodule(project.folder.parent, "model")
    found = law_changes(project.folder.parent, "compliance_policy.yaml", (), "main", "model/compliance.yaml")
    assert found == LawChanges(reason="main: model/compliance.yaml is in a git submodule")


def test_a_submodule_that_is_compared_whole_has_changed(tmp_path: Path) -> None:
    project = inside(tmp_path)
    submodule(project.folder.parent, "model/rules")
    found = law_changes(project.folder, "compliance_policy.yaml", ("rules",), "main", "compliance.yaml")
    assert [(item.file, item.effect) for item in found.changes] == [("rules", "changed")]
    within = law_changes(project.folder, "compliance_policy.yaml", ("rules/own.rego",), "main", "compliance.yaml")
    assert within == LawChanges(reason="main: rules/own.rego is in a git submodule")


def test_what_a_submodule_held_was_not_nothing(tmp_path: Path) -> None:
    """Else every limit of the law that takes its place would be said to be a new one."""
    project = inside(tmp_path)
    whole = project.folder.parent
    submodule(whole, "model")
    git(whole, "branch", "-f", "main", "HEAD")
    git(whole, "rm", "-q", "--cached", "model")
    (project.folder / ".git").unlink()
    git(whole, "add", "model")
    git(whole, "commit", "-q", "-m", "a law of its own")
    found = law_changes(project.folder, "compliance_policy.yaml", (), "main", "compliance.yaml")
    assert found == LawChanges(reason="main: compliance.yaml was in a git submodule")


@pytest.mark.parametrize("flag", ["--policy-digest", "--model-uri"])
def test_a_flag_that_is_given_empty_is_a_mistake(flag: str, tmp_path: Path) -> None:
    project = example.make(tmp_path)
    result = project.run("gate", flag, "")
    assert result.code == 2
    assert f"{flag} is given, and empty" in result.err
