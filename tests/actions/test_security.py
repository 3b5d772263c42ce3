"""What the linters of workflows say, and what they do not look at."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
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


def actionlint(*paths: Path) -> None:
    # Version 1.7.12 is older than `$/`: an action of the same repository at the same commit.
    newer = r'specifying action "\$/actions/[a-z-]+" in invalid format because ref is missing'
    clean(required("actionlint"), "-ignore", newer, "-shellcheck", installed("shellcheck"), *map(str, paths))


def test_actionlint_has_nothing_to_say() -> None:
    actionlint(*rig.WORKFLOWS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(rig.ROOT)))
def test_actions_of_our_own_are_there(path: Path) -> None:
    for used in re.findall(r"uses: \$/(.*)", path.read_text(encoding="utf-8")):
        assert (rig.ROOT / used / "action.yml").is_file()


def test_shellcheck_has_nothing_to_say() -> None:
    assert SCRIPTS
    clean(installed("shellcheck"), *map(str, SCRIPTS))


@pytest.mark.parametrize("path", [*FILES, *SCRIPTS], ids=lambda path: str(path.relative_to(rig.ROOT)))
def test_nothing_leaks_into_other_steps(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r">>? *\"?\$\{?GITHUB_(ENV|PATH|STATE)", text)
    for command in re.findall(r"(?<![\w-])run: (?:[>|]-?\n(?: {8}.*\n)+|.*)", text):
        assert "${{" not in command


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(rig.ROOT)))
def test_actions_of_others_are_pinned_with_their_version_beside(path: Path) -> None:
    for used in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8")):
        assert used.startswith("$/") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


def fenced() -> Iterator[tuple[str, str]]:
    """What our documents show of workflows, with a name for each: whole ones, jobs and steps."""
    for path in (rig.ROOT / "README.md", *sorted((rig.ROOT / "docs").glob("*.md"))):
        for place, text in enumerate(
            re.findall(r"^```yaml\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        ):
            if re.search(r"^ *(- )?(run|uses|runs-on):", text, re.MULTILINE):
                yield f"{path.stem}-{place}", text


def whole(text: str) -> str:
    """A workflow around a part of one."""
    if text.startswith("# .github/workflows/"):
        return text
    head = (
        "name: shown\non: push\npermissions: {}\nconcurrency: {group: shown, cancel-in-progress: true}\njobs:\n"
        "  shown:\n    name: Shown\n    runs-on: ubuntu-24.04\n    timeout-minutes: 60\n"
    )
    if text.startswith("      - "):
        return f"{head}    steps:\n{text}"
    indent = "" if text.startswith("    ") else "    "
    return head + textwrap.indent(text, indent)


FENCED = dict(fenced())


def test_the_documentation_shows_workflows() -> None:
    assert {rig.shown("README.md", "ml-compliance"), rig.shown("docs/github.md", "matrix"),
            rig.shown("docs/github.md", "fork")} <= {text.split("\n", 1)[1] for text in FENCED.values()}  # fmt: skip


@pytest.mark.parametrize("name", FENCED)
def test_the_workflows_in_the_documentation_are_as_clean(name: str, tmp_path: Path) -> None:
    # A release knows its own commit when it is made, and no sooner.
    pinned = re.sub(r"(org/ml-compliance[\w./-]*)@v1", rf"\1@{'a' * 40} # v1.0.0", whole(FENCED[name]))
    path = tmp_path / ".github" / "workflows" / f"{name}.yml"
    path.parent.mkdir(parents=True)
    path.write_text(pinned, encoding="utf-8")
    clean(installed("zizmor"), "--offline", "--pedantic", "--no-progress", str(path))
    actionlint(path)
