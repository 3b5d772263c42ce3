"""waivers.yaml: read, submitted, judged, and shown wherever a verdict is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.errors import UsageError
from ml_compliance.waivers import read_waivers
from tests import project as example
from tests.project import FACTS, LAW, Project

STRICT = LAW.replace("minimum: 0.7", "minimum: 0.9") + "waivers:\n  approvers: [risk@example.org]\n"
WAIVERS = """\
waivers:
  - rule: performance.too_low
    policy: accuracy
    model: loans
    reason: "<b>new</b> product | line"
    owner: credit@example.org
    approver: risk@example.org
    created: 2026-11-01
    expires: 2026-12-31
    ceiling: 0.75
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A model that is denied for its accuracy, which is waived; judged on 2026-11-23."""
    example.judged_at(monkeypatch, "2026-11-23T00:00:00Z")
    found = example.make(tmp_path)
    found.write("compliance_policy.yaml", STRICT)
    found.write("waivers.yaml", WAIVERS)
    return found


def decision(project: Project) -> Any:
    return json.loads((project.out / "decision.json").read_text())


def test_a_waived_violation_is_allowed_and_shown_everywhere(project: Project) -> None:
    result = project.run("gate")
    assert result.code == 0, result.out
    (waived,) = decision(project)["waived"]
    assert waived["waiver"]["location"] == {"file": "waivers.yaml", "line": 2}
    assert waived["location"]["file"] == "compliance_policy.yaml"
    for name in ("report.txt", "report.md", "report.html"):
        text = " ".join((project.out / name).read_text().split())
        assert "2026-12-31" in text, name
        assert "new" in text, name
    assert "<b>new" not in (project.out / "report.html").read_text()
    assert "waived until 2026-12-31, no worse than 0.75" in " ".join(result.out.split())


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("expires: 2026-12-31", "expires: 2026-11-22", "waivers.not_in_force"),
        ("expires: 2026-12-31", "expires: 2027-12-31", "waivers.not_in_force"),
        ("    approver: risk@example.org\n", "", "waivers.unapproved"),
        ("approver: risk", "approver: me", "waivers.unapproved"),
        ("owner: credit", "owner: risk", "waivers.unapproved"),
        ("model: loans", "model: cards", "waivers.other_model"),
        ("ceiling: 0.75", "ceiling: 0.85", "waivers.over_ceiling"),
        ("    ceiling: 0.75\n", "", "waivers.over_ceiling"),
        ("rule: performance.too_low", 'rule: "*"', "waivers.too_broad"),
        ("  - rule: performance.too_low\n    policy", "  - policy", "waivers.too_broad"),
        ("policy: accuracy", "policy: parity", "waivers.unused"),
    ],
)
def test_a_waiver_that_does_not_count_is_shown_with_its_line(project: Project, old: str, new: str, rule: str) -> None:
    assert old in WAIVERS
    project.write("waivers.yaml", WAIVERS.replace(old, new))
    result = project.run("gate")
    assert result.code == 1
    found = decision(project)
    assert found["waived"] == []
    assert [finding["rule"] for finding in found["violations"]] == ["performance.too_low"]
    (warning,) = found["warnings"]
    assert (warning["rule"], warning["location"]) == (rule, {"file": "waivers.yaml", "line": 2})
    for text in (result.out, *((project.out / f"report.{kind}").read_text() for kind in ("md", "html"))):
        assert warning["title"] in " ".join(text.split())
        assert "waivers.yaml:2" in text


def test_no_variable_sets_the_clock_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiver that has ended must not count because somebody set the moment of evaluation to a day before."""
    project = example.make(tmp_path)
    project.write("compliance_policy.yaml", STRICT)
    project.write("waivers.yaml", WAIVERS.replace("2026-11-01", "2023-11-01").replace("2026-12-31", "2023-12-31"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert project.run("gate").code == 1
    assert [finding["rule"] for finding in decision(project)["warnings"]] == ["waivers.not_in_force"]
    example.judged_at(monkeypatch, "2023-11-14T22:13:20Z")
    assert project.run("gate").code == 0


def test_a_law_that_says_nothing_of_waivers_has_none(project: Project) -> None:
    project.write("compliance_policy.yaml", STRICT.split("waivers:", maxsplit=1)[0])
    assert project.run("gate").code == 1
    assert [finding["rule"] for finding in decision(project)["warnings"]] == ["waivers.not_allowed"]


BAD: dict[str, tuple[str, str, str]] = {
    "misspelt key": ("expires:", "expire:", "waivers.yaml:9: unknown key 'expire' in waivers[0]"),
    "no expiry": ("    expires: 2026-12-31\n", "", "waivers.yaml:2: waivers[0]: 'expires' is missing"),
    "invisible": (
        "approver: risk",
        'approver: "credit@example.org\\u200b" #',
        "waivers.yaml:7: approver: the name has an inv",
    ),
    "another alphabet": (
        "approver: risk@",
        "approver: r\u0456sk@",
        "waivers.yaml:7: approver: the name has letters of several alphabets in 'r\\u0456sk': CYRILLIC, LATIN",
    ),
    "letters of another width": (
        "approver: risk",
        "approver: \uff52isk",
        "waivers.yaml:7: approver: the name has letters in",
    ),
    "no such day": ("2026-12-31", "2026-11-31", "waivers.yaml:9: expires: there is no day 2026-11-31"),
    "other form": ("2026-12-31", "31.12.2026", "waivers.yaml:9: waivers[0].expires"),
    "order": ("2026-12-31", "2026-10-31", "waivers.yaml:9: it expires on 2026-10-31, before it is created"),
    "rule": ("too_low", "to_low", "waivers.yaml:2: there is no rule called 'performance.to_low'"),
    "ceiling": ("0.75", "low", "waivers.yaml:10: waivers[0].ceiling"),
    "empty reason": ('"<b>new</b> product | line"', '" "', "waivers.yaml:5: waivers[0].reason"),
    "no list": ("waivers:", "waiver:", "waivers.yaml:1: unknown key 'waiver'"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_malformed_waiver_stops_before_anything_is_measured(project: Project, name: str) -> None:
    old, new, message = BAD[name]
    assert old in WAIVERS
    project.write("waivers.yaml", WAIVERS.replace(old, new, 1))
    result = project.run("gate")
    assert result.code == 2
    assert message in result.err
    assert not project.out.exists()


def test_a_file_that_is_named_must_be_there(project: Project) -> None:
    project.write("compliance.yaml", FACTS + "waivers: exceptions.yaml\n")
    result = project.run("gate")
    assert result.code == 2
    assert "exceptions.yaml: there is no such file" in result.err


def test_without_the_file_there_are_none(project: Project) -> None:
    (project.folder / "waivers.yaml").unlink()
    assert project.run("gate").code == 1
    assert "waivers" not in json.loads((project.out / "model_submission.json").read_text())["input"]


def test_rules_of_ones_own_have_names_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(WAIVERS.replace("performance.too_low", "ours.too_low"))
    (waiver,) = read_waivers(path, "waivers.yaml", own_rules=True)
    assert waiver["coverage"] == {"slice": 0, "across": 0}
    with pytest.raises(UsageError, match="no rule called"):
        read_waivers(path, "waivers.yaml")
