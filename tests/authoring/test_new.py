"""`policy new` writes a rule that passes, fails closed and is documented; `policy test` runs what stands beside it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ml_compliance.authoring import example
from ml_compliance.authoring.check import check
from ml_compliance.cli import main
from ml_compliance.decide import Request, decide
from ml_compliance.errors import DENIED, NOT_EVALUATED, USAGE


def _policy(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["policy", *arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written = tmp_path / "policies"
    for name in ("accurate", "fair_enough"):
        done = _policy("new", name, "--dir", str(written))
        assert done.exit_code == 0, done.output
    return written


def test_what_is_written_passes_its_tests_which_cover_all_of_it(folder: Path, opa: str) -> None:
    done = _policy("test", str(folder), "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"tests": 8, "failed": [], "coverage": 100.0, "not_covered": []}
    assert "8 of 8 tests passed; 100 %" in _policy("test", str(folder)).stdout


def test_what_is_written_fails_closed_and_is_formatted(folder: Path, opa: str) -> None:
    assert check(folder, [example.submission()], example.law()).opened == ()
    formatted = subprocess.run([opa, "fmt", "--list", str(folder)], capture_output=True, text=True, check=True)
    assert formatted.stdout == ""


def test_what_is_written_decides(folder: Path, opa: str) -> None:
    submission = example.submission()
    assert decide(Request(submission, example.law(), rego=folder)).verdict == "allowed"
    submission["input"]["model"]["validation_report"]["metrics"]["accuracy"] = 0.5
    decision = decide(Request(submission, example.law(), rego=folder))
    assert [finding.rule for finding in decision.violations] == ["accurate", "fair_enough"]


def test_what_is_written_is_documented(folder: Path, opa: str) -> None:
    command = [opa, "inspect", "--annotations", "--format", "json", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    titles = {entry["annotations"]["title"] for entry in json.loads(done.stdout)["annotations"]}
    assert titles == {"accurate", "fair enough", "May this model be deployed?"}


def test_nothing_is_overwritten(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    done = _policy("new", "accurate", "--dir", str(folder))
    assert done.exit_code == USAGE
    assert "accurate.rego: this file is there already" in done.output
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["", "Accurate", "a-b", "../a", "not", "a_test", "1a", "deploy"])
def test_a_name_that_cannot_be(name: str, tmp_path: Path) -> None:
    done = _policy("new", name, "--dir", str(tmp_path / "policies"))
    assert done.exit_code == USAGE
    assert not (tmp_path / "policies").exists()


def test_a_failing_test_is_named(folder: Path, opa: str) -> None:
    text = (folder / "accurate.rego").read_text()
    (folder / "accurate.rego").write_text(text.replace("0.8", "0.9"))
    done = _policy("test", str(folder))
    assert done.exit_code == DENIED
    assert "accurate_test.rego:7: test_passes_what_reaches_the_limit" in done.stdout
    assert "7 of 8 tests passed\n" in done.stdout
    assert json.loads(_policy("test", str(folder), "--json").stdout)["coverage"] is None


def test_lines_that_no_test_reaches_are_shown(folder: Path, opa: str) -> None:
    text = (folder / "accurate.rego").read_text()
    (folder / "accurate.rego").write_text(text + "\nunused if input.model.name\n")
    done = _policy("test", str(folder))
    assert done.exit_code == 0
    line = text.count("\n") + 2
    assert f"not covered: {folder / 'accurate.rego'}:{line}\n" in done.stdout
    assert "100 %" not in done.stdout


def test_the_library_is_there_where_it_is_imported(tmp_path: Path, opa: str) -> None:
    (tmp_path / "own.rego").write_text("package own\n\nimport data.mlpolicy.lib.law\n\nok if law.is_text(input.name)\n")
    (tmp_path / "own_test.rego").write_text('package own_test\n\ntest_ok if data.own.ok with input as {"name": "a"}\n')
    done = _policy("test", str(tmp_path), "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["tests"] == 1


@pytest.mark.parametrize(
    ("text", "cause"), [(None, "no folder"), ("package a\n\nb if input.c\n", "no test"), ("package a\nb if if", "own")]
)
def test_without_a_test_nothing_is_said_to_pass(text: str | None, cause: str, tmp_path: Path, opa: str) -> None:
    if text is not None:
        (tmp_path / "own.rego").write_text(text)
    done = _policy("test", str(tmp_path))
    assert done.exit_code == USAGE
    assert cause in done.output


def test_without_opa_nothing_is_tested(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert _policy("test", str(folder)).exit_code == NOT_EVALUATED
