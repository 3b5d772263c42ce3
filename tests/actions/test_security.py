"""What the linters of workflows say, and what they do not look at."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.actions import rig
from tests.programs import lacking, required

SCRIPTS = sorted((rig.ROOT / "actions").rglob("*.sh"))
FILES = [*rig.ACTIONS, *rig.WORKFLOWS]


def installed(name: str) -> str:
    """A program that comes with a package of the environment of the tests."""
    program = Path(sys.executable).with_name(name)
    if not program.exists():
        lacking(f"the program `{name}`")
    return str(program)


def clean(*command: str) -> None:
    done = subprocess.run(command, cwd=rig.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_has_nothing_to_say() -> None:
    clean(installed("zizmor"), "--offline", "--pedantic", "--no-progress", *map(str, FILES))


def test_actionlint_has_nothing_to_say() -> None:
    clean(required("actionlint"), "-shellcheck", installed("shellcheck"), *map(str, rig.WORKFLOWS))


def test_shellcheck_has_nothing_to_say() -> None:
    assert SCRIPTS
    clean(installed("shellcheck"), *map(str, SCRIPTS))


@pytest.mark.parametrize("path", [*FILES, *SCRIPTS], ids=lambda path: str(path.relative_to(rig.ROOT)))
def test_nothing_leaks_into_other_steps(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r">>? *\"?\$\{?GITHUB_(ENV|PATH|STATE)", text)
    for command in re.findall(r"run: (?:[>|]-?\n(?: {8}.*\n)+|.*)", text):
        assert "${{" not in command


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(rig.ROOT)))
def test_actions_of_others_are_pinned_with_their_version_beside(path: Path) -> None:
    for used in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8")):
        assert used.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


@pytest.mark.parametrize(
    ("name", "workflow"), [("README.md", "ml-compliance"), ("docs/github.md", "fork"), ("docs/github.md", "matrix")]
)
def test_the_workflows_in_the_documentation_are_as_clean(name: str, workflow: str, tmp_path: Path) -> None:
    shown = (rig.ROOT / name).read_text(encoding="utf-8")
    text = shown.split(f"```yaml\n# .github/workflows/{workflow}.yml\n")[1].split("```")[0]
    # A release knows its own commit when it is made, and no sooner.
    pinned = re.sub(r"(org/ml-compliance[\w/-]*)@v1", rf"\1@{'a' * 40} # v1.0.0", text)
    assert pinned != text
    path = tmp_path / ".github" / "workflows" / f"{workflow}.yml"
    path.parent.mkdir(parents=True)
    path.write_text(pinned, encoding="utf-8")
    clean(installed("zizmor"), "--offline", "--pedantic", "--no-progress", str(path))
    clean(required("actionlint"), "-shellcheck", installed("shellcheck"), str(path))
