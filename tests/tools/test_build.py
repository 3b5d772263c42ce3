"""A program whose file nobody has pinned is built from the source that the lock pins by Go's checksum."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ml_compliance import tools
from ml_compliance.cli import main
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.tools import _lock
from tests.programs import required

MODULE, VERSION = "example.org/hello", "1.0.0"
SOURCE = """package main

func main() { println("hello") }
"""


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock that pins a module of a real module proxy, which is a folder, by the checksum that Go computes."""
    go = required("go")
    versions = tmp_path / "proxy" / MODULE / "@v"
    versions.mkdir(parents=True)
    stated = f"module {MODULE}\n\ngo 1.21\n"
    (versions / f"v{VERSION}.info").write_text(json.dumps({"Version": f"v{VERSION}"}))
    (versions / f"v{VERSION}.mod").write_text(stated)
    with zipfile.ZipFile(versions / f"v{VERSION}.zip", "w") as archive:
        archive.writestr(f"{MODULE}@v{VERSION}/go.mod", stated)
        archive.writestr(f"{MODULE}@v{VERSION}/main.go", SOURCE)
    monkeypatch.setenv("GOPROXY", (tmp_path / "proxy").as_uri())
    monkeypatch.setenv("GONOSUMDB", "example.org")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("GOFLAGS", "-modcacherw")
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS", str(tmp_path / "bin"))
    asked = [go, "mod", "download", "-json", f"{MODULE}@v{VERSION}"]
    found = json.loads(subprocess.run(asked, capture_output=True, check=True, cwd=tmp_path).stdout)
    return _written(tmp_path / "lock.json", found["Sum"])


def _written(path: Path, checksum: str) -> Path:
    assets = {_lock.this_platform(): {"url": "https://127.0.0.1:1/hello", "sha256": ""}}
    document = {"hello": {"version": VERSION, "go": {"module": MODULE, "sum": checksum}, "assets": assets}}
    path.write_text(json.dumps(document))
    return path


def _install(lock: Path) -> Any:
    return CliRunner().invoke(main, ["tools", "install", "hello", "--lock", str(lock), "--json"])


def test_what_is_built_runs_and_is_verified_at_every_use(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = _install(lock)
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    path = Path(found["path"])
    assert subprocess.run([path], capture_output=True, text=True, check=True).stderr == "hello\n"
    assert found["origin"].startswith("h1:")
    assert found["sha256"] == tools.sha256(path)
    assert {item.name for item in path.parent.iterdir()} == {"hello-1.0.0", "hello-1.0.0.record.json"}
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS_LOCK", str(lock))
    assert tools.find("hello") == str(path)
    with path.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(EvaluationError, match="not the one that the lock pins"):
        tools.find("hello")


@pytest.mark.parametrize("text", [None, "", "[]", '{"sha256": "0", "origin": "h1:another"}'])
def test_a_program_without_a_record_of_its_build_is_refused(
    text: str | None, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(json.loads(_install(lock).stdout)["path"])
    record = Path(f"{path}.record.json")
    record.unlink() if text is None else record.write_text(text)
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS_LOCK", str(lock))
    with pytest.raises(EvaluationError, match="not the one that the lock pins"):
        tools.find("hello")


def test_another_source_is_not_built(lock: Path, tmp_path: Path) -> None:
    result = _install(_written(tmp_path / "other.json", f"h1:{'A' * 43}="))
    assert result.exit_code == 3
    assert f"the lock pins h1:{'A' * 43}=" in result.stderr
    assert list((tmp_path / "bin").iterdir()) == []


def test_source_that_cannot_be_had_leaves_nothing(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", (tmp_path / "nowhere").as_uri())
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "empty"))
    result = _install(lock)
    assert (result.exit_code, "`go mod` failed" in result.stderr) == (3, True)
    assert list((tmp_path / "bin").iterdir()) == []


def test_without_go_the_way_out_is_named(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = _install(lock)
    assert result.exit_code == 2
    assert "https://go.dev/dl" in result.stderr
    with pytest.raises(UsageError, match="no `go` to build it"):
        tools.install(tools.pinned("hello", tools.read_lock(lock)))


def test_the_shipped_lock_pins_the_source_of_opa() -> None:
    asset = tools.pinned("opa", tools.read_lock())
    assert (asset.module, asset.source[:3]) == ("github.com/open-policy-agent/opa", "h1:")
