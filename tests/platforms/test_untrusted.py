"""Results that anybody may have written: taken over whole and valid, or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.platforms import _untrusted
from tests import project as example
from tests.test_scripts import run


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> example.Project:
    project = example.make(tmp_path_factory.mktemp("fork"))
    assert project.run("gate").code == 0
    return project


@pytest.fixture
def source(judged: example.Project, tmp_path: Path) -> Path:
    """What a fork's run has uploaded, to be tampered with."""
    folder = tmp_path / "downloaded"
    folder.mkdir()
    for name in ("decision.json", "model_submission.json", "report.html"):
        (folder / name).write_bytes((judged.out / name).read_bytes())
    return folder


def test_decision_and_submission_are_taken_over_and_nothing_else(
    judged: example.Project, source: Path, tmp_path: Path
) -> None:
    (source / "evidence").mkdir()
    (source / "report.html").write_text("<script>", encoding="utf-8")
    out = tmp_path / "out"
    _untrusted.accept(source, out)
    assert {path.name for path in out.iterdir()} == {"decision.json", "model_submission.json"}
    assert (out / "decision.json").read_bytes() == (judged.out / "decision.json").read_bytes()
    assert (out / "model_submission.json").read_bytes() == (judged.out / "model_submission.json").read_bytes()


def test_what_was_taken_over_can_be_shown(source: Path, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    project = example.make(tmp_path / "base")
    assert run(project, "accept_result.py", "--source", str(source), "--out", str(project.out)).code == 0
    assert project.run("publish").code == 0
    assert "ALLOWED" in (project.out / "report.txt").read_text(encoding="utf-8")


def edit(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def tampered(source: Path) -> None:
        document = json.loads((source / name).read_text(encoding="utf-8"))
        change(document)
        (source / name).write_text(json.dumps(document), encoding="utf-8")

    return tampered


def identified(value: str) -> Callable[[Path], object]:
    return edit("decision.json", lambda found: found.update(id=value))


def replaced(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda source: (source / name).write_bytes(content)


def link(source: Path) -> None:
    (source / "decision.json").rename(source / "secret")
    (source / "decision.json").symlink_to(source / "secret")


def pipe(source: Path) -> None:
    (source / "decision.json").unlink()
    os.mkfifo(source / "decision.json")


def folder(source: Path) -> None:
    (source / "decision.json").unlink()
    (source / "decision.json").mkdir()


def large(source: Path) -> None:
    with (source / "model_submission.json").open("ab") as file:
        file.write(b" " * _untrusted.LARGEST)


def doubled(source: Path) -> None:
    path = source / "decision.json"
    path.write_text(path.read_text(encoding="utf-8").replace("{", '{"verdict": "denied",', 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (lambda source: (source / "decision.json").unlink(), "decision.json cannot be read: No such file"),
        (link, "decision.json cannot be read"),
        (pipe, "decision.json is no plain file"),
        (folder, "decision.json is no plain file"),
        (large, "model_submission.json is larger than 16,777,216 bytes"),
        (doubled, "a key is there twice"),
        (replaced("decision.json", b"[" * 100_000), "decision.json is no JSON"),
        (replaced("decision.json", b"\xff\xfe"), "decision.json is no JSON"),
        (replaced("decision.json", b"[]"), "decision.json is no JSON object"),
        (replaced("decision.json", b'{"a": NaN}'), "NaN is no number of JSON"),
        (edit("decision.json", lambda found: found.update(verdict="fine")), "not a decision"),
        (edit("decision.json", lambda found: found.update(more=1)), "not a decision"),
        (edit("decision.json", lambda found: found.pop("violations")), "not a decision"),
        *((identified(value), "not a decision")
          for value in ("", "1", "A" * 64, "a" * 63, "a" * 64 + "\n", "../" * 21 + "a", "sha256:" + "a" * 64)),
        (edit("model_submission.json", lambda found: found.pop("input")), "'input' is a required property"),
        (edit("model_submission.json", lambda found: found["input"].update(created="2020-01-01T00:00:00Z")),
         "decision.json is about another submission"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(source: Path, tmp_path: Path, tamper: Callable[[Path], object], message: str) -> None:
    tamper(source)
    with pytest.raises(EvaluationError) as refused:
        _untrusted.accept(source, tmp_path / "out")
    assert message in refused.value.message
    assert str(refused.value).count("the result of the other run") == 1
    assert not (tmp_path / "out").exists()


def test_a_link_is_not_emptied(source: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "report.json").write_text("of somebody else")
    (tmp_path / "out").symlink_to(tmp_path / "there")
    with pytest.raises(UsageError, match="the output folder is a link"):
        _untrusted.accept(source, tmp_path / "out")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["report.json"]


def test_a_refusal_quotes_nothing_that_a_runner_obeys(source: Path, tmp_path: Path) -> None:
    hostile = "x\n::add-mask::\n##[error]\x1b[31m"
    edit("decision.json", lambda found: found.update({"verdict": hostile}))(source)
    with pytest.raises(EvaluationError) as refused:
        _untrusted.accept(source, tmp_path / "out")
    text = str(refused.value)
    assert "\n::" not in text
    assert "##[" not in text
    assert "\x1b" not in text
