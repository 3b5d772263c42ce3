"""GitLab's report of what is in an image: valid by the format's description, and nothing where nothing was scanned."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from ml_compliance import gate
from ml_compliance.model import Report
from ml_compliance.publish import container_scanning
from tests import images, project, scans
from tests.publish import hostile, reports
from tests.publish.test_sinks import REPORTS

NAME = "gl-container-scanning-report.json"
TEXT = {"type": "string", "minLength": 1}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}
TOOL = {
    "type": "object", "required": ["id", "name", "version", "vendor"],
    "properties": {"id": TEXT, "name": TEXT, "version": TEXT, "url": {"type": "string", "pattern": "^https?://.+"},
                   "vendor": {"type": "object", "required": ["name"], "properties": {"name": TEXT}}},
}  # fmt: skip
IDENTIFIER = {
    "type": "object", "required": ["type", "name", "value"],
    "properties": {"type": TEXT, "name": {**TEXT, "maxLength": 255}, "value": {**TEXT, "maxLength": 255},
                   "url": {"type": "string", "pattern": "^(https?|ftp)://.+"}},
}  # fmt: skip
LOCATION = {
    "type": "object", "required": ["dependency", "operating_system", "image"], "additionalProperties": False,
    "properties": {
        "operating_system": {**TEXT, "maxLength": 255},
        "image": {**TEXT, "pattern": r"^[^:]+(:\d+[^:]*)?:[^:]+(:[^:]+)?$"},
        "dependency": {
            "type": "object", "required": ["package"],
            "properties": {
                "version": {"type": "string"},
                "package": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            },
        },
    },
}  # fmt: skip
# Written from the description of the format, version 15, at
# https://gitlab.com/gitlab-org/security-products/security-report-schemas: what it says of the fields that are used.
# GitLab allows others; here they are mistakes.
FORMAT: dict[str, Any] = {
    "type": "object", "required": ["scan", "version", "vulnerabilities"], "additionalProperties": False,
    "properties": {
        "version": {"type": "string", "pattern": r"^15\.\d+\.\d+$"},
        "schema": {"type": "string", "pattern": "^https?://.+"},
        "scan": {
            "type": "object", "additionalProperties": False,
            "required": ["analyzer", "scanner", "start_time", "end_time", "status", "type"],
            "properties": {
                "type": {"const": "container_scanning"}, "status": {"enum": ["success", "failure"]},
                "start_time": MOMENT, "end_time": MOMENT, "analyzer": TOOL, "scanner": TOOL,
                "messages": {"type": "array", "items": {
                    "type": "object", "required": ["level", "value"],
                    "properties": {"level": {"enum": ["info", "warn", "fatal"]}, "value": TEXT},
                }},
            },
        },
        "vulnerabilities": {"type": "array", "items": {
            "type": "object", "required": ["id", "identifiers", "location"], "additionalProperties": False,
            "properties": {
                "id": TEXT, "name": {"type": "string", "maxLength": 255},
                "description": {"type": "string", "maxLength": 1_048_576},
                "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
                "solution": {"type": "string", "maxLength": 7_000},
                "identifiers": {"type": "array", "minItems": 1, "items": IDENTIFIER},
                "location": LOCATION,
            },
        }},
    },
}  # fmt: skip


def rendered(report: Report) -> dict[str, Any]:
    """The document, which GitLab would take: each vulnerability once."""
    artifact = container_scanning.render(report)
    assert artifact is not None
    assert artifact.name == NAME
    found: dict[str, Any] = json.loads(artifact.text)
    Draft7Validator(FORMAT).validate(found)
    ids = [item["id"] for item in found["vulnerabilities"]]
    assert len(ids) == len(set(ids)) == len(set(map(uuid.UUID, ids)))
    return found


def test_every_vulnerability_is_there_once() -> None:
    found = rendered(reports.scanned())
    assert found["scan"]["start_time"] < found["scan"]["end_time"]
    assert (found["scan"]["status"], found["scan"]["messages"]) == ("success", [])
    first, second = found["vulnerabilities"]
    image = "registry.example.org:5000/credit@sha256:" + "ab" * 32
    assert first == {
        "id": first["id"],
        "name": "buffer overflow in ld.so",
        "description": "CVE-2023-4911 is in libc6 2.36-9+deb12u1: buffer overflow in ld.so",
        "severity": "High",
        "solution": "Upgrade libc6 to 2.36-9+deb12u3",
        "identifiers": [{"type": "cve", "name": "CVE-2023-4911", "value": "CVE-2023-4911",
                         "url": "https://nvd.nist.gov/vuln/detail/CVE-2023-4911"}],
        "location": {"image": image, "operating_system": "debian 12.1",
                     "dependency": {"package": {"name": "libc6"}, "version": "2.36-9+deb12u1"}},
    }  # fmt: skip
    assert (second["name"], second["identifiers"][0]["type"]) == ("GHSA-x84v-xcm2-53pg", "ghsa")
    assert "solution" not in second


def test_an_id_stays_while_image_and_place_move() -> None:
    """GitLab would else show what it knows as new, with every build of the image."""
    before, after = (
        [item["id"] for item in rendered(reports.scanned(reference=name))["vulnerabilities"]]
        for name in ("credit:1", "credit:2")
    )
    assert before == after


@pytest.mark.parametrize(
    ("reference", "image"),
    [
        ("credit:1", "credit:1"),
        ("registry.example.org:5000/credit:1", "registry.example.org:5000/credit:1"),
        ("registry.example.org/credit@sha256:" + "cd" * 32, "registry.example.org/credit@sha256:" + "cd" * 32),
        ("credit", "credit@sha256:" + "ab" * 32),
        ("images/credit.tar", "images/credit.tar@sha256:" + "ab" * 32),
        ("a:b/c:d/e:f.tar", "a_b/c_d/e_f.tar@sha256:" + "ab" * 32),
    ],
)
def test_an_image_is_named_as_gitlab_takes_it(reference: str, image: str) -> None:
    assert rendered(reports.scanned(reference=reference))["vulnerabilities"][0]["location"]["image"] == image


def test_an_image_without_findings_is_a_report_too() -> None:
    """The widget then says that there are none, and what the target branch has counts as fixed."""
    assert rendered(reports.scanned(vulnerabilities=[], os=None))["vulnerabilities"] == []


def test_what_is_left_out_and_what_could_not_be_scanned_is_said() -> None:
    report = reports.scanned(suppressed=[{"cve": "CVE-2023-5363"}])
    evidence = tuple(replace(item, reason="no package was recognised") for item in report.evidence)
    messages = rendered(replace(report, evidence=evidence))["scan"]["messages"]
    assert [item["level"] for item in messages] == ["warn", "info"]
    assert messages[0]["value"] == "no package was recognised"
    assert messages[1]["value"].startswith("1 vulnerability is left out")


def test_a_vulnerability_that_is_waived_is_still_in_the_image() -> None:
    report = reports.scanned()
    allowed = replace(report, decision=reports.decision(verdict="allowed", violations=(), waived=(reports.WAIVED,)))
    assert rendered(allowed)["vulnerabilities"] == rendered(report)["vulnerabilities"]


@pytest.mark.parametrize("name", sorted(set(REPORTS) - {"hostile"}))
def test_without_a_scan_there_is_no_report(name: str, tmp_path: Path) -> None:
    assert container_scanning.render(REPORTS[name]()) is None
    written = gate.publish(REPORTS[name](), tmp_path)
    assert NAME not in {path.name for path in written}
    assert not (tmp_path / NAME).exists()
    assert (tmp_path / "junit.xml").exists()


@pytest.mark.parametrize("status", ["error", "missing", "declared", "not_estimable"])
def test_a_scan_that_broke_off_is_no_scan(status: Any) -> None:
    broken = replace(reports.image(), status=status)
    assert container_scanning.render(reports.report(reports.decision(), (broken,))) is None


@pytest.mark.parametrize(
    "scan", [None, {}, [], {"started": "2026-11-23T00:00:00"}, {"started": "now", "ended": "then"}]
)
def test_a_scan_of_no_known_time_is_none(scan: Any) -> None:
    assert container_scanning.render(reports.scanned(scan=scan)) is None


@given(st.sampled_from(hostile.STRINGS) | st.text(max_size=300))
def test_whatever_things_are_called_it_is_valid(text: str) -> None:
    rendered(reports.report(reports.decision(), (reports.image(text),)))


def test_a_real_scan(tmp_path: Path) -> None:
    made = project.make(tmp_path)
    images.archive(images.image(images.DEBIAN), tmp_path / "credit.tar")
    made.write("compliance.yaml", project.FACTS + scans.facts("{archive: credit.tar}"))
    made.write("compliance_policy.yaml", "project: loans\npolicies:\n  - {id: scanned, type: image}\n")
    assert made.run("gate").code == 1
    found = json.loads((made.out / NAME).read_text())
    Draft7Validator(FORMAT).validate(found)
    assert {(item["identifiers"][0]["value"], item["severity"]) for item in found["vulnerabilities"]} == {
        ("CVE-2023-45853", "Critical"), ("CVE-2023-4911", "High"), ("CVE-2018-18074", "High"),
    }  # fmt: skip
    assert {item["location"]["operating_system"] for item in found["vulnerabilities"]} == {"debian 12.1"}
    assert found["scan"]["scanner"]["version"] == "0.67.2"
    # GitLab reads bills of materials of these versions: https://gitlab.com/gitlab-org/gitlab/-/issues/472837
    assert json.loads((made.out / "image.cdx.json").read_text())["specVersion"] in ("1.4", "1.5", "1.6")
    made.write("compliance.yaml", project.FACTS)
    made.run("gate")
    assert not (made.out / NAME).exists()
