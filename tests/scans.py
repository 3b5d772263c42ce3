"""What scanning needs in the tests: Trivy, and a database of a few real advisories."""

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

from ml_compliance import tools
from tests.images import Image, packed
from tests.programs import required

ADVISORIES = Path(__file__).parent / "trivy_db" / "advisories.json"
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
