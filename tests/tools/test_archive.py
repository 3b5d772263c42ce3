"""A program that its publisher packs into an archive: it alone is taken out, and it is verified at every use."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ml_compliance import tools
from ml_compliance.cli import main
from ml_compliance.errors import EvaluationError
from ml_compliance.tools import _archive, _lock
from tests import scans
from tests.programs import required

NAME = "hello_1.0.tar.gz"
PROGRAM = b"#!/bin/sh\necho Version: 1.0\n"


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LOCK", "MIRROR"):
        monkeypatch.delenv(f"ML_COMPLIANCE_TOOLS_{name}", raising=False)
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS", str(tmp_path / "bin"))
    return tmp_path / "bin"


def member(name: str, content: bytes = b"", **attributes: Any) -> tuple[tarfile.TarInfo, bytes]:
    found = tarfile.TarInfo(name)
    found.size = len(content)
    for key, value in attributes.items():
        setattr(found, key, value)
    return found, content


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as file:
        for entry, data in members:
            file.addfile(entry, io.BytesIO(data))
    return content.getvalue()


def locked(folder: Path, archive: bytes, sha256: str = "", tool: str = "hello", name: str = NAME) -> Path:
    """A lock for `archive`, which is put into the folder `mirror`."""
    (folder / "mirror").mkdir(exist_ok=True)
    (folder / "mirror" / name).write_bytes(archive)
    asset = {"url": f"https://127.0.0.1:1/{name}", "sha256": sha256 or hashlib.sha256(archive).hexdigest()}
    path = folder / "lock.json"
    path.write_text(json.dumps({tool: {"version": "1.0", "assets": {_lock.this_platform(): asset}}}))
    return path


def install(lock: Path, tool: str = "hello") -> Any:
    words = ["tools", "install", tool, "--lock", str(lock), "--mirror", str(lock.parent / "mirror"), "--json"]
    return CliRunner().invoke(main, words)


def doctor() -> dict[str, Any]:
    """What `doctor` says of the program."""
    done = CliRunner().invoke(main, ["doctor", "--json"], env={"GITHUB_ACTIONS": None, "GITLAB_CI": None})
    found: dict[str, Any] = next(item for item in json.loads(done.stdout) if item["what"] == "tool hello")
    return found


def test_the_real_trivy_is_taken_out_of_its_archive(
    tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packed as its publisher does, from a folder, by the shipped lock but for the digest of this build."""
    program, lock = Path(required("trivy")), scans.mirror(tmp_path / "mirror")
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS_LOCK", str(lock))
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS_MIRROR", str(lock.parent))
    asset = tools.pinned("trivy", tools.read_lock())
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    done = CliRunner().invoke(main, ["tools", "install", "trivy", "--json"])
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer == {"tool": "trivy", "version": asset.version, "path": str(installed / f"trivy-{asset.version}"),
                      "sha256": tools.sha256(program), "verified": True, "origin": asset.sha256}  # fmt: skip
    assert tools.found("trivy") == tools.Found(Path(answer["path"]), asset.version, verified=True)
    # Once it is there, nothing is fetched again.
    for path in (tmp_path / "mirror").glob("*.tar.gz"):
        path.unlink()
    assert CliRunner().invoke(main, ["tools", "install", "trivy"]).exit_code == 0


def test_only_the_program_is_written(tmp_path: Path, installed: Path) -> None:
    archive = packed(
        member("../evil", b"x"), member("/evil", b"x"), member("contrib/hello", b"x"),
        member("hello", PROGRAM, mode=0o4777, uid=4711), member("README.md", b"x"),
    )  # fmt: skip
    done = install(locked(tmp_path, archive))
    assert done.exit_code == 0, done.stderr
    path = installed / "hello-1.0"
    assert {item.name for item in installed.iterdir()} == {"hello-1.0", "hello-1.0.record.json"}
    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (PROGRAM, 0o755)
    assert {item.name for item in tmp_path.iterdir()} == {"mirror", "lock.json", "bin"}


BROKEN = {
    "traversal": (packed(member("../hello", PROGRAM)), "the program hello is in the archive 0 times"),
    "missing": (packed(member("README.md", b"x")), "the program hello is in the archive 0 times"),
    "empty": (packed(), "the program hello is in the archive 0 times"),
    "twice": (packed(member("hello", PROGRAM), member("hello", b"x")), "the program hello is in the archive 2 times"),
    "symlink": (packed(member("hello", type=tarfile.SYMTYPE, linkname="/bin/sh")), "hello is no plain file"),
    "hard link": (packed(member("other", b"x"), member("hello", type=tarfile.LNKTYPE, linkname="other")),
                  "hello is no plain file"),
    "device": (packed(member("hello", type=tarfile.CHRTYPE, devmajor=1, devminor=5)), "hello is no plain file"),
    "folder": (packed(member("hello", type=tarfile.DIRTYPE)), "hello is no plain file"),
    "huge": (gzip.compress(member("hello", size=_archive.LARGEST + 1)[0].tobuf()), "holds more than"),
    "huge besides": (gzip.compress(member("README.md", size=_archive.LARGEST + 1)[0].tobuf()), "holds more than"),
    "truncated": (packed(member("hello", bytes(range(256)) * 400))[:-200], "the archive is broken"),
    "damaged": (packed(member("hello", PROGRAM))[:20] + b"\xff" * 100, "the archive is broken"),
    "no archive": (PROGRAM, "the archive is broken"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_what_holds_no_such_program_is_refused_and_leaves_nothing(kind: str, tmp_path: Path, installed: Path) -> None:
    archive, message = BROKEN[kind]
    result = install(locked(tmp_path, archive))
    assert result.exit_code == 3
    assert message in result.stderr
    assert NAME in result.stderr
    assert list(installed.iterdir()) == []
    assert {item.name for item in tmp_path.iterdir()} == {"mirror", "lock.json", "bin"}


def test_another_archive_is_not_even_opened(tmp_path: Path, installed: Path) -> None:
    result = install(locked(tmp_path, b"no archive at all", "0" * 64))
    assert result.exit_code == 3
    assert f"the lock pins {'0' * 64}" in result.stderr
    assert list(installed.iterdir()) == []


@pytest.mark.parametrize("change", ["program", "record", "no record", "lock"])
def test_it_is_verified_at_every_use(
    change: str, tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = locked(tmp_path, packed(member("hello", PROGRAM)))
    assert install(lock).exit_code == 0
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS_LOCK", str(lock))
    path, record = installed / "hello-1.0", installed / "hello-1.0.record.json"
    assert tools.find("hello") == str(path)
    assert doctor() == {"what": "tool hello", "available": True, "remedy": "",
                        "about": f"1.0, verified by its sha256: {path}"}  # fmt: skip
    if change == "program":
        path.write_bytes(PROGRAM + b"\n")
    elif change == "record":
        record.write_text(json.dumps({**json.loads(record.read_text()), "sha256": "0" * 64}))
    elif change == "no record":
        record.unlink()
    else:
        locked(tmp_path, packed(member("hello", b"another")))
    with pytest.raises(EvaluationError, match="not the one that the lock pins"):
        tools.find("hello")
    assert doctor() == {"what": "tool hello", "available": False, "remedy": doctor()["remedy"],
                        "about": f"{path}: the installed hello is not the one that the lock pins"}  # fmt: skip
    assert doctor()["remedy"].startswith("run: ml-compliance tools install hello")
    # What the message tells to do puts it right.
    assert install(lock).exit_code == 0
    assert tools.find("hello") == str(path)


@pytest.mark.parametrize(("says", "used"), [("1.0", True), ("0.9", False)])
def test_the_version_of_the_lock_on_path_wins(
    says: str, used: bool, tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = locked(tmp_path, packed(member("hello", PROGRAM)))
    monkeypatch.setenv("ML_COMPLIANCE_TOOLS_LOCK", str(lock))
    here = tmp_path / "here" / "hello"
    here.parent.mkdir()
    here.write_text(f"#!/bin/sh\n[ -z \"$(ls)\" ] && echo 'Version: {says}'\n")
    here.chmod(0o755)
    monkeypatch.setenv("PATH", str(here.parent), prepend=":")
    before = tools.found("hello")
    assert before == tools.Found(here, says, verified=False)
    remedy = "" if used else "the lock has 1.0: ml-compliance tools install hello"
    assert doctor() == {"what": "tool hello", "available": True, "remedy": remedy,
                        "about": f"{says}, on PATH, not verified: {here}"}  # fmt: skip
    answer = json.loads(install(lock).stdout)
    assert (answer["path"], answer["verified"]) == (str(here if used else installed / "hello-1.0"), not used)
    after = tools.found("hello")
    assert after == (before if used else tools.Found(installed / "hello-1.0", "1.0", verified=True))


def test_a_program_that_says_nothing_has_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hello").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "hello").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert tools.found("hello") == tools.Found(tmp_path / "hello", "", verified=False)
    assert tools.found("no-such-program") is None


def test_what_is_larger_than_any_program_is_not_downloaded(
    tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml_compliance.tools._install.LARGEST", 20)
    result = install(locked(tmp_path, packed(member("hello", PROGRAM))))
    assert (result.exit_code, "which no program has" in result.stderr) == (3, True)
    assert list(installed.iterdir()) == []


CHECKSUMS = {
    "right": ("{digest}  hello_1.0.tar.gz\n{other}  another.tar.gz\n", 0),
    "binary": ("{other}  another.tar.gz\n{digest} *hello_1.0.tar.gz\n", 0),
    "another": ("{other}  hello_1.0.tar.gz\n{digest}  another.tar.gz\n", 3),
    "missing": ("{digest}  another.tar.gz\n", 3),
    "alone": ("{digest}\n", 0),
    "empty": ("", 3),
}


@pytest.mark.parametrize("kind", CHECKSUMS)
def test_a_lock_is_held_against_the_file_of_checksums(kind: str, tmp_path: Path) -> None:
    archive = packed(member("hello", PROGRAM))
    lock = locked(tmp_path, archive)
    document = json.loads(lock.read_text())
    entry = document["hello"] | {"checksums": "https://127.0.0.1:1/hello_1.0_checksums.txt"}
    entry["assets"][_lock.this_platform()]["sha256"] = ""
    lock.write_text(json.dumps({"hello": entry}))
    refused = install(lock)
    assert (refused.exit_code, "tools lock hello" in refused.stderr) == (2, True)
    text, code = CHECKSUMS[kind]
    digest = hashlib.sha256(archive).hexdigest()
    (tmp_path / "mirror" / "hello_1.0_checksums.txt").write_text(text.format(digest=digest, other="1" * 64))
    words = ["tools", "lock", "hello", "--lock", str(lock), "--mirror", str(tmp_path / "mirror")]
    done = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "made.json")])
    assert done.exit_code == code, done.stderr
    assert (tmp_path / "made.json").exists() == (code == 0)
    if code == 0:
        assert install(tmp_path / "made.json").exit_code == 0
