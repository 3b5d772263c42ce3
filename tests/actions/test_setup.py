"""Setting up: by hash, from a folder of wheels, with no network, and with a clear word where it cannot be done."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.actions import rig


def set_up(ours: Path, temporary: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run setup.sh of the checkout `ours` without a network, as a runner would."""
    # None of pip's and uv's settings of this machine.
    given = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    return subprocess.run(
        [*rig.UNPLUGGED, str(ours / "actions" / "setup" / "setup.sh")], capture_output=True, text=True, check=False,
        env={**given, "RUNNER_TEMP": str(temporary), "RUNNER_OS": "Linux", **environment},
    )  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """This project with click as its only requirement: enough for `--version`."""
    ours = rig.checkout(tmp_path / "ours")
    locked = (ours / "requirements" / "run.txt").read_text(encoding="utf-8")
    click = re.search(r"^click==.*\n(?: .*\n)+", locked, re.MULTILINE)
    assert click
    (ours / "requirements" / "run.txt").write_text(click[0], encoding="utf-8")
    return ours


def folder_of_wheels(tmp_path: Path) -> dict[str, str]:
    """What the documentation says for a runner that reaches no index."""
    wheels = str(rig.wheels())
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels, "UV_OFFLINE": "1", "UV_FIND_LINKS": wheels,
            "UV_CACHE_DIR": str(tmp_path / "empty-cache")}  # fmt: skip


def test_a_folder_of_wheels_is_enough(small: Path, tmp_path: Path) -> None:
    done = set_up(small, tmp_path, **folder_of_wheels(tmp_path))
    assert done.returncode == 0, done.stderr
    program = Path(done.stdout.strip()) / "ml-compliance"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("ml-compliance, version ")
    again = set_up(small, tmp_path)
    assert (again.returncode, again.stdout, again.stderr) == (0, done.stdout, "")


def test_what_has_another_hash_is_not_installed(small: Path, tmp_path: Path) -> None:
    locked = small / "requirements" / "run.txt"
    text = locked.read_text(encoding="utf-8")
    locked.write_text(re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", text), encoding="utf-8")
    done = set_up(small, tmp_path, **folder_of_wheels(tmp_path))
    assert done.returncode != 0
    assert "ash" in done.stderr
    assert not done.stdout
    # Nor the next time: half an environment is none.
    assert set_up(small, tmp_path, **folder_of_wheels(tmp_path)).returncode != 0


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"RUNNER_OS": "Windows"}, "the action runs on Linux and macOS"),
        ({"RUNNER_TEMP": "/nowhere"}, "RUNNER_TEMP names no folder"),
    ],
)
def test_it_says_what_is_wrong(environment: dict[str, str], message: str, tmp_path: Path) -> None:
    done = set_up(rig.ROOT, tmp_path, **environment)
    assert done.returncode == 2
    assert done.stderr.startswith("::error title=ml-compliance::")
    assert message in done.stderr
