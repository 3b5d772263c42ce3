"""A change set may not say first where secrets of the environment go, nor who decides."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ml_compliance.destinations import destinations
from tests import project as example
from tests.decide.opa_server import answering
from tests.project import FACTS, Project, Result
from tests.test_preregistration import event, git, inside, submodule

SERVER = "server: {url: 'http://127.0.0.1:1', token_env: OPA_TOKEN}\n"
TOKENS = {"MLFLOW_TRACKING_TOKEN": "t", "TRIVY_PASSWORD": "p", "PGPASSWORD": "p"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project on a branch, whose facts name a server on `main` already."""
    for name in ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "GITHUB_EVENT_NAME", *TOKENS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPA_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    project = example.make(tmp_path)
    project.write(".gitignore", "out/\n")
    project.write("compliance.yaml", FACTS + SERVER)
    git(project.folder, "init", "-q", "-b", "main")
    git(project.folder, "add", ".")
    git(project.folder, "commit", "-q", "-m", "start")
    git(project.folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    return project


def _gate(project: Project, *words: str) -> Result:
    return project.run("gate", *words, engine=False)


MOVED = [
    (SERVER.replace(":1'", ":2'"), "server: url http://127.0.0.1:2 is new"),
    (SERVER.replace("OPA_TOKEN", "AWS_SECRET_ACCESS_KEY"), "server: token_env AWS_SECRET_ACCESS_KEY is new"),
    (SERVER.replace("}", ", ca: evil.pem}"), "server: ca evil.pem is new"),
]


@pytest.mark.parametrize(("server", "cause"), MOVED)
@pytest.mark.parametrize("words", [("gate",), ("decide",)], ids=" ".join)
def test_a_server_that_the_change_set_names_first_is_not_asked(
    words: tuple[str, ...], server: str, cause: str, project: Project
) -> None:
    project.write("compliance.yaml", FACTS + server)
    result = project.run(*words, engine=False)
    assert result.code == 2
    assert "compliance.yaml:9: " in result.err
    assert cause in result.err
    assert "--opa-url" in result.err
    assert not (project.out / "decision.json").exists()


def test_a_server_of_the_base_is_asked(project: Project) -> None:
    assert _gate(project).code == 3  # nobody listens there, and it was tried
    assert "cannot be reached" in (project.out / "decision.json").read_text()


def test_an_outdated_branch_is_compared_with_where_it_parted(project: Project) -> None:
    git(project.folder, "checkout", "-q", "-b", "elsewhere")
    project.write("compliance.yaml", FACTS)
    git(project.folder, "commit", "-q", "-am", "without a server")
    git(project.folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(project.folder, "checkout", "-q", "main")
    assert _gate(project).code == 3


def test_the_command_line_names_the_server_and_not_what_it_is_sent(project: Project) -> None:
    project.write("compliance.yaml", FACTS + SERVER.replace(":1'", ":2'"))
    assert _gate(project, "--opa-url", "http://127.0.0.1:1").code == 3
    project.write("compliance.yaml", FACTS + MOVED[1][0])
    result = _gate(project, "--opa-url", "http://127.0.0.1:1")
    assert (result.code, "token_env AWS_SECRET_ACCESS_KEY is new" in result.err) == (2, True)


def test_the_server_of_the_command_line_decides_whatever_engine_the_facts_name(project: Project) -> None:
    project.write("compliance.yaml", FACTS + "engine: embedded\n")
    assert _gate(project).code == 0
    with answering(500, lambda: [b"{}"]) as url:
        assert _gate(project, "--opa-url", url).code == 3


def test_a_history_that_is_not_there_shows_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_BASE_REF", "gone")
    result = _gate(project)
    assert result.code == 2
    assert "whether this change set moved server is not known" in result.err
    assert "fetch-depth: 0" in result.err
    project.write("compliance.yaml", FACTS)
    assert _gate(project).code == 0


def test_elsewhere_than_in_a_change_set_nothing_is_compared(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_BASE_REF")
    project.write("compliance.yaml", FACTS + MOVED[0][0])
    assert _gate(project).code == 3


def test_what_a_merge_queue_has_not_merged_yet_names_no_server(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also not by what waits before it: a group is built on those, and they may fail."""
    monkeypatch.delenv("GITHUB_BASE_REF")
    project.write("compliance.yaml", FACTS + MOVED[0][0])
    git(project.folder, "commit", "-q", "-am", "the group before it")
    git(project.folder, "commit", "-q", "--allow-empty", "-m", "its own change")
    before = subprocess.run(["git", "-C", str(project.folder), "rev-parse", "HEAD^"], check=True, capture_output=True)
    event(monkeypatch, tmp_path, "merge_group", {
        "merge_group": {"base_sha": before.stdout.decode().strip(), "base_ref": "refs/heads/main"}})  # fmt: skip
    result = _gate(project)
    assert result.code == 2
    assert MOVED[0][1] in result.err
    event(monkeypatch, tmp_path, "merge_group", {"merge_group": {"base_ref": "refs/heads/gone"}})
    assert "whether this change set moved server is not known: origin/gone" in _gate(project).err


def test_facts_in_a_submodule_are_not_compared_with_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    monkeypatch.setenv("OPA_TOKEN", "secret")
    project = inside(tmp_path)
    project.write("compliance.yaml", FACTS + SERVER)
    submodule(project.folder.parent, "model")
    git(project.folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    result = _gate(project)
    assert result.code == 2
    assert "whether this change set moved server is not known: origin/main: compliance.yaml is in a git" in result.err


def test_an_event_that_does_not_say_its_base_is_no_run_without_one(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_BASE_REF")
    project.write("compliance.yaml", FACTS + MOVED[0][0])
    event(monkeypatch, tmp_path, "merge_group", {"merge_group": {}})
    result = _gate(project)
    assert result.code == 2
    assert "the event merge_group does not say into which branch it will be merged" in result.err
    assert "--base" in result.err
    assert not (project.out / "decision.json").exists()


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"data": {"backend": "postgres://$USER:$PASSWORD@db/x"}}, "data.backend"),
        ({"data": {"backend": "postgres://db/x"}}, "data.backend"),
        ({"model": {"tracking_uri": "https://mlflow.example.org"}}, "model.tracking_uri"),
        ({"image": {"name": "registry.example.org/credit@sha256:0"}}, "image.name"),
    ],
)
def test_what_is_sent_secrets_beside_a_server(facts: dict[str, object], named: str) -> None:
    ((key, known),) = destinations(facts, TOKENS).items()
    assert key == named
    assert destinations(facts, {}) == ({named: known} if "$" in str(facts) else {})


def test_what_a_scan_knows_is_for_the_base_to_say() -> None:
    databases = {"scanner": {"databases": ["registry.example.org/trivy-db:2"]}}
    assert set(destinations(databases, {})) == {"scanner"}
    assert destinations(databases, TOKENS)["image.name"] == {"registry.example.org"}
    cached = destinations({"scanner": {"cache": "here", "offline": True, "timeout": 9}}, {})
    assert cached == {"scanner": {"cache here", "offline True"}}


def test_a_scanner_that_the_change_set_moves_is_not_used(project: Project) -> None:
    project.write("compliance.yaml", FACTS + SERVER + "scanner: {cache: brought-along, offline: true}\n")
    result = _gate(project)
    assert result.code == 2
    assert "compliance.yaml:10: scanner: cache brought-along, offline True is new in this change set" in result.err


def test_what_is_sent_none() -> None:
    facts = {"data": {"backend": "pyspark://?spark.master=local[2]"}, "server": {"timeout": 3}, "model": "x"}
    assert destinations(facts, {}) == {}


def test_another_image_of_the_same_registry_is_no_other_destination() -> None:
    names = ("registry.example.org/credit@sha256:0", "registry.example.org/loans:2", "localhost:5000/x", "alpine")
    found = [destinations({"image": {"name": name}}, TOKENS)["image.name"] for name in names]
    assert found == [{"registry.example.org"}, {"registry.example.org"}, {"localhost:5000"}, {"docker.io"}]
