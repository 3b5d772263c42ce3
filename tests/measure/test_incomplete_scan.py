"""Scans that could not be finished and databases that cannot be used: there is no verdict, and the reason is told."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest

from ml_compliance.errors import EvaluationError
from ml_compliance.measure import _trivy_database
from ml_compliance.measure._trivy import Trivy, program
from tests import images, project, scans
from tests.programs import required
from tests.registry import Registry, serving
from tests.scans import evidence, gate_on, judge
from tests.test_preregistration import git


@pytest.fixture
def clean(tmp_path: Path) -> str:
    """An image that would be allowed."""
    images.archive(images.image(images.CLEAN), tmp_path / "credit.tar")
    return "{archive: credit.tar}"


def incomplete(made: project.Project, why: str) -> None:
    """The gate gives no verdict, and says why."""
    result = judge(made)
    assert result.code == 3, result.out
    assert evidence(made)["status"] == "error"
    assert why in evidence(made)["reason"]
    assert why in " ".join(json.loads((made.out / "decision.json").read_text())["errors"])
    assert not (made.out / "image.cdx.json").exists()


def test_no_database(clean: str, tmp_path: Path) -> None:
    incomplete(gate_on(tmp_path, clean, cache=str(tmp_path / "none")), "there is no database of vulnerabilities")


def test_a_cache_that_the_repository_holds(clean: str, tmp_path: Path) -> None:
    """Whoever opens a pull request could bring along a database that knows of nothing."""
    scans.aged(tmp_path / "repository" / "cache", 1)
    made = gate_on(tmp_path / "repository", clean.replace("credit", "../credit"), cache="cache")
    assert judge(made).code == 0
    git(made.folder, "init", "-q")
    assert judge(made).code == 0
    git(made.folder, "add", "cache/db/metadata.json")
    refused = judge(made)
    assert refused.code == 2
    assert f"{made.folder}/cache: Trivy's cache is part of the repository" in refused.err


def test_a_stale_database(clean: str, tmp_path: Path) -> None:
    old = str(scans.aged(tmp_path / "old", 8))
    incomplete(gate_on(tmp_path, clean, cache=old), "the database is 8.0 days old, and the law allows 7")
    law = "  - {id: scanned, type: image, database_age_days: 9}\n"
    assert judge(gate_on(tmp_path, clean, law, cache=old)).code == 0


def test_a_database_from_the_future_or_without_a_date(clean: str, tmp_path: Path) -> None:
    incomplete(gate_on(tmp_path, clean, cache=str(scans.aged(tmp_path / "ahead", -3))), "from the future")
    (tmp_path / "ahead" / "db" / "metadata.json").write_text("{}")
    incomplete(gate_on(tmp_path, clean, cache=str(tmp_path / "ahead")), "it cannot be read when the database was made")


def test_another_database_than_the_pinned_one(clean: str, tmp_path: Path) -> None:
    incomplete(gate_on(tmp_path, clean, database_sha256="0" * 64), "the sha256 of the database is")
    pinned = images.digest((scans.cache() / "db" / "trivy.db").read_bytes())[7:]
    assert judge(gate_on(tmp_path, clean, database_sha256=pinned)).code == 0


def test_a_broken_archive(tmp_path: Path) -> None:
    (tmp_path / "credit.tar").write_bytes(b"no archive")
    incomplete(gate_on(tmp_path, "{archive: credit.tar}"), "the scan could not be finished")


# In place of Trivy: it answers as Trivy does, but for the one thing that goes wrong with a scan.
_PRETENDER = """\
#!/bin/sh
case "$1" in
  --version) echo "Version: 0.67.2"; exit 0;;
esac
while [ $# -gt 0 ]; do [ "$1" = --output ] && out=$2; shift; done
{what}
"""


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("kill -KILL $$", "trivy was ended by the signal SIGKILL"),
        ('printf %s \'{"SchemaVersion": 2, "Results": [\' > "$out"', "the report of trivy cannot be read"),
        ('echo \'{"SchemaVersion": 3}\' > "$out"', "the report of trivy has the SchemaVersion 3; 2 is known here"),
        ('echo "[]" > "$out"', "the report of trivy has the SchemaVersion None"),
        (
            'echo \'{"SchemaVersion": 2, "ArtifactType": "x", "Metadata": {}, "Results": [{"Vulnerabilities": [{}]}]}\''
            ' > "$out"',
            "the report of trivy is of another form",
        ),
        ("true", "the report of trivy cannot be read"),
        ("echo no space left on device >&2; exit 1", "no space left on device"),
    ],
)
def test_a_scan_that_breaks_off(
    what: str, why: str, clean: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _in_place_of_trivy(tmp_path, what, monkeypatch)
    incomplete(gate_on(tmp_path, clean), why)


def _in_place_of_trivy(folder: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bin").mkdir()
    pretender = folder / "bin" / "trivy"
    pretender.write_text(_PRETENDER.replace("{what}", what))
    pretender.chmod(pretender.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=":")


def test_a_timeout_ends_everything_that_was_started(
    clean: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = f"{tmp_path}/running"
    _in_place_of_trivy(tmp_path, f"(while :; do date > {mark}; sleep 0.1; done) & wait", monkeypatch)
    incomplete(gate_on(tmp_path, clean, timeout=2), "the scan was not finished within 2 s")
    last = Path(mark).stat().st_mtime_ns
    time.sleep(0.5)
    assert Path(mark).stat().st_mtime_ns == last


def test_a_full_disk(clean: str, tmp_path: Path) -> None:
    """Trivy's cache lies on a disk that the database fills, to the last byte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only who may mount has a disk to fill; the next test fills one file")
    try:
        scans.aged(disk, 0)
        with pytest.raises(OSError, match="No space left"):
            (disk / "full").write_bytes(b"0" * 5_000_000)
        incomplete(gate_on(tmp_path, clean, cache=str(disk)), "no space left on device")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert "make room" in " ".join(json.loads((tmp_path / "out" / "decision.json").read_text())["errors"])


def test_a_file_that_may_not_grow(clean: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real Trivy, which the kernel ends where it writes more than it may."""
    program = tmp_path / "bin" / "trivy"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nulimit -f 8\nexec {required("trivy")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    incomplete(gate_on(tmp_path, clean, cache=str(scans.aged(tmp_path / "own", 0))), "the scan could not be finished")


def test_a_report_that_cannot_be_written(tmp_path: Path, clean: str) -> None:
    """Trivy's own words, on a device that is always full."""
    trivy = Trivy(program(), scans.cache(), tmp_path, 60)
    with pytest.raises(EvaluationError, match="no space left on device") as raised:
        trivy.run("image", "--input", str(tmp_path / "credit.tar"), "--output", "/dev/full", "--format", "json",
                  "--scanners", "vuln", "--skip-db-update", "--offline-scan", "--skip-java-db-update")  # fmt: skip
    assert "make room" in raised.value.remedy


def test_a_registry_that_never_answers(tmp_path: Path) -> None:
    """The real Trivy waits for it; nobody waits for Trivy longer than the facts say."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        name = f"127.0.0.1:{silent.getsockname()[1]}/credit:1"
        started = time.monotonic()
        incomplete(gate_on(tmp_path, f"{{name: '{name}'}}", timeout=3), "within 3 s")
        assert time.monotonic() - started < 60


def test_a_database_that_is_cut_off(tmp_path: Path, clean: str) -> None:
    broken = scans.aged(tmp_path / "broken", 0)
    whole = (broken / "db" / "trivy.db").read_bytes()
    (broken / "db" / "trivy.db").write_bytes(whole[: len(whole) // 2])
    incomplete(gate_on(tmp_path, clean, cache=str(broken)), "the scan could not be finished")


def test_the_database_comes_from_the_first_mirror_that_has_it(
    clean: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_trivy_database, "WAITS", (0.0, 0.1))
    busy = Registry({"db:2": scans.database_artifact()}, refusals=100)
    good = Registry({"db:2": scans.database_artifact()}, refusals=1)
    with serving(busy), serving(good):
        mirrors = ["127.0.0.1:1/db:2", f"{busy.host}/db:2", f"{good.host}/db:2"]
        made = gate_on(tmp_path, clean, cache=str(tmp_path / "new"), offline=False, databases=mirrors)
        assert judge(made).code == 0, evidence(made)["reason"]
    assert busy.refusals < 100
    assert good.refusals == 0
    assert any("/blobs/" in path for path in good.asked)
    assert evidence(made)["facts"]["database"]["sha256"] == images.digest(
        (scans.cache() / "db" / "trivy.db").read_bytes())[7:]  # fmt: skip


def test_no_mirror_has_the_database(clean: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_trivy_database, "WAITS", (0.0, 0.0))
    with serving(Registry({}, refusals=1000)) as registry:
        mirrors = [f"{registry.host}/db:2"]
        made = gate_on(tmp_path, clean, cache=str(tmp_path / "new"), offline=False, databases=mirrors)
        incomplete(made, "TOOMANYREQUESTS")
    assert 3 <= sum("/manifests/" in path for path in registry.asked) < 30
