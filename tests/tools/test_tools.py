"""Programs from the lock: what is installed is what was pinned, or nothing is."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ml_compliance import tools
from ml_compliance.cli import main
from ml_compliance.decide import Request, _opa, binary, decide
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.measure import _trivy
from ml_compliance.tools import _lock
from tests.policies import cases
from tests.programs import required

PROGRAM = b"#!/bin/sh\necho hello\n"
PLATFORMS = ("linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64")


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS", str(tmp_path / "bin"))
    monkeypatch.delenv("ML_COMPLIANCE_TOOLS_LOCK", raising=False)
    monkeypatch.delenv("ML_COMPLIANCE_TOOLS_MIRROR", raising=False)
    return tmp_path / "bin"


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """An HTTP server with the assets of every platform and their published digests."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name in PLATFORMS:
        asset = folder / f"hello_{name.replace('/', '_')}"
        asset.write_bytes(PROGRAM)
        Path(f"{asset}.sha256").write_text(f"{hashlib.sha256(PROGRAM).hexdigest()}  {asset.name}\n")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """The test's output stays clean."""

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()
    thread.join()


def _written(path: Path, base: str, sha256: str, tool: str = "hello") -> Path:
    assets = {name: {"url": f"{base}/{tool}_{name.replace('/', '_')}", "sha256": sha256} for name in PLATFORMS}
    path.write_text(json.dumps({tool: {"version": "1.0", "assets": assets}}))
    return path


def _run(*words: str) -> Any:
    return CliRunner().invoke(main, ["tools", *words])


def test_a_lock_is_made_reviewed_and_installed_from(mirror: str, tmp_path: Path, installed: Path) -> None:
    unpinned = _written(tmp_path / "unpinned.json", mirror, "")
    refused = _run("install", "hello", "--lock", str(unpinned))
    assert (refused.exit_code, "nothing unpinned is installed" in refused.stderr) == (2, True)
    assert _run("lock", "hello", "--lock", str(unpinned), "--out", str(tmp_path / "lock.json")).exit_code == 0
    made = json.loads((tmp_path / "lock.json").read_text())["hello"]["assets"]
    assert {made[name]["sha256"] for name in PLATFORMS} == {hashlib.sha256(PROGRAM).hexdigest()}
    done = _run("install", "hello", "--lock", str(tmp_path / "lock.json"), "--json")
    path = Path(json.loads(done.stdout)["path"])
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (PROGRAM, 0o755)
    assert [item.name for item in installed.iterdir()] == ["hello-1.0"]


@pytest.mark.parametrize("by", ["URL", "folder", "variable"])
def test_a_mirror_takes_the_publishers_place(by: str, mirror: str, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    pinned = hashlib.sha256(PROGRAM).hexdigest()
    lock = _written(tmp_path / "lock.json", "https://127.0.0.1:1/gone", pinned)
    where = mirror if by == "URL" else str(tmp_path / "mirror")
    if by == "variable":
        monkeypatch.setenv("ML_COMPLIANCE_TOOLS_MIRROR", where)
    words = [] if by == "variable" else ["--mirror", where]
    assert _run("install", "hello", "--lock", str(lock), *words).exit_code == 0


def test_another_file_is_refused_and_leaves_nothing(mirror: str, tmp_path: Path, installed: Path) -> None:
    result = _run("install", "hello", "--lock", str(_written(tmp_path / "lock.json", mirror, "0" * 64)))
    assert result.exit_code == 3
    assert f"sha256 is {hashlib.sha256(PROGRAM).hexdigest()}, the lock pins {'0' * 64}" in result.stderr
    assert list(installed.iterdir()) == []


def test_another_file_does_not_replace_a_good_one(mirror: str, tmp_path: Path, installed: Path) -> None:
    good = _written(tmp_path / "good.json", mirror, hashlib.sha256(PROGRAM).hexdigest())
    assert _run("install", "hello", "--lock", str(good)).exit_code == 0
    assert _run("install", "hello", "--lock", str(_written(tmp_path / "bad.json", mirror, "0" * 64))).exit_code == 3
    assert (installed / "hello-1.0").read_bytes() == PROGRAM


def test_what_cannot_be_downloaded_is_told(tmp_path: Path, installed: Path) -> None:
    lock = _written(tmp_path / "lock.json", "http://127.0.0.1:1", "0" * 64)
    result = _run("install", "hello", "--lock", str(lock))
    assert (result.exit_code, "cannot be downloaded" in result.stderr) == (3, True)
    assert list(installed.iterdir()) == []


def test_a_published_digest_that_differs_makes_no_lock(mirror: str, tmp_path: Path) -> None:
    (tmp_path / "mirror" / "hello_linux_arm64.sha256").write_text("1" * 64)
    words = ["lock", "hello", "--lock", str(_written(tmp_path / "unpinned.json", mirror, ""))]
    assert _run(*words, "--out", str(tmp_path / "out.json")).exit_code == 3
    assert not (tmp_path / "out.json").exists()


def test_the_installed_program_decides_and_is_verified_at_every_use(
    tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real `opa`, installed from a folder, and found though nothing is on PATH."""
    program = Path(required("opa"))
    for name in PLATFORMS:
        (tmp_path / f"opa_{name.replace('/', '_')}").symlink_to(program)
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    lock = _written(tmp_path / "lock.json", tmp_path.as_uri(), digest, "opa")
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS_LOCK", str(lock))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    request = Request(cases.ALLOWED, cases.LAW)
    assert not binary.available(request)
    assert _run("install", "opa").exit_code == 0
    assert decide(request, "binary").allow
    listed = json.loads(_run("list", "--json").stdout)["tools"]
    assert listed == [{"tool": "opa", "version": "1.0", "path": str(installed / "opa-1.0"),
                       "pinned": sorted(PLATFORMS), "source": ""}]  # fmt: skip
    with (installed / "opa-1.0").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(EvaluationError, match="not the one that the lock pins"):
        decide(request, "binary")


def test_the_shipped_lock_pins_nothing_that_nobody_has_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    document = tools.read_lock()
    assert set(document) == {"opa", "trivy"}
    for tool, install in (("opa", _opa.INSTALL), ("trivy", _trivy.INSTALL)):
        assert f"tools install {tool}" in install
        assert document[tool]["version"] in install
        assert set(document[tool]["assets"]) == set(PLATFORMS)
    for system, machine, name in (("Linux", "x86_64", "linux/amd64"), ("Darwin", "arm64", "darwin/arm64")):
        monkeypatch.setattr("platform.system", lambda system=system: system)
        monkeypatch.setattr("platform.machine", lambda machine=machine: machine)
        for tool in document:
            asset = tools.pinned(tool, document)
            assert (asset.platform, asset.version in asset.url) == (name, True)
            # Of `opa` the source is pinned, of `trivy` the archive that its publisher packs.
            assert (asset.origin[:3] == "h1:", asset.archived, asset.sha256 != "") == (
                (True, False, False) if tool == "opa" else (False, True, True)
            )
    monkeypatch.setattr("platform.system", lambda: "Plan9")
    with pytest.raises(UsageError, match="no opa for plan9"):
        tools.pinned("opa", document)
    with pytest.raises(UsageError, match="choose from: opa, trivy"):
        tools.pinned("syft", document)


@pytest.mark.parametrize("text", ["", "[]", '{"opa": {}}', '{"opa": {"version": "1", "assets": {"a": {"url": "ftp://a",'
                                  ' "sha256": ""}}}}', '{"../x": {"version": "1", "assets": {}}}'])  # fmt: skip
def test_what_is_no_lock_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "lock.json").write_text(text)
    with pytest.raises(UsageError):
        _lock.read_lock(tmp_path / "lock.json")


def test_a_program_on_path_is_found() -> None:
    assert tools.find("sh") == shutil.which("sh")
    assert tools.find("no-such-program") is None


def test_a_lock_without_a_program_takes_the_one_on_path(
    tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another lock has installed is none of its business."""
    installed.mkdir()
    (installed / "sh-1.0").write_bytes(PROGRAM)
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS_LOCK", str(_written(tmp_path / "lock.json", "https://127.0.0.1:1", "")))
    assert tools.find("sh") == shutil.which("sh")
