"""What scanning needs in the tests: Trivy, a database of a few real advisories, and a project that is judged."""

from __future__ import annotations

import atexit
import functools
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ml_compliance import tools
from tests import project
from tests.images import Image, packed
from tests.programs import required

ADVISORIES = Path(__file__).parent / "trivy_db" / "advisories.json"
LAW = """\
  - id: scanned
    type: image
  - id: known
    type: supply_chain
"""
DB_LAYER = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip"


@functools.cache
def cache() -> Path:
    """A cache of Trivy with the database, made once per test run."""
    required("trivy")
    folder = Path(tempfile.mkdtemp(prefix="ml-compliance-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run([required("trivydb"), str(ADVISORIES), str(folder / "db")], check=True, capture_output=True)
    return folder


def aged(folder: Path, days: float) -> Path:
    """A cache in `folder` whose database was made so many days ago."""
    shutil.copytree(cache() / "db", folder / "db")
    path = folder / "db" / "metadata.json"
    made = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    path.write_text(json.dumps({**json.loads(path.read_text()), "UpdatedAt": made}))
    return folder


def database_artifact() -> Image:
    """The database as registries carry it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as file:
        for path in sorted((cache() / "db").iterdir()):
            file.add(path, path.name)
    title = {"org.opencontainers.image.title": "db.tar.gz"}
    return packed(b"{}", "application/vnd.aquasec.trivy.config.v1+json", content.getvalue(), DB_LAYER, **title)


def mirror(folder: Path) -> Path:
    """A mirror: the real Trivy in an archive like its publisher's, with the shipped lock but for the digest of that."""
    document = tools.read_lock()
    asset = tools.pinned("trivy", document)
    archive = folder / asset.url.rsplit("/", 1)[1]
    folder.mkdir()
    with tarfile.open(archive, "w:gz", compresslevel=1) as file:
        file.add(ADVISORIES, "README.md")
        file.add(Path(required("trivy")).resolve(), "trivy")
    document["trivy"]["assets"][asset.platform]["sha256"] = tools.sha256(archive)
    lock = folder / "tools.lock.json"
    lock.write_text(json.dumps(document))
    return lock


def facts(image: str, **scanner: object) -> str:
    """The lines of compliance.yaml about an image, scanned offline unless said otherwise."""
    settings = {"cache": str(cache()), "offline": True, **scanner}
    return f"image: {image}\nscanner: {json.dumps(settings)}\n"


def gate_on(folder: Path, image: str, law: str = LAW, **scanner: object) -> project.Project:
    """A project whose image is judged."""
    made = project.make(folder)
    made.write("compliance.yaml", project.FACTS + facts(image, **scanner))
    made.write("compliance_policy.yaml", f"project: loans\nwaivers: {{max_days: 40000}}\npolicies:\n{law}")
    return made


def judge(made: project.Project, *names: str) -> project.Result:
    """Measure some things alone (the image), and decide: the gate's answer without what else it measures."""
    # Without lineage a model has no name, and waivers are for named models.
    measured = made.run("measure", *(names or ("image",)), "lineage")
    if measured.code == 2:
        return measured
    assert made.run("submit").code == 0
    decided = made.run("decide")
    return project.Result(decided.code, measured.out + decided.out, measured.err + decided.err)


def evidence(made: project.Project, name: str = "image") -> dict[str, Any]:
    """What was measured of one thing."""
    found: dict[str, Any] = json.loads((made.out / "evidence" / f"{name}.json").read_text())
    return found


def counts(found: dict[str, Any], name: str = "image") -> dict[str, float]:
    """How many vulnerabilities there are of each severity."""
    return {
        one["slice"]["severity"]: one["value"]
        for one in found["measurements"] if one["name"] == f"{name}/vulnerabilities"
    }  # fmt: skip


def violations(made: project.Project) -> set[tuple[str, str]]:
    """Rule and title of each."""
    decision = json.loads((made.out / "decision.json").read_text())
    return {(one["rule"], one["title"]) for one in decision["violations"]}
