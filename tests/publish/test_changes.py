"""What a report says against its base, and the snapshot that it is compared with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ml_compliance.comparison import compare, read_snapshot
from ml_compliance.errors import UsageError
from ml_compliance.model import Changes, Evidence, Finding, Measurement, Report
from ml_compliance.publish import check_run, console, document, html, markdown, snapshot
from ml_compliance.publish._view import ordered
from tests.publish import reports


def taken(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(snapshot.render(report).text)
    return found


def judged(*violations: Finding, **changes: Any) -> Report:
    return reports.report(reports.decision(violations=violations, **changes))


def with_accuracy(value: float) -> Report:
    measured = Measurement("performance/accuracy", value, n=100)
    return replace(judged(), evidence=(Evidence("performance", "measured", (measured,)),))


@pytest.mark.parametrize(
    "make", [reports.denied, reports.allowed, reports.not_evaluated, reports.huge, reports.hostile]
)
def test_snapshots_are_valid_and_small(make: Any) -> None:
    text = snapshot.render(make()).text
    Draft202012Validator(snapshot.SNAPSHOT_SCHEMA).validate(json.loads(text))
    assert len(text.encode()) <= snapshot.LIMIT


def test_a_snapshot_counts_what_it_leaves_out() -> None:
    found = taken(reports.huge(violations=5_000, groups=3))
    assert 100 < len(found["violations"]) < 5_000
    assert len(found["violations"]) + found["violations_omitted"] == 5_000


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=300), max_size=300))
def test_a_snapshot_fits_whatever_it_says(titles: list[str]) -> None:
    encodable = [title.encode(errors="replace").decode() for title in titles]
    found = snapshot.render(judged(*(replace(reports.DISPARITY, title=title, limit=None) for title in encodable)))
    assert len(found.text.encode()) <= snapshot.LIMIT
    assert json.loads(found.text)["violations_omitted"] + len(json.loads(found.text)["violations"]) == len(titles)


def test_nothing_changed() -> None:
    report = reports.denied()
    assert compare(taken(report), "main", report) == Changes("main", "denied", unchanged=3)


def test_new_and_fixed_and_unchanged() -> None:
    before = judged(reports.LINEAGE, reports.DISPARITY)
    after = judged(replace(reports.DISPARITY, value=0.3), reports.EXPECTATIONS)
    found = compare(taken(before), "main", after)
    assert [ordered(after.decision.violations)[place].rule for place in found.new] == [reports.EXPECTATIONS.rule]
    assert (found.unchanged, found.fixed) == (1, (reports.LINEAGE.title,))


def test_numbers_that_are_others_now() -> None:
    found = compare(taken(with_accuracy(0.8)), "main", with_accuracy(0.9)).deltas
    assert [(delta.name, delta.before, delta.now) for delta in found] == [("performance/accuracy", 0.8, 0.9)]
    assert compare(taken(with_accuracy(0.1 + 0.2)), "main", with_accuracy(0.3)).deltas == ()
    gone = compare(taken(with_accuracy(0.8)), "main", replace(judged(), evidence=())).deltas
    assert [(delta.before, delta.now) for delta in gone] == [(0.8, None)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema": "ml-compliance/snapshot/v9"}, "cannot be read"),
        ({"violations": "none"}, "cannot be read"),
        ({"project": "another"}, "of the project another"),
        ({"verdict": "not_evaluated"}, "not evaluated itself"),
        ({"violations_omitted": 7}, "no room for 7"),
    ],
)
def test_what_cannot_be_compared_is_said(change: dict[str, Any], reason: str) -> None:
    report = reports.denied()
    found = compare({**taken(judged()), **change}, "main", report)
    assert reason in found.reason
    assert found.new == ()
    for text in (
        markdown.render(replace(report, changes=found)).text,
        console.render(replace(report, changes=found)).text,
    ):
        assert "not compared" in text


def test_other_rules_are_said() -> None:
    before = {**taken(reports.denied()), "law_digest": "sha256:" + "ab" * 32}
    report = reports.denied()
    found = compare(before, "main", report)
    assert not found.same_rules
    assert "other rules judged there" in markdown.render(replace(report, changes=found)).text


@pytest.mark.parametrize("sink", [markdown, console, html])
def test_every_sink_says_it_first(sink: Any) -> None:
    before, after = judged(reports.LINEAGE, reports.DISPARITY), judged(reports.DISPARITY, reports.EXPECTATIONS)
    text = sink.render(replace(after, changes=compare(taken(before), "main", after))).text
    said = text.index("against main (DENIED): 1 new, 1 fixed, 1 unchanged violation")
    assert said < text.index(f"fixed: {reports.LINEAGE.title}")
    assert text.index(f"fixed: {reports.LINEAGE.title}") < text.index(reports.DISPARITY.title)
    assert "NEW · " in text
    assert text.count("NEW · ") == 1


def test_a_comment_tells_verdict_change_and_worst_violation_in_its_first_lines() -> None:
    before, after = judged(reports.LINEAGE), judged(reports.LINEAGE, reports.DISPARITY)
    text = markdown.render(replace(after, changes=compare(taken(before), "main", after))).text
    said = ["DENIED", "against main (DENIED): 1 new", f"NEW · {reports.DISPARITY.title}", "→ retrain with a parity"]
    places = [text.index(word) for word in said]
    assert places == sorted(places)
    assert text[: places[-1]].count("\n") < 10


def test_numbers_beyond_those_listed_are_counted() -> None:
    measured = tuple(Measurement(f"performance/m{place}", float(place), n=9) for place in range(12))
    after = replace(judged(), evidence=(Evidence("performance", "measured", measured),))
    text = markdown.render(replace(after, changes=compare(taken(judged()), "main", after))).text
    shown = text.count("- changed: m")
    assert 0 < shown < 12
    assert f"changed: {len(compare(taken(judged()), 'main', after).deltas) - shown:,} more numbers" in text


def test_the_report_for_machines_has_it() -> None:
    before, after = judged(reports.LINEAGE), judged(reports.DISPARITY)
    found = json.loads(document.render(replace(after, changes=compare(taken(before), "main", after))).text)
    Draft202012Validator(document.REPORT_SCHEMA).validate(found)
    assert (found["changes"]["new"], found["changes"]["fixed"]) == ([0], [reports.LINEAGE.title])


def test_a_check_run_has_an_annotation_for_every_finding() -> None:
    report = replace(reports.denied(), folder="models/loan")
    found = json.loads(check_run.render(report).text)
    places = {(item["path"], item["start_line"], item["annotation_level"]) for item in found["annotations"]}
    assert ("models/loan/compliance_policy.yaml", 12, "failure") in places
    assert ("models/loan/compliance_policy.yaml", 12, "warning") in places
    assert ("models/loan/waivers.yaml", 3, "notice") in places
    assert found["title"].startswith("DENIED: 3 violations")


def test_a_check_run_stays_inside_its_limits() -> None:
    found = json.loads(check_run.render(reports.huge(violations=5_000, groups=3)).text)
    assert len(found["annotations"]) == check_run.ANNOTATIONS
    assert f"{5_000 + 3 - check_run.ANNOTATIONS:,} more annotations" in found["summary"]
    assert len(found["summary"].encode()) <= 65_535
    hostile = json.loads(check_run.render(reports.hostile()).text)
    assert all(len(item["title"]) <= 255 and len(item["message"].encode()) <= 64_000 for item in hostile["annotations"])


def test_a_snapshot_is_read_from_a_file_or_an_output_folder(tmp_path: Path) -> None:
    text = snapshot.render(reports.denied()).text
    (tmp_path / "snapshot.json").write_text(text, encoding="utf-8")
    assert read_snapshot(tmp_path) == read_snapshot(tmp_path / "snapshot.json") == json.loads(text)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "ml-compliance/report/v1"}'])
def test_what_is_no_snapshot_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "snapshot.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"snapshot\.json"):
        read_snapshot(tmp_path)
