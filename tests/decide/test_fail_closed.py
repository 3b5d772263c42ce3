"""Absence of evidence is never a pass: whatever is taken out of a submission, it does not turn deny into allow."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from ml_compliance.authoring.check import check
from ml_compliance.decide import Request, decide, embedded
from ml_compliance.law import catalog
from tests.policies import cases

# What the law of tests/policies/cases.py does not judge by; a lack of anything else has to cost the verdict.
UNREAD = re.compile(
    r"""input/project$
      | input/model/(name|version|uri|validation_report)(/|$)
      | input/evidence/\w+/(rows|reason|files)(/|$)
      | input/evidence/\w+/measurements/\d+/(interval|reason)(/|$)
      | input/evidence/fairness/facts/(attributes|significance)(/|$)
      | input/evidence/(fairness|data|explainability)/measurements/\d+/(n|positives|negatives)$
      | input/evidence/fairness/measurements/\d+/method/(over_every_group|tests)(/|$)
      | input/evidence/performance/facts(/|$)
      | input/evidence/data/facts/(suites(/|$)|schema_drift/\d+/(column|detail))
      | input/evidence/explainability/facts/(explainer|output|local)(/|$)
      | input/evidence/explainability/facts/report/path$
      | input/evidence/explainability/measurements/\d+/slice(/|$)
      | input/evidence/champion/facts/champion(/|$)
      | input/evidence/champion/measurements/\d+/method/(challenger|champion|relative/interval)(/|$)
      | input/evidence/approvals/facts/trainers/\d+/source$
      | input/evidence/(business_rules|robustness)/facts(/|$)
      | input/evidence/business_rules/measurements/\d+/method/(examples|selected)(/|$)
      | input/evidence/robustness/measurements/\d+/(method/seed|slice/strength)$
      | input/evidence/image/facts/signature(/|$)
      | input/evidence/image/facts/vulnerabilities/\d+/(installed|fixed|title|target)$
      | input/evidence/model_files/facts/files/\d+/(size|sha256|reason)$
      | input/evidence/deployment/facts/(scanner(/|$)|base_images/\d+/line$)
      | input/evidence/deployment/facts/misconfigurations/\d+/(line|title|message|resolution)$
      | input/evidence/drift/facts/left_out/\w+$
      | input/evidence/lineage/facts/(git|data_card/path|model/(?!registered)\w+)(/|$)
      | input/evidence/lineage/facts/artifacts/\w+/source$
    """,
    re.VERBOSE,
)
UNASKED = {"fairness/equalized_odds_difference", "fairness/true_positive_rate", "performance/roc_auc"}
PATHS = list(cases.paths(cases.ALLOWED))
EACH_WRONG = pytest.mark.parametrize("wrong", cases.WRONG, ids=["gone", *(repr(wrong) for wrong in cases.WRONG[1:])])
INSTANCE = cache(embedded.shipped)
_DEPTH_OF_A_MEASUREMENT = 5


@pytest.fixture(scope="module", autouse=True)
def free() -> Iterator[None]:
    yield
    INSTANCE.cache_clear()


def _verdict(submission: Any, law: Any) -> str:
    """By one instance, which is 5 times as fast as one for each of thousands of submissions."""
    data = {"mlpolicy": {"law": law}}
    return str(INSTANCE().evaluate(submission.get("input"), data)["verdict"])


def _same_kind(old: Any, new: Any) -> bool:
    """Text for text, and so on: another value is not a lack of evidence."""
    return type(old) is type(new) and bool(old) == bool(new)


def _at(path: cases.Path, document: Any = cases.ALLOWED) -> Any:
    value: Any = document
    for step in path:
        value = value[step]
    return value


def _read(path: cases.Path) -> bool:
    if "measurements" in path[:-2] and "coverage" not in path:
        measurement = _at(path[:_DEPTH_OF_A_MEASUREMENT])
        if measurement["name"] in UNASKED and path[-1] not in ("name", "status", "value"):
            return False
        if "slice" in measurement and path[2] == "fairness" and path[_DEPTH_OF_A_MEASUREMENT] == "method":
            return False
        if "slice" not in measurement and path[2] == "performance" and path[-1] in ("n", "positives", "negatives"):
            return False
    return not UNREAD.match(_written(path))


def _written(path: cases.Path) -> str:
    return "/".join(map(str, path))


def _allowed(wrong: Any, law: Any) -> set[str]:
    """The places of the allowed submission where `wrong` can stand and `law` allows it."""
    return {
        _written(path) for path in PATHS
        if not (wrong is not cases.GONE and _same_kind(_at(path), wrong))
        and _verdict(cases.changed(cases.ALLOWED, path, wrong), law) == "allowed"
    }  # fmt: skip


@pytest.mark.parametrize("law", [cases.LAW, cases.STRICT], ids=["allowed", "denied"])
def test_no_lack_turns_deny_into_allow(law: Any, opa: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On every item of the law alone; where it is satisfied, on what becomes of it with one other value."""
    found = check(None, [cases.ALLOWED], law)
    with capsys.disabled():
        print(f"\n{found.tried} lacks tried on {len(found.policies)} items of the law")  # noqa: T201
    assert found.opened == ()
    assert found.tried > 1000 * len(found.policies)


def test_every_family_of_rules_is_tried() -> None:
    assert {item["type"] for item in cases.LAW["policies"]} == catalog()["types"].keys()


@EACH_WRONG
def test_what_the_policy_reads_cannot_be_missing(wrong: Any) -> None:
    read = {_written(path) for path in PATHS if _read(path)}
    assert _allowed(wrong, cases.LAW) & read == set()


def test_most_of_what_is_submitted_is_read() -> None:
    assert sum(map(_read, PATHS)) > len(PATHS) / 3


def test_a_removed_law_allows_nothing() -> None:
    for path in cases.paths(cases.LAW):
        for wrong in (cases.GONE, None, []):
            law = cases.changed(cases.LAW, path, wrong)
            optional = path[-1] in (
                "dataset",
                "slices",
                "decide_on",
                "requirement",
                "technique",
                "report_format",
                "severity",
                "max_failed_expectations",
                "schema_drift",
                "sbom",
                "secrets",
                "critical",
                "high",
                "allowed",
                "code",
                "severities",
                "checks",
                "pinned_base",
                "base_images",
                "forbidden_proxies",
                "minimum",
                "project",
                "digest",
            )
            assert _verdict(cases.ALLOWED, law) != "allowed" or optional or path[:1] == ("minimum",) or (
                len(path) > 1 and isinstance(path[-1], int)), (path, wrong)  # fmt: skip


# An edit that is taken back is no lack: "waiver edited" is the one that counts, with a word added to it.
DENIED_WAIVERS = {
    name: case for name, case in cases.waiver_cases().items()
    if name != "waiver edited" and _verdict(*case) == "denied"
}  # fmt: skip


@pytest.mark.parametrize("name", DENIED_WAIVERS)
def test_nothing_taken_out_of_a_waiver_makes_it_count(name: str) -> None:
    submission, law = DENIED_WAIVERS[name]
    about = [path for path in cases.paths(submission) if path[1:2] in (("waivers",), ("created",), ("model",))]
    for path, wrong in itertools.product(about, cases.WRONG):
        if wrong is cases.GONE or not _same_kind(_at(path, submission), wrong):
            assert _verdict(cases.changed(submission, path, wrong), law) != "allowed", (path, wrong)


@pytest.mark.parametrize(
    ("waiver", "law"), [
        ({**cases.WAIVER, "ceiling": 0.2}, cases.WAIVED_LAW),
        # For all rows, for one more group, and for the group that violates: what is left does not cover more.
        ({**cases.SLICE_WAIVER, "slice": {"race": "white"}}, cases.SLICE_LAW),
        ({**cases.SLICE_WAIVER, "slice": {"race": "Black", "sex": "female"}, "coverage": {"slice": 2, "across": 0}},
         cases.SLICE_LAW),
    ],
)  # fmt: skip
def test_nothing_taken_out_of_a_submission_with_a_waiver_allows_it(waiver: Any, law: Any) -> None:
    submission = cases.waiving(waiver)
    assert _verdict(submission, law) == "denied"
    for path in cases.paths(submission):
        for wrong in (cases.GONE, None, {}, "text"):
            assert _verdict(cases.changed(submission, path, wrong), law) != "allowed", (path, wrong)


def test_examples_are_what_they_are_called() -> None:
    assert decide(Request(cases.ALLOWED, cases.LAW), "embedded").verdict == "allowed"
    denied = decide(Request(cases.ALLOWED, cases.STRICT), "embedded")
    assert denied.verdict == "denied"
    assert {finding.policy for finding in denied.violations} == {
        "fair", "ratio", "good", "loss", "explained", "known", "valid", "private", "calibrated", "stable", "whole",
        "no_worse", "better", "as_sure", "four_fifths", "robust", "limits", "approved", "scanned", "built", "proxies",
        "harmless", "deployed",
    }  # fmt: skip
