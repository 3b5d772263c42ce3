"""The sinks that machines read: valid by somebody else's word, and inside every limit."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import junitparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_compliance import plugins
from ml_compliance.files import RESULTS
from ml_compliance.model import Artifact, Json, Location, Report
from ml_compliance.publish import (
    admission,
    badge,
    check_run,
    codequality,
    dotenv,
    junit,
    metrics,
    sarif,
    snapshot,
    summary,
)
from tests.publish import reports
from tests.publish.test_sinks import GOLDEN, REPORTS

RENDER: dict[str, Callable[[Report], Artifact]] = {
    "sarif": sarif.render,
    "junit": junit.render,
    "codequality": codequality.render,
    "badge": badge.render,
    "admission": admission.render,
    "metrics": metrics.render,
    "dotenv": dotenv.render,
    "summary": summary.render,
    "snapshot": snapshot.render,
    "check_run": check_run.render,
}
MANY = 50_000


def many() -> Report:
    return reports.huge(violations=MANY, groups=3)


@pytest.mark.parametrize("sink", [name for name in RENDER if name != "summary"])
def test_golden(sink: str) -> None:
    artifact = RENDER[sink](reports.denied())
    path = GOLDEN / "publish" / f"denied.{artifact.name}"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(artifact.text, encoding="utf-8")
    assert artifact.text == path.read_text(encoding="utf-8"), "UPDATE_GOLDEN=1 writes it anew"


def test_what_an_earlier_run_left_is_removed() -> None:
    report = reports.scanned()
    written = {plugins.load("publish", name).render(report).name for name in plugins.names("publish")}
    assert written <= set(RESULTS)


@pytest.mark.parametrize("name", [*REPORTS, "many"])
def test_junit_is_read(name: str, tmp_path: Path) -> None:
    report = many() if name == "many" else REPORTS[name]()
    path = tmp_path / "junit.xml"
    path.write_text(junit.render(report).text, encoding="utf-8")
    suites = junitparser.JUnitXml.fromfile(str(path))
    failures = sum(
        isinstance(result, junitparser.Failure) for suite in suites for case in suite for result in case.result
    )
    policies = {finding.policy or finding.rule for finding in report.decision.violations}
    assert suites.failures == failures == len(policies)
    assert (suites.errors > 0) == (report.decision.verdict == "not_evaluated" or bool(report.decision.errors))


def _cases(report: Report) -> dict[str, ET.Element]:
    root = ET.fromstring(junit.render(report).text)  # noqa: S314  what we wrote ourselves
    return {case.attrib["name"]: case for case in root.iter("testcase")}


def test_junit_passes_nothing_that_was_not_judged() -> None:
    cases = _cases(reports.not_evaluated())
    law = [str(item["id"]) for item in reports.LAW]
    assert all(cases[policy].find("skipped") is not None or cases[policy].find("failure") is not None for policy in law)
    assert cases["the law can be applied"].find("error") is not None


def test_junit_shows_a_waived_item_as_skipped() -> None:
    item = {"id": reports.WAIVED.policy, "type": "performance", "metric": "accuracy", "minimum": 0.8}
    case = _cases(reports.report(reports.decision(violations=(), verdict="allowed"), law=(item,)))[
        reports.WAIVED.policy
    ]
    skipped = case.find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"].startswith("waived: medium accuracy is below its minimum")


def test_junit_counts_what_it_leaves_out() -> None:
    item = {"id": "one", "type": "fairness"}
    violations = tuple(replace(reports.DISPARITY, policy="one", message=str(place)) for place in range(MANY))
    failure = _cases(reports.report(reports.decision(violations=violations), law=(item,)))["one"].find("failure")
    assert failure is not None
    assert str(failure.text).splitlines()[-1] == f"{MANY - junit.LINES:,} more findings in report.html"


TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\x00\x0b\x1b\ufffe\uffff]&<>\"'"), max_size=40)


@given(TEXT, TEXT)
@settings(max_examples=200)
def test_any_text_is_valid_everywhere(title: str, message: str) -> None:
    odd = replace(reports.DISPARITY, title=title, message=message, policy=title, rule=message or "r", remedy=title)
    report = reports.report(reports.decision(violations=(odd,), errors=(message,)))
    ET.fromstring(junit.render(report).text)  # noqa: S314  what we wrote ourselves
    assert json.loads(sarif.render(report).text)["runs"][0]["results"]
    assert json.loads(codequality.render(report).text)


def test_hostile_text_commands_nothing() -> None:
    for sink in ("junit", "codequality"):
        text = RENDER[sink](reports.hostile()).text
        assert "##[" not in text
        assert not [line for line in text.splitlines() if line.strip().startswith("::")]
    for issue in json.loads(codequality.render(reports.hostile()).text):
        said = issue["description"] + issue["check_name"]
        assert "@everyone" not in said
        assert "<script" not in said
    assert "<script" not in junit.render(reports.hostile()).text


CODE_QUALITY = {"info", "minor", "major", "critical", "blocker"}


def test_code_quality_has_what_gitlab_reads() -> None:
    issues = json.loads(codequality.render(reports.denied()).text)
    assert [issue["severity"] for issue in issues] == ["critical", "critical", "major", "info", "info"]
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in CODE_QUALITY
        assert issue["location"]["lines"]["begin"] >= 1
        assert not issue["location"]["path"].startswith(("/", "./"))


@pytest.mark.parametrize(
    ("name", "colour"), [("denied", "red"), ("allowed", "brightgreen"), ("not_evaluated", "lightgrey")]
)
def test_badge(name: str, colour: str) -> None:
    shown = json.loads(badge.render(REPORTS[name]()).text)
    assert shown == {"schemaVersion": 1, "label": "ml-compliance", "message": name.replace("_", " "), "color": colour}


def test_the_summary_has_more_room_than_the_comment_and_no_more_than_its_limit() -> None:
    text = summary.render(many()).text
    assert 500_000 < len(text.encode()) <= summary.LIMIT < 2**20
    assert "more violations in `report.html`" in text


SIZES = {
    "markdown": 65_000, "summary": 2**20, "snapshot": 45_000, "badge": 200, "admission": 200, "dotenv": 5_000,
    "console": 10_000_000, "html": 3_000_000, "junit": 30_000_000, "codequality": 100_000_000,
    "sarif": 50_000_000, "metrics": 5_000,
}  # fmt: skip
"""Bytes; those of files on GitLab are https://docs.gitlab.com/ci/testing/unit_test_reports/ and its artifact limit."""
LEAVES_OUT = {
    "markdown": r"\d more violations in", "summary": r"\d more violations in",
    "snapshot": r'"violations_omitted": [1-9]',
    "html": r"44,800 more violations are in report\.json", "codequality": r"40,002 more findings in",
    "sarif": r"25,003 more findings in",
}  # fmt: skip


@pytest.mark.parametrize("sink", SIZES)
def test_fifty_thousand_violations_and_policies_fit(sink: str) -> None:
    law: tuple[dict[str, Json], ...] = tuple({"id": f"fairness_policy_{place:05d}", "type": "fairness"}
                                             for place in range(MANY))  # fmt: skip
    text = plugins.load("publish", sink).render(replace(many(), law=law)).text
    assert len(text.encode()) <= SIZES[sink]
    assert re.search(LEAVES_OUT.get(sink, ""), text)


@pytest.mark.parametrize("sink", [*SIZES, "check_run"])
def test_a_text_of_five_megabytes_fits(sink: str) -> None:
    long = "5 MB & more <b> " * 330_000
    giant = replace(reports.DISPARITY, rule=long, policy=long, title=long, message=long, remedy=long, clause=long,
                    references=(long,), across=(long,), location=Location(long, 1))  # fmt: skip
    report = reports.report(reports.decision(violations=(giant,), errors=(long,)), project=long, model=long)
    assert len(plugins.load("publish", sink).render(report).text.encode()) < 200_000
