"""SARIF: accepted by Microsoft's own validator, every finding on its line, and what is known of each."""

from __future__ import annotations

import gzip
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_compliance.model import Location, Report
from ml_compliance.publish import codequality, junit, sarif
from tests.programs import required
from tests.publish import reports
from tests.publish.test_machine_sinks import MANY, many
from tests.publish.test_sinks import REPORTS


@pytest.fixture(scope="module")
def multitool() -> str:
    return required("sarif-multitool")


@pytest.mark.parametrize("name", REPORTS)
def test_sarif_is_accepted(name: str, multitool: str, tmp_path: Path) -> None:
    path = tmp_path / "report.sarif"
    path.write_text(sarif.render(REPORTS[name]()).text, encoding="utf-8")
    done = subprocess.run([multitool, "validate", str(path)], capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if ": error" in line]
    assert (done.returncode, found) == (0, [])


def results(report: Report) -> list[dict[str, Any]]:
    run = json.loads(sarif.render(report).text)["runs"][0]
    found: list[dict[str, Any]] = run["results"]
    assert all(run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] for result in found)
    return found


def test_sarif_has_every_finding_on_its_line() -> None:
    decision = reports.denied().decision
    every = (*decision.violations, *decision.warnings, *decision.insufficient, *decision.waived)
    places = [
        (place["artifactLocation"]["uri"], place["region"]["startLine"])
        for result in results(reports.denied())
        for place in [result["locations"][0]["physicalLocation"]]
    ]
    assert sorted(places) == sorted((str(item.location and item.location.file), item.location.line if item.location
                                     else 0) for item in every)  # fmt: skip
    waived = [result for result in results(reports.denied()) if "suppressions" in result]
    assert [result["ruleId"] for result in waived] == [reports.WAIVED.rule]


def test_places_start_at_the_root_of_the_repository() -> None:
    below = replace(reports.denied(), folder="models/loan")
    first = results(below)[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    issue = json.loads(codequality.render(below).text)[0]
    assert {first, issue["location"]["path"]} == {"models/loan/compliance_policy.yaml"}
    assert 'file="models/loan/compliance_policy.yaml"' in junit.render(below).text


def test_a_finding_without_a_line_is_shown_all_the_same() -> None:
    lost = replace(reports.LINEAGE, location=None)
    alone = results(reports.report(reports.decision(violations=(lost,), warnings=(), insufficient=(), waived=())))
    assert alone[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


def test_a_vulnerability_has_a_rule_of_its_own_and_its_packages() -> None:
    run = json.loads(sarif.render(reports.vulnerable()).text)["runs"][0]
    found = {result["ruleId"]: result for result in results(reports.vulnerable()) if "cve" in result["properties"]}
    assert set(found) == {"image.vulnerability/CVE-2023-0001", "image.vulnerability/CVE-2023-0002"}
    assert found["image.vulnerability/CVE-2023-0001"]["properties"] == {
        "severity": "high", "policy": "image_001", "cve": "CVE-2023-0001", "packages": [
            {"package": package, "installed": "1.0", "fixed": "1.1", "location": "debian 12.1"}
            for package in ("zlib1g", "zlib1g-dev")
        ],
    }  # fmt: skip
    addresses = {rule["id"]: rule.get("helpUri") for rule in run["tool"]["driver"]["rules"]}
    assert addresses["image.vulnerability/CVE-2023-0002"] == "https://avd.aquasec.com/nvd/cve-2023-0002"
    assert {address for rule, address in addresses.items() if not rule.startswith("image")} == {None}


def test_a_vulnerability_without_evidence_is_named_all_the_same() -> None:
    bare = replace(reports.vulnerable(), evidence=())
    found = [result["properties"] for result in results(bare) if "cve" in result["properties"]]
    assert [(one["cve"], one["packages"]) for one in found] == [("CVE-2023-0001", []), ("CVE-2023-0002", [])]


@pytest.mark.parametrize("address", [
    "javascript:alert(1)", "http://example.org/a", "https://me:pass@example.org/", "https://example.org/a b",
    "https://example.org/\n", "https://", "//example.org/", "https://exämple.org/",
])  # fmt: skip
def test_no_other_address_is_handed_on(address: str) -> None:
    text = sarif.render(reports.vulnerable(address)).text
    assert "helpUri" not in text


def test_texts_of_a_scanner_are_neutral_in_sarif(multitool: str, tmp_path: Path) -> None:
    path = tmp_path / "report.sarif"
    path.write_text(sarif.render(reports.vulnerable(*reports.HOSTILE)).text, encoding="utf-8")
    assert subprocess.run([multitool, "validate", str(path)], capture_output=True, check=False).returncode == 0
    written = json.loads(path.read_text(encoding="utf-8"))["runs"][0]["results"]
    told = [text for one in written for affected in one["properties"].get("packages", ()) for text in affected.values()]
    assert len(told) == 4 * len(reports.HOSTILE)
    assert not [text for text in told if "](" in text or "\x1b" in text or "\u202e" in text]


def test_what_failed_is_notified() -> None:
    run = json.loads(sarif.render(reports.not_evaluated()).text)["runs"][0]
    told = run["invocations"][0]
    assert told["executionSuccessful"] is False
    assert "only nulls" in told["toolExecutionNotifications"][0]["message"]["text"]


def test_sarif_says_what_it_leaves_out() -> None:
    run = json.loads(sarif.render(many()).text)["runs"][0]
    assert len(run["results"]) == sarif.RESULTS
    assert len(gzip.compress(sarif.render(many()).text.encode())) < 10_000_000
    assert run["results"][0]["properties"]["severity"] == "critical"
    omitted = MANY + 3 - sarif.RESULTS
    assert f"{omitted:,} more findings" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=1, max_size=6), st.integers(1, 500))
def test_fingerprints_differ_and_outlive_numbers_and_lines(values: list[float], line: int) -> None:
    def prints(values: list[float], line: int) -> list[str]:
        findings = tuple(
            replace(reports.DISPARITY, value=value, message=str(value), location=Location("law.yaml", line))
            for value in values
        )
        report = reports.report(reports.decision(violations=findings, warnings=(), insufficient=()))
        return [issue["fingerprint"] for issue in json.loads(codequality.render(report).text)]

    first = prints(values, line)
    assert len(set(first)) == len(values)
    assert first == prints([value + 1 for value in values], line + 1)
