"""Several gates, one verdict: allowed only when every declared part is there and allowed."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ml_compliance import delivery, gate
from ml_compliance.cli import main
from ml_compliance.collect import collect
from ml_compliance.documents import validate
from ml_compliance.model import LawChange, LawChanges, Report
from ml_compliance.publish import document, junit, markdown
from ml_compliance.publish.document import REPORT_SCHEMA
from tests import project as example
from tests.platforms.github_server import HEAD
from tests.platforms.test_github_run import FIRST, PULL, environment
from tests.publish import reports


@pytest.fixture(autouse=True)
def laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)


def left(folder: Path, report: Report) -> Path:
    """The output folder that the gate of a part leaves."""
    decision = replace(report.decision, id=hashlib.sha256(folder.name.encode()).hexdigest())
    gate.publish(replace(report, decision=decision), folder)
    return folder


def run(out: Path, *parts: str, words: tuple[str, ...] = ()) -> tuple[int, str]:
    given = [word for part in parts for word in ("--part", part)]
    result = CliRunner().invoke(main, ["collect", *given, "--out", str(out), *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("cards", "code", "verdict"),
    [
        (reports.allowed(), 0, "allowed"),
        (reports.denied(), 1, "denied"),
        (reports.not_evaluated(), 3, "not_evaluated"),
        (None, 3, "not_evaluated"),
    ],
)
def test_the_whole_is_no_better_than_its_worst_part(
    tmp_path: Path, cards: Report | None, code: int, verdict: str
) -> None:
    left(tmp_path / "a", reports.allowed())
    if cards:
        left(tmp_path / "b", cards)
    ended, said = run(tmp_path / "out", f"loans={tmp_path / 'a'}", f"cards={tmp_path / 'b'}")
    assert ended == code
    found = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    validate(found, REPORT_SCHEMA, "report.json")
    assert found["decision"]["verdict"] == verdict
    expected = {"loans": "allowed", "cards": cards.decision.verdict if cards else "not_evaluated"}
    assert {part["name"]: part["verdict"] for part in found["parts"]} == expected
    assert "loans: ALLOWED" in said
    missed = [f"part cards: {tmp_path / 'b'}: report.json: there is no such file"]
    assert (cards is not None) or found["decision"]["errors"] == missed


def test_a_denied_part_hides_no_missing_one(tmp_path: Path) -> None:
    found = collect("all", {"a": left(tmp_path / "a", reports.denied()), "b": tmp_path / "b"})
    assert found.decision.verdict == "not_evaluated"
    assert len(found.decision.violations) == len(reports.denied().decision.violations)
    case = junit.render(found).text
    assert 'errors="1"' in case
    assert 'name="a/fairness_policy_001"' in case


def test_findings_say_their_part_and_their_place_from_the_root(tmp_path: Path) -> None:
    one, two = replace(reports.denied(), folder="models/a"), reports.denied()
    found = collect("all", {"a": left(tmp_path / "a", one), "b": left(tmp_path / "b", two)})
    places = {(item.title, str(item.location)) for item in found.decision.violations}
    assert ("a: feature_store_version is missing", "models/a/compliance_policy.yaml:31") in places
    assert ("b: feature_store_version is missing", "compliance_policy.yaml:31") in places
    assert {item.policy.split("/")[0] for item in found.decision.violations} == {"a", "b"}
    assert len(found.law) == 2 * len(reports.LAW)
    text = markdown.render(found).text
    assert (
        text.index("| Part | Verdict |") < text.index("| `a` | DENIED | 3 violations · ") < text.index("| Severity |")
    )


def test_rules_that_moved_in_one_part_are_told_and_one_not_compared_is_not_unchanged(tmp_path: Path) -> None:
    change = LawChange("compliance_policy.yaml", "parity", "threshold", "0.1", "0.3", "loosened")
    since = "b" * 40
    moved = replace(reports.allowed(), decision=reports.decision(
        verdict="allowed", violations=(), law_changes=LawChanges(since, (change,), "")))  # fmt: skip
    same = replace(moved, decision=replace(moved.decision, law_changes=LawChanges(since, (), "")))
    folders = {name: left(tmp_path / name, report) for name, report in
               (("moved", replace(moved, folder="m")), ("same", same), ("none", reports.allowed()))}  # fmt: skip
    whole = collect("all", folders).decision.law_changes
    assert [item.file for item in whole.changes] == ["m/compliance_policy.yaml"]
    assert collect("all", {"same": folders["same"]}).decision.law_changes.base == since
    assert not collect("all", {key: folders[key] for key in ("same", "none")}).decision.law_changes.base


def tampered(change: dict[str, Any]) -> str:
    found = json.loads(document.render(reports.denied()).text)
    return json.dumps({**found, **change})


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"schema": NaN}', tampered({"schema": "another"}), tampered({"more": 1}),
        tampered({"decision": {**json.loads(tampered({}))["decision"], "verdict": "allowed", "allow": True}}),
        tampered({"parts": [{"name": "@everyone\n::error::x"}]}),
    ],
)  # fmt: skip
def test_a_result_that_is_none_fails(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "report.json").write_text(text, encoding="utf-8")
    code, said = run(tmp_path / "out", f"a={tmp_path / 'a'}")
    assert code == 3
    assert "part a: " in said
    assert "\n::error" not in said


def test_a_link_is_no_result(tmp_path: Path) -> None:
    left(tmp_path / "real", reports.allowed())
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "report.json").symlink_to(tmp_path / "real" / "report.json")
    assert run(tmp_path / "out", f"a={tmp_path / 'a'}")[0] == 3


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (("a",), "is no part"), (("a=",), "is no part"), (("=x",), "is no part"), (("a/b=x",), "is no part"),
        (("a=x", "a=y"), "given twice"), (("a=x", "b=./x"), "that of another part"), (("a=out",), "or --out"),
    ],
)  # fmt: skip
def test_parts_that_are_none_are_refused_and_nothing_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    left(tmp_path / "out", reports.allowed())
    code, said = run(Path("out"), *parts)
    assert (code, told in said) == (2, True)
    assert (tmp_path / "out" / "report.json").exists()


def test_no_part_is_no_verdict(tmp_path: Path) -> None:
    assert run(tmp_path / "out")[0] == 2
    assert collect("all", {}).decision.verdict == "not_evaluated"


def test_many_parts_with_many_violations_stay_within_what_a_comment_holds(tmp_path: Path) -> None:
    huge = left(tmp_path / "huge", reports.huge(2_000, 10))
    folders = {f"part-{'x' * 80}-{place}": tmp_path / f"{place}" for place in range(400)}
    text = markdown.render(collect("all", {"first": huge, **folders})).text
    assert len(text.encode()) <= markdown.LIMIT
    assert "| `first` | DENIED |" in text
    assert "more parts in `report.html`" in text
    assert "more errors in `report.html`" in text


def test_a_part_is_what_a_gate_has_left(tmp_path: Path) -> None:
    (tmp_path / "loans").mkdir()
    made = example.make(tmp_path / "loans")
    assert made.run("gate").code == 0
    code, said = run(tmp_path / "out", f"loans={made.out}", words=("--name", "models"))
    assert code == 0
    assert "models" in said
    assert "no CI platform" in said


def of_commit(report: Report, git: Any) -> Report:
    facts = {**next(item for item in report.evidence if item.name == "lineage").facts, "git": git}
    return replace(report, evidence=tuple(replace(item, facts=facts) if item.name == "lineage" else item
                                          for item in report.evidence))  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({"commit": "a" * 40, "dirty": False}, {"commit": "b" * 40, "dirty": False}, f"{'a' * 40}; b: {'b' * 40}"),
        ({"commit": "a" * 40, "dirty": False}, None, f"{'a' * 40}; b: none is named"),
        ({"commit": "a" * 40, "dirty": False}, {"commit": "\n::error::"}, f"{'a' * 40}; b: none is named"),
        ({"commit": "a" * 40, "dirty": False}, "a" * 40, f"{'a' * 40}; b: none is named"),
        ({"commit": "a" * 40, "dirty": False}, {"commit": "a" * 40, "dirty": True}, ""),
        (None, None, ""),
    ],
)  # fmt: skip
def test_results_of_different_commits_are_no_result(tmp_path: Path, first: Any, second: Any, told: str) -> None:
    folders = {name: left(tmp_path / name, of_commit(reports.allowed(), git))
               for name, git in (("a", first), ("b", second))}  # fmt: skip
    whole = collect("all", folders)
    assert whole.decision.verdict == ("not_evaluated" if told else "allowed")
    assert whole.decision.errors == ((f"the parts are not of one commit: a: {told}",) if told else ())
    assert whole.parts[0].commit == (first["commit"] if first else "")


ABOUT = frozenset({"a" * 40, "c" * 40})


@pytest.mark.parametrize(
    ("git", "told"),
    [
        ({"commit": "a" * 40}, ""),
        ({"commit": "c" * 40}, ""),
        ({"commit": "b" * 40}, f"part x: its lineage names the commit {'b' * 40}"),
        ({"commit": "::error::"}, "part x: its lineage names no commit"),
        (None, "part x: its lineage names no commit"),
    ],
)  # fmt: skip
def test_results_of_another_commit_than_the_runs_are_no_result(tmp_path: Path, git: Any, told: str) -> None:
    folders = {name: left(tmp_path / name, of_commit(reports.allowed(), git)) for name in ("x", "y")}
    whole = collect("all", folders, ABOUT)
    assert whole.decision.verdict == ("not_evaluated" if told else "allowed")
    assert [error.partition(", and")[0] for error in whole.decision.errors] == (
        [told, told.replace("part x", "part y")] if told else []
    )
    assert all(f"this run is about {'a' * 40} or {'c' * 40}" in error for error in whole.decision.errors)
    assert collect("all", folders).decision.verdict == "allowed"


@pytest.mark.parametrize(
    ("name", "event", "commits"),
    [
        ("push", {}, {"c" * 40}),
        ("pull_request", {"pull_request": PULL}, {HEAD, "c" * 40}),  # GITHUB_SHA is what checkout takes: the merge
        ("pull_request_target", {"pull_request": PULL}, {HEAD}),  # GITHUB_SHA is the base
        ("workflow_run", {"workflow_run": FIRST}, {HEAD}),  # GITHUB_SHA is the default branch
    ],
)
def test_the_commits_that_a_run_of_github_is_about(tmp_path: Path, name: str, event: Any, commits: set[str]) -> None:
    assert delivery.commits(environment(tmp_path, name, event)) == commits


def test_a_run_that_the_platform_describes_takes_no_results_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in environment(tmp_path, "push", {}).items():
        monkeypatch.setenv(key, value)
    folder = left(tmp_path / "a", of_commit(reports.allowed(), {"commit": "b" * 40, "dirty": False}))
    code, said = run(tmp_path / "out", f"a={folder}", words=("--dry-run",))
    assert (code, "this run is about" in " ".join(said.split())) == (3, True)
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["decision"]["errors"] == [
        f"part a: its lineage names the commit {'b' * 40}, and this run is about {'c' * 40}"
    ]
    left(folder, of_commit(reports.allowed(), {"commit": "c" * 40, "dirty": False}))
    assert run(tmp_path / "out", f"a={folder}", words=("--dry-run",))[0] == 0


def test_a_part_that_is_missing_is_of_no_other_commit(tmp_path: Path) -> None:
    there = left(tmp_path / "a", of_commit(reports.allowed(), {"commit": "a" * 40, "dirty": False}))
    (error,) = collect("all", {"a": there, "b": tmp_path / "b"}).decision.errors
    assert error.startswith("part b: ")


def test_the_report_proves_which_results_were_taken(tmp_path: Path) -> None:
    folder = left(tmp_path / "a", reports.denied())
    run(tmp_path / "out", f"a={folder}", f"b={tmp_path / 'b'}")
    found = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    taken, missing = found["parts"]
    assert taken["digest"] == "sha256:" + hashlib.sha256((folder / "report.json").read_bytes()).hexdigest()
    assert taken["decision"] == json.loads((folder / "report.json").read_text())["decision"]["id"]
    assert (missing["digest"], missing["decision"]) == ("", "")
    # Another result is another decision.
    left(folder, replace(reports.denied(), project="another"))
    assert collect("ml-compliance", {"a": folder, "b": tmp_path / "b"}).decision.id != found["decision"]["id"]


def test_one_result_is_no_result_of_two_parts(tmp_path: Path) -> None:
    first = left(tmp_path / "loans", reports.allowed())
    second = tmp_path / "cards"
    shutil.copytree(first, second)
    whole = collect("all", {"loans": first, "cards": second})
    assert whole.decision.verdict == "not_evaluated"
    assert whole.decision.errors == (f"part cards: {second}: it is the result of part loans, not one of its own",)
