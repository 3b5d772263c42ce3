"""The template scan-image installs the lock's Trivy where the job's image has another version, and scans by it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from ml_compliance import tools
from tests import images, scans
from tests.ci_templates import consumer as example
from tests.ci_templates.consumer import TEMPLATES
from tests.project import FACTS

LAW = "project: loans\npolicies:\n  - id: scanned\n    type: image\n"


def test_the_lock_s_trivy_scans_where_another_is_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = example.make(tmp_path)
    images.archive(images.image(images.DEBIAN), consumer.folder / "credit.tar")
    consumer.write("compliance.yaml", FACTS + scans.facts("{archive: credit.tar}"))
    consumer.write("compliance_policy.yaml", LAW)
    shutil.copytree(TEMPLATES, consumer.folder / "ci")
    lock = scans.mirror(tmp_path / "mirror")
    old = tmp_path / "old" / "trivy"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho Version: 0.1.0\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent), prepend=os.pathsep)
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS_LOCK", str(lock))
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS_MIRROR", str(lock.parent))
    done = consumer.run(include={"local": "ci/scan-image.yml", "inputs": {"engine": "embedded"}})
    assert (done.code, done.verdict("scan-image")) == (1, "denied"), done.log
    assert "CVE-2023-45853" in done.log
    installed = tmp_path / "home" / ".cache" / "ml-compliance" / "bin"
    assert (installed / f"trivy-{tools.read_lock()['trivy']['version']}").is_file()
    # Without the mirror and with an empty folder nothing is judged, and the message says why.
    shutil.rmtree(installed)
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS_MIRROR", str(tmp_path / "nothing"))
    consumer.write("README.md", "again")
    done = consumer.run()
    assert re.search(r"scan-image finished in .* FAIL 3 ", done.log), done.log
    assert "name a mirror, or a folder that has it" in done.log
