"""Programs that an action installs: from a folder, with no network, verified, and found by the steps after it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ml_compliance import tools
from tests import images, project, scans
from tests.actions import rig

WORKFLOW = f"""\
on: push
permissions: {{}}
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: {rig.CHECKOUT}
      - uses: org/ml-compliance/actions/scan-image@v1
        id: unplugged
        continue-on-error: true
      - uses: org/ml-compliance/actions/scan-image@v1
        id: scanned
        with: {{fail-on: never}}
        env: {{ML_COMPLIANCE_TOOLS_MIRROR: mirror}}
      - uses: org/ml-compliance/actions/setup@v1
        id: setup
        with: {{tools: " trivy "}}
      - env: {{PROGRAM: '${{{{ steps.setup.outputs.program }}}}'}}
        run: '"$PROGRAM" tools list'
      - uses: org/ml-compliance/actions/setup@v1
        id: unknown
        continue-on-error: true
        with: {{tools: trivy no-such-program}}
"""
LAW = "project: loans\npolicies:\n  - id: scanned\n    type: image\n"


def without(program: str) -> str:
    """PATH without the folders that have `program`."""
    return os.pathsep.join(folder for folder in os.get_exec_path() if not (Path(folder) / program).exists())


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's cache, where nothing is installed."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def run(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> rig.Run:
    scratch = tmp_path_factory.mktemp("tools")
    repository = scratch / "repository"
    repository.mkdir()
    made = project.make(repository)
    images.archive(images.image(images.DEBIAN), repository / "credit.tar")
    made.write("compliance.yaml", project.FACTS + scans.facts("{archive: credit.tar}"))
    made.write("compliance_policy.yaml", LAW)
    rig.repository(repository, WORKFLOW)
    scans.mirror(repository / "mirror")
    uv = Path(sys.executable).with_name("uv")
    packages = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    return rig.act(
        repository, rig.checkout(scratch / "ours"), scratch, PATH=without("trivy"), XDG_CACHE_HOME=str(cache),
        UV_CACHE_DIR=packages, ML_COMPLIANCE_TOOLS_LOCK="mirror/tools.lock.json",
    )  # fmt: skip


def test_without_a_network_the_message_says_what_to_do(run: rig.Run) -> None:
    assert run.result("unplugged") == "failure"
    assert run.annotations("error")[0]["message"].startswith("trivy could not be installed")
    assert "trivy_0.67.2_" in run.text
    assert "name a mirror, or a folder that has it: --mirror, or ML_COMPLIANCE_TOOLS_MIRROR" in run.text


def test_trivy_is_installed_from_the_folder_and_scans(run: rig.Run) -> None:
    assert run.outputs("scanned")["exit-code"] == "1"
    assert "CVE-2023-45853" in run.text


def test_later_steps_find_it_where_it_was_installed(run: rig.Run, cache: Path) -> None:
    assert run.result("setup") == "success"
    version = tools.read_lock()["trivy"]["version"]
    assert f"{cache}/ml-compliance/bin/trivy-{version}\n" in run.text.split("pinned for")[-1]


def test_a_program_that_the_lock_has_not_is_refused(run: rig.Run) -> None:
    assert run.result("unknown") == "failure"
    assert "the lock has no program 'no-such-program'" in run.text
    assert run.annotations("error")[-1]["message"].startswith("no-such-program could not be installed")
