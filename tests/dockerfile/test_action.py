"""A workflow that builds the model's image from our Dockerfile and lets the gate judge image, Dockerfile and model.

The database of the tests knows one thing about it: CVE-2023-45853 in zlib, which Debian 12 has not fixed. So it is
denied; it is allowed once a VEX document says why that does not affect it: Debian does not build that part of zlib.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.demo import models
from tests import scans
from tests.actions import rig as actions
from tests.actions.projects import COLUMNS
from tests.dockerfile import rig

TAG = "localhost/loans:3"
WORKFLOW = """\
on: push
permissions: {{}}
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: {checkout}
      - run: {build}
      - run: buildah push --quiet {tag} docker-archive:image.tar
      - uses: org/ml-compliance@v1
        id: vulnerable
        continue-on-error: true
        with: {{out: vulnerable, artifact: vulnerable}}
      - uses: org/ml-compliance@v1
        id: explained
        with: {{config: explained.yaml, out: explained, artifact: explained}}
"""
FACTS = """\
project: loans
model: {{uri: model}}
{columns}deployment: {{files: [Dockerfile]}}
{scan}"""
LAW = """\
project: loans
policies:
  - {id: scanned, type: image}
  - {id: known, type: supply_chain}
  - {id: hardened, type: deployment, severities: [critical, high, medium, low, unknown]}
  - {id: harmless, type: model_files}
"""
VEX = {
    "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/zlib", "author": "risk",
    "timestamp": "2026-11-01T00:00:00Z", "version": 1,
    "statements": [{
        "vulnerability": {"name": "CVE-2023-45853"}, "products": [{"@id": "pkg:deb/debian/zlib1g"}],
        "status": "not_affected", "justification": "vulnerable_code_not_present",
        "impact_statement": "It is in minizip, which Debian does not build into zlib1g.",
    }],
}  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """What the run left: act's records, the repository, and what the builder says of the image."""

    run: actions.Run
    repository: Path
    image: dict[str, Any]

    def document(self, gate: str, name: str) -> Any:
        return json.loads((self.run.artifacts / gate / name).read_text(encoding="utf-8"))

    def facts(self, gate: str, evidence: str) -> Any:
        """The facts of one piece of evidence, as they were submitted to the policy."""
        return self.document(gate, "model_submission.json")["input"]["evidence"][evidence]["facts"]

    def violations(self, gate: str) -> list[tuple[str, str]]:
        return [(one["rule"], one["title"]) for one in self.document(gate, "decision.json")["violations"]]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """One run, in which there is no network from the first step to the last."""
    scratch = tmp_path_factory.mktemp("act")
    with rig.building(scratch / "builder") as builder:
        ours = actions.checkout(scratch / "ml-compliance")
        repository = consumer(scratch / "repository")
        build = shlex.join(builder.command(Path("model"), TAG, Path("Dockerfile")))
        workflow = WORKFLOW.format(checkout=actions.CHECKOUT, build=json.dumps(build), tag=TAG)
        actions.repository(repository, workflow)
        told: dict[str, Any] = {**builder.environment}
        run = actions.act(repository, ours, scratch, **told)
        yield Judged(run, repository, dict(builder.configuration(TAG)))


def consumer(folder: Path) -> Path:
    """A repository with our Dockerfile, the demo's model, facts and law."""
    folder.mkdir()
    rig.save_model(folder / "model")
    (folder / "Dockerfile").write_bytes(rig.DOCKERFILE.read_bytes())
    (folder / "zlib.json").write_text(json.dumps(VEX), encoding="utf-8")
    (folder / "compliance_policy.yaml").write_text(LAW, encoding="utf-8")
    for name, vex in (("compliance", ""), ("explained", ", vex: [zlib.json]")):
        facts = FACTS.format(columns=COLUMNS, scan=scans.facts(f"{{archive: image.tar{vex}}}"))
        (folder / f"{name}.yaml").write_text(facts, encoding="utf-8")
    _, holdout = models.split(models.applications())
    holdout.to_csv(folder / "holdout.csv", index=False)
    return folder


def test_what_is_known_of_its_packages_denies_the_image(judged: Judged) -> None:
    assert judged.run.outputs("vulnerable")["verdict"] == "denied", judged.run.text
    assert judged.violations("vulnerable") == [
        ("image.vulnerability", "CVE-2023-45853 is in zlib1g 1:1.2.13.dfsg-1")
    ]  # fmt: skip


def test_the_image_is_allowed_once_it_is_said_why_that_does_not_affect_it(judged: Judged) -> None:
    assert judged.run.code == 0
    assert judged.run.outputs("explained")["verdict"] == "allowed", judged.violations("explained")
    assert judged.facts("explained", "image")["vulnerabilities"] == []
    suppressed = judged.facts("explained", "image")["suppressed"]
    assert [(one["cve"], one["status"]) for one in suppressed] == [("CVE-2023-45853", "not_affected")]


@pytest.mark.parametrize("gate", ["vulnerable", "explained"])
def test_the_evidence_is_of_the_image_that_was_built(judged: Judged, gate: str) -> None:
    facts = judged.facts(gate, "image")
    assert (facts["digest"], facts["digest_of"]) == (f"sha256:{judged.image['Id']}", "configuration")
    assert facts["os"]["family"] == "debian"
    assert (facts["secrets"], facts["misconfigurations"]) == ([], [])
    bill = (judged.run.artifacts / gate / "image.cdx.json").read_bytes()
    assert facts["sbom"]["sha256"] == sha256(bill).hexdigest()
    names = {one["name"] for one in json.loads(bill)["components"]}
    locked = {word.partition("==")[0] for word in models.requirements()}
    assert locked | {"zlib1g", "libssl3", "python3.11-minimal", "uvicorn"} <= names


def test_the_evidence_is_of_our_dockerfile_and_the_model(judged: Judged) -> None:
    deployment = judged.facts("explained", "deployment")
    assert deployment["checked_files"] == ["Dockerfile"]
    assert deployment["misconfigurations"] == []
    assert [one["pinned"] for one in deployment["base_images"]] == [True, True]
    read = {file["path"]: file["sha256"] for name in ("deployment", "model_files")
            for file in judged.document("explained", f"evidence/{name}.json")["files"]}  # fmt: skip
    assert read["Dockerfile"] == sha256(rig.DOCKERFILE.read_bytes()).hexdigest()
    assert read["model/model.skops"] == sha256((judged.repository / "model" / "model.skops").read_bytes()).hexdigest()
