"""The report files that GitLab reads: valid by its documentation, and inside its limits."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from ml_compliance.model import Evidence, Measurement, Report
from ml_compliance.publish import codequality, dotenv, metrics
from tests.publish import reports
from tests.publish.test_sinks import REPORTS

# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]+$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!/|\\./).+"},
                    "lines": {"required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
}
ANY_TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from('\\"\n{},=# $'), max_size=40)


def samples(report: Report) -> dict[tuple[str, ...], float]:
    """Name and labels of every sample → its value, as the reference parser reads them."""
    text = metrics.render(report).text
    assert text.endswith("# EOF\n")
    return {
        (sample.name, *(f"{key}={value}" for key, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


@pytest.mark.parametrize("name", REPORTS)
def test_metrics_say_what_the_report_says(name: str) -> None:
    report = REPORTS[name]()
    found = samples(report)
    assert found["ml_compliance_allowed",] == report.decision.allow
    assert found["ml_compliance_errors",] == len(report.decision.errors)
    high = [finding for finding in report.decision.violations if finding.severity == "high"]
    assert found["ml_compliance_findings", "kind=violations", "severity=high"] == len(high)


def test_metrics_have_the_numbers_over_all_rows_and_no_group() -> None:
    found = samples(reports.denied())
    assert found["ml_compliance_measurement", "name=performance/roc_auc"] == 0.81
    parity = ("ml_compliance_measurement", "across=race", "name=fairness/demographic_parity_difference")
    assert found[parity] == 0.2165
    assert not [labels for labels in found if "Black" in str(labels)]


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=4))
def test_metrics_of_any_name_are_read(names: list[tuple[str, str]]) -> None:
    odd = tuple(Measurement(f"x/{name}", 1.5, across=(across,)) for name, across in names)
    found = samples(replace(reports.allowed(), evidence=(Evidence("x", "measured", odd),)))
    read = [value for labels, value in found.items() if labels[0] == "ml_compliance_measurement"]
    assert set(read) == ({1.5} if names else set())


# https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv, and the limits of a self-managed instance.
@pytest.mark.parametrize("name", REPORTS)
def test_dotenv_is_inside_every_limit(name: str) -> None:
    text = dotenv.render(REPORTS[name]()).text
    lines = text.splitlines()
    assert len(text.encode()) < 5 * 1024
    assert len(lines) <= 20
    assert [line for line in lines if not re.fullmatch(r"[A-Z_]+=[A-Za-z0-9:._-]*", line)] == []


def test_dotenv_tells_verdict_counts_and_digests() -> None:
    report = reports.denied()
    told = dict(line.split("=") for line in dotenv.render(report).text.splitlines())
    assert told["ML_COMPLIANCE_VERDICT"] == "denied"
    assert told["ML_COMPLIANCE_DECISION_ID"] == report.decision.id
    assert told["ML_COMPLIANCE_VIOLATIONS"] == "3"
    assert (told["ML_COMPLIANCE_WARNINGS"], told["ML_COMPLIANCE_WAIVED"]) == ("1", "1")


@pytest.mark.parametrize("name", REPORTS)
def test_code_quality_is_valid(name: str) -> None:
    text = codequality.render(REPORTS[name]()).text
    assert not text.startswith("\ufeff")
    Draft202012Validator(CODE_QUALITY).validate(json.loads(text))
