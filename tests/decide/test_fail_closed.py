"""Absence of evidence is never a pass: whatever is taken out of a submission, it does not turn deny into allow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from ml_compliance.decide import Request, decide, embedded
from tests.policies import cases

# What the law of tests/policies/cases.py does not judge by; a lack of anything else has to cost the verdict.
UNREAD = re.compile(
    r"""input/project$
      | input/model/(name|version|uri|validation_report)(/|$)
      | input/evidence/\w+/(rows|reason|files)(/|$)
      | input/evidence/\w+/measurements/\d+/(interval|reason)(/|$)
      | input/evidence/fairness/facts/attributes(/|$)
      | input/evidence/(fairness|data|explainability)/measurements/\d+/(n|positives|negatives)$
      | input/evidence/fairness/measurements/\d+/method/over_every_group$
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
      | input/evidence/drift/facts/(not_compared|ignored)(/|$)
      | input/evidence/lineage/facts/(git|data_card/path|model/(?!registered)\w+)(/|$)
      | input/evidence/lineage/facts/artifacts/\w+/source$
    """,
    re.VERBOSE,
)
UNASKED = {"fairness/equalized_odds_difference", "fairness/true_positive_rate", "performance/roc_auc"}
PATHS = list(cases.paths(cases.ALLOWED))
EACH_WRONG = pytest.mark.parametrize("wrong", cases.WRONG, ids=["gone", *(repr(wrong) for wrong in cases.WRONG[1:])])
INSTANCE = cache(embedded._Instance)
_DEPTH_OF_A_MEASUREMENT = 5


@pytest.fixture(scope="module", autouse=True)
def free() -> Iterator[None]:
    yield
    INSTANCE.cache_clear()


def _verdict(submission: Any, law: Any) -> str:
    """By one instance, which is 5 times as fast as one for each of thousands of submissions."""
    data = {"mlpolicy": {"law": law}}
    return str(INSTANCE().evaluate(json.dumps(submission.get("input")), json.dumps(data))["verdict"])


def _same_kind(old: Any, new: Any) -> bool:
    """Text for text, and so on: another value is not a lack of evidence."""
    return type(old) is type(new) and bool(old) == bool(new)


def _at(path: cases.Path) -> Any:
    value: Any = cases.ALLOWED
    for step in path:
        value = value[step]
    return value


def _read(path: cases.Path) -> bool:
    if "measurements" in path[:-2] and "coverage" not in path:
        measurement = _at(path[:_DEPTH_OF_A_MEASUREMENT])
        if measurement["name"] in UNASKED and path[-1] not in ("name", "status", "value"):
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


@EACH_WRONG
def test_nothing_taken_out_turns_deny_into_allow(wrong: Any) -> None:
    assert _allowed(wrong, cases.STRICT) == set()


VIOLATED = [item for item in cases.STRICT["policies"] if item["id"] != "kept"]


@pytest.mark.parametrize("policy", VIOLATED, ids=lambda policy: policy["id"])
def test_nothing_taken_out_satisfies_a_violated_policy(policy: Any) -> None:
    """Each item alone, so that no other violation hides that a lack of evidence satisfied it."""
    law = cases.law(policy)
    assert _verdict(cases.ALLOWED, law) == "denied"
    for wrong in (cases.GONE, None, {}):
        assert _allowed(wrong, law) == set()


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
                "forbidden_proxies",
                "minimum",
                "project",
                "digest",
            )
            assert _verdict(cases.ALLOWED, law) != "allowed" or optional or path[:1] == ("minimum",) or (
                len(path) > 1 and isinstance(path[-1], int)), (path, wrong)  # fmt: skip


def test_examples_are_what_they_are_called() -> None:
    assert decide(Request(cases.ALLOWED, cases.LAW), "embedded").verdict == "allowed"
    denied = decide(Request(cases.ALLOWED, cases.STRICT), "embedded")
    assert denied.verdict == "denied"
    assert {finding.policy for finding in denied.violations} == {
        "fair", "ratio", "good", "loss", "explained", "known", "valid", "private", "calibrated", "stable", "whole",
        "no_worse", "better", "as_sure", "four_fifths", "robust", "limits", "approved", "scanned", "built", "proxies",
    }  # fmt: skip
