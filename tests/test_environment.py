"""What a model's code can say to the runner that has started us: nothing, while it runs."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from ml_compliance.environment import unheeded
from tests import project

COMMANDS = ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in COMMANDS:
        monkeypatch.setenv(name, f"/runner/{name}")


def fails() -> None:
    assert not set(COMMANDS) & set(os.environ)
    sys.stdout.write("::error::x")
    raise ZeroDivisionError


def test_nothing_is_obeyed_until_the_end_also_after_a_mistake(runner: None, capsys: pytest.CaptureFixture[str]) -> None:
    ends = []
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), unheeded():
            fails()
        assert {os.environ[name] for name in COMMANDS} == {f"/runner/{name}" for name in COMMANDS}
        said = capsys.readouterr()
        assert said.out == "::error::x"
        match = re.fullmatch(r"::stop-commands::([0-9a-f]{32})\n\n::([0-9a-f]{32})::\n", said.err)
        assert match
        assert match[1] == match[2]
        ends.append(match[1])
    assert ends[0] != ends[1]  # what a model has read in one log opens no other


def test_elsewhere_nothing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    with unheeded():
        pass
    assert capsys.readouterr() == ("", "")


def test_the_gate_says_it_on_stderr_and_keeps_its_json_whole(runner: None, tmp_path: Path) -> None:
    done = project.make(tmp_path).run("gate", "--json")
    assert done.code == 0
    assert done.out.startswith("{\n")
    assert re.search(r"^::stop-commands::", done.err, re.MULTILINE)
    assert re.search(r"^::[0-9a-f]{32}::$", done.err, re.MULTILINE)
