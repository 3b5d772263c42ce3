"""Pipes, devices, texts that are none, and names that cannot be: one message and exit code 2, and no endless wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ml_compliance.authoring import example, judges
from ml_compliance.authoring.check import check
from ml_compliance.errors import EvaluationError
from ml_compliance.tools import pinned, read_lock
from tests.decide.opa_server import opa
from tests.decide.test_bundle import OWN

__all__ = ["opa"]

SECONDS = 60
LONG = "a" * 300


def run(folder: Path, *words: str) -> tuple[int, str]:
    """The program in `folder`, as a process: what hangs in a system call is not waited for."""
    done = subprocess.run([sys.executable, "-m", "ml_compliance.cli", *words], cwd=folder, capture_output=True,
                          text=True, timeout=SECONDS, check=False)  # fmt: skip
    return done.returncode, done.stderr


def refused(folder: Path, named: str, *words: str) -> None:
    code, said = run(folder, *words)
    assert (code, "this is a bug" in said) == (2, False), said
    assert named in said
    assert "→" in said


def no_programs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing on PATH that an installation would be content with."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS", str(folder))


@pytest.mark.parametrize(("command", "name"), [
    ("build", "p.rego"), ("build", "own/data.json"), ("check", "p.rego"), ("test", "p.rego"),
])  # fmt: skip
def test_a_pipe_among_policies_is_refused(command: str, name: str, tmp_path: Path, opa: str) -> None:
    folder = tmp_path / "policy"
    (folder / "own").mkdir(parents=True)
    (folder / "own" / "deploy.rego").write_text(OWN)
    os.mkfifo(folder / name)
    refused(tmp_path, f"policy/{name}: this is no plain file", "policy", command, "policy")


@pytest.mark.parametrize("command", ["build", "check"])
def test_a_program_is_no_policy(command: str, tmp_path: Path, opa: str) -> None:
    refused(tmp_path, f"{sys.executable}: the policy is no UTF-8 text", "policy", command, sys.executable)


@pytest.mark.parametrize("command", ["build", "check"])
def test_a_mistake_in_a_policy_is_one_of_usage(command: str, tmp_path: Path, opa: str) -> None:
    (tmp_path / "p.rego").write_text("package mlpolicy.deploy\nallow if {\n")
    refused(tmp_path, "p.rego:3", "policy", command, "p.rego")


@pytest.mark.parametrize("words", [
    ("init", LONG), ("policy", "check", LONG), ("policy", "test", LONG),
    ("tools", "install", "trivy", "--mirror", LONG), ("tools", "list", "--lock", LONG), ("gate", "--config", LONG),
])  # fmt: skip
def test_a_name_that_is_too_long_is_told(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_programs(tmp_path / "bin", monkeypatch)
    refused(tmp_path, LONG, *words)
    assert [path.name for path in tmp_path.iterdir() if path.name != "bin"] == []


def test_an_endless_policy_is_given_up(tmp_path: Path, opa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "p.rego"
    policy.write_text("package mlpolicy.deploy\ndefault allow := false\n"
                      "allow if { some i in numbers.range(1, 1000000000); i < 0 }\n")  # fmt: skip
    monkeypatch.setattr(judges, "_SECONDS_OF_ONE", 1)
    with pytest.raises(EvaluationError, match="`opa eval` gave no answer within 1 s") as error:
        check(policy, [example.submission()], example.law())
    assert "make the policy go through less" in error.value.remedy


@pytest.mark.parametrize(
    "mirror", ["http://[", "ftp://example.org", "http://example.org:port", "https:///x", "HTTP://["]
)
def test_an_address_that_is_none_is_refused(mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_programs(tmp_path / "bin", monkeypatch)
    refused(tmp_path, "this is no address to download from", "tools", "install", "trivy", "--mirror", mirror)


def test_a_mirror_of_pipes_and_an_endless_lock_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_programs(tmp_path / "bin", monkeypatch)
    os.mkfifo(tmp_path / pinned("trivy", read_lock()).url.rsplit("/", 1)[1])
    refused(tmp_path, "this is no plain file", "tools", "install", "trivy", "--mirror", ".")
    refused(tmp_path, "/dev/zero: this is no plain file", "tools", "install", "trivy", "--lock", "/dev/zero")
