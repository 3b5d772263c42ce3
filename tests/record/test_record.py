"""The record of a decision: written before the verdict is told, masked, never overwritten, and asked later."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from ml_compliance.cli import main
from ml_compliance.errors import EvaluationError
from ml_compliance.record import store
from ml_compliance.record.decision import MASK, RECORD_SCHEMA, record
from ml_compliance.record.query import queried
from tests import project as example
from tests.project import FACTS, LAW, Project
from tests.publish import reports

MODEL = {"name": "m", "version": "1"}
SUBMISSION: dict[str, Any] = {"input": {"project": "p", "model": MODEL, "a": [{"b": 1}, {"b": 2}]}}


def records(project: Project) -> list[Any]:
    return [json.loads(path.read_text()) for path in sorted((project.out / "decisions").iterdir())]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with an allowed, a denied and a broken decision, in three months."""
    project = example.make(tmp_path_factory.mktemp("three"))
    with pytest.MonkeyPatch.context() as patch:
        for law, moment, code in (
            (LAW, "2026-10-03T04:00:00Z", 0),
            (LAW.replace("0.7", "0.95"), "2026-11-06T21:20:00Z", 1),
        ):
            example.judged_at(patch, moment)
            project.write("compliance_policy.yaml", law)
            assert project.run("gate").code == code
        example.judged_at(patch, "2026-12-11T14:40:00Z")
        assert project.run("gate", "--policy-digest", "sha256:" + "0" * 64).code == 3
        project.run("measure")
        project.run("submit")
        assert project.run("decide", "--policy-digest", "sha256:" + "0" * 64).code == 3
    return project


def listed(project: Project, *words: str) -> list[Any]:
    result = project.run("decisions", "list", "--json", *words)
    assert result.code == 0, result.err
    found: list[Any] = json.loads(result.out)
    return found


def test_each_decision_is_one_valid_document(three: Project) -> None:
    found = records(three)
    assert [item["verdict"] for item in found] == ["allowed", "denied", "not_evaluated"]
    for item in found:
        Draft202012Validator(RECORD_SCHEMA).validate(item)
        assert item["decision"]["input_digest"].startswith("sha256:")
        assert item["timings"]["decide"] >= 0
    assert "measure performance" in found[0]["timings"]
    assert found[1]["rules"] == ["performance.too_low"]


@pytest.mark.parametrize(
    ("words", "verdicts"),
    [
        ([], ["not_evaluated", "denied", "allowed"]),
        (["--verdict", "denied"], ["denied"]),
        (["--rule", "performance.too_low"], ["denied"]),
        (["--rule", "performance.to"], []),
        (["--model", "loans"], ["not_evaluated", "denied", "allowed"]),
        (["--model", "cards"], []),
        (["--since", "2026-11-01"], ["not_evaluated", "denied"]),
        (["--until", "2026-11-06"], ["denied", "allowed"]),
        (["--until", "2026-11-06T00:00:00Z"], ["allowed"]),
        (["--since", "2026-11-01", "--until", "2026-11-30", "--verdict", "allowed"], []),
    ],
)
def test_decisions_are_listed_by(three: Project, words: list[str], verdicts: list[str]) -> None:
    assert [item["verdict"] for item in listed(three, *words)] == verdicts


def test_a_table_for_people(three: Project) -> None:
    out = three.run("decisions", "list").out
    assert "performance.too_low" in out
    assert "2026-11-06T" in out
    assert "nothing was found" in three.run("decisions", "list", "--model", "none").out


def test_one_is_shown_by_the_start_of_its_id(three: Project) -> None:
    denied = records(three)[1]
    assert json.loads(three.run("decisions", "show", denied["id"][:12]).out) == denied
    assert three.run("decisions", "show", "zz").code == 2
    assert "more than one decision" in three.run("decisions", "show", "").err


def test_a_query_reads_decisions_and_nothing_else(three: Project, tmp_path: Path) -> None:
    sql = "SELECT verdict, decision->>'engine' AS engine FROM decisions WHERE violations > 0"
    assert json.loads(three.run("decisions", "query", sql, "--json").out) == [
        {"verdict": "denied", "engine": "embedded"}
    ]
    path = tmp_path / "stolen"
    facts = three.folder / "compliance.yaml"
    for refused in (
        "DROP TABLE decisions", "SELECT 1; SELECT 2", "SELECT nothing FROM decisions", "SELEC", "",
        f"COPY decisions TO '{path}'", "SET enable_external_access = true", f"FROM read_text('{facts}')",
    ):  # fmt: skip
        result = three.run("decisions", "query", refused)
        assert result.code == 2, refused
        assert result.out == ""
    assert not path.exists()


@pytest.mark.parametrize("words", [["--since", "yesterday"], ["--until", "2026-11"], ["--records", "/nowhere"]])
def test_a_mistake_is_told(three: Project, words: list[str]) -> None:
    assert three.run("decisions", "list", *words).code == 2


def test_no_decisions_are_none(tmp_path: Path) -> None:
    assert queried(str(tmp_path), "SELECT count(*) AS n FROM decisions").found == [{"n": 0}]


@pytest.mark.parametrize("content", [b'{"id": ', b"", b"\xff", b"[]", b"[" * 100_000, b"{}", b'{"rules": 7}'])
def test_a_broken_record_is_named_and_hides_no_other(content: bytes, three: Project, tmp_path: Path) -> None:
    folder = tmp_path / "decisions"
    shutil.copytree(three.out / "decisions", folder)
    (folder / "broken.json").write_bytes(content)
    (start,) = {item["id"] for item in records(three) if item["verdict"] == "denied"}
    for words, printed in (
        (["list", "--verdict", "denied"], start),
        (["query", "SELECT id FROM decisions WHERE verdict = 'denied'"], start),
        (["show", start], start),
        (["show", "nobody's"], ""),
    ):
        done = CliRunner().invoke(main, ["decisions", *words, *(["--json"]), "--records", str(folder)])
        assert done.exit_code == 3, done.output
        assert printed in done.stdout
        assert "of the records, 1 cannot be read" in done.stderr
        assert "broken.json: " in done.stderr


def test_a_decision_that_cannot_be_recorded_is_none(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("taken", "a file where the folder should be")
    project.write("compliance.yaml", FACTS + "record: {folder: taken}\n")
    result = project.run("gate")
    assert result.code == 3
    assert "NOT EVALUATED" in result.out
    assert "the decision cannot be recorded" in " ".join(result.out.split())
    assert json.loads((project.out / "decision.json").read_text())["verdict"] == "not_evaluated"
    project.write("compliance.yaml", FACTS + 'record: {folder: "s4://nowhere/x"}\n')
    assert project.run("gate").code == 3


def test_masked_values_are_hidden_and_counted() -> None:
    mask = ["input.a.*.b", "input.model.name", "input.nothing"]
    found = record(reports.decision(), SUBMISSION, mask, {})
    assert found["input"] == {"project": "p", "model": {"name": MASK, "version": "1"}, "a": [{"b": MASK}, {"b": MASK}]}
    assert found["masked"] == {"input.a.*.b": 2, "input.model.name": 1, "input.nothing": 0}
    assert found["model"] == MASK
    assert SUBMISSION["input"]["a"] == [{"b": 1}, {"b": 2}]
    whole = record(reports.decision(), SUBMISSION, ["input"], {})
    assert (whole["input"], whole["model"]) == (MASK, None)


@pytest.mark.parametrize("path", ["decision.verdict", "a", "input..a", "input."])
def test_a_mask_outside_the_input_is_a_mistake(path: str, tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("compliance.yaml", FACTS + f"record:\n  mask:\n    - input.model\n    - {path}\n")
    result = project.run("gate")
    assert result.code == 2
    assert f"compliance.yaml:12: record.mask: '{path}' is no path into the input" in result.err


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_nothing_is_overwritten(tmp_path: Path, scheme: str) -> None:
    place = f"{scheme}{tmp_path / 'kept'}"
    written = [store.add(place, "a", text) for text in ("1", "2", "3")]
    assert [Path(path.removeprefix(scheme)).name for path in written] == ["a.json", "a-2.json", "a-3.json"]
    assert [Path(path.removeprefix(scheme)).read_text() for path in written] == ["1", "2", "3"]
    assert len(list((tmp_path / "kept").iterdir())) == 3
    with store.opened(place) as paths:
        assert sorted(path.read_text() for path in paths) == ["1", "2", "3"]


def test_a_record_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    sync = os.fsync

    def spy(handle: int) -> None:
        seen.append(sorted(path.name for path in tmp_path.glob("*.json")))
        sync(handle)

    monkeypatch.setattr(os, "fsync", spy)
    store.add(str(tmp_path), "a", "1")
    assert seen == [[], ["a.json"]]


@pytest.mark.parametrize("place", ["s3://KEY:SEC/RET@[bad", "nope://KEY:SECRET@bucket/decisions", "s3://KEY:SECRET@@"])
def test_the_key_of_a_store_is_told_to_nobody(place: str) -> None:
    for attempt in (lambda: store.add(place, "x", "{}"), lambda: store.opened(place).__enter__()):
        with pytest.raises(EvaluationError) as refused:
            attempt()
        assert "SEC" not in str(refused.value)
        assert "***@" in str(refused.value)
