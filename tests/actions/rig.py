"""act runs a workflow as GitHub's runner does, on this machine, with the actions of this checkout and no network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ml_compliance.yaml_file import read_yaml
from tests.programs import lacking, required

ROOT = Path(__file__).parent.parent.parent
ACTIONS = (ROOT / "action.yml", *sorted((ROOT / "actions").glob("*/action.yml")))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# Stands for every action of others: it keeps what it is given to upload.
STUB = """\
name: stub
description: Keeps a copy of the folder that it is given.
inputs:
  path:
    description: The folder.
    default: ""
runs:
  using: composite
  steps:
    - if: inputs.path != ''
      shell: bash
      env:
        UPLOADED: ${{ inputs.path }}
      run: mkdir -p "$ARTIFACTS" && cp -r "$UPLOADED" "$ARTIFACTS"
"""
CHECKOUT = "actions/checkout@" + "0" * 40  # act copies the repository itself, and looks nothing up.
# Who is root already stays so: in a namespace of its own it would lack the other users that an image is built with.
_ROOT = () if os.geteuid() == 0 else ("--map-root-user",)
UNPLUGGED = ("unshare", "--net", *_ROOT, "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


@dataclass(frozen=True)
class Run:
    """What act wrote down: a record for each line, output and result, with the ids of the steps that it belongs to."""

    code: int
    records: tuple[dict[str, Any], ...]
    artifacts: Path

    def outputs(self, *step: str) -> dict[str, str]:
        """The outputs of the step with these ids, the outermost first."""
        return {str(one["name"]): str(one["arg"]) for one in self._of("set-output") if one["stepID"] == [*step]}

    def result(self, *step: str) -> str:
        """success, failure or skipped."""
        found = [one for one in self.records if one.get("stepID") == [*step] and one.get("stage") == "Main"]
        return str(next(one["stepResult"] for one in found if "stepResult" in one))

    def seconds(self, name: str) -> float:
        """How long the step called `name` took: the first of that name."""
        found = (one for one in self.records if f"Success - Main {name} " in one["msg"])
        return float(next(found)["executionTime"]) / 1e9

    def annotations(self, level: str) -> list[dict[str, str]]:
        """The annotations of that level, each with its message and with its file and line if it has them."""
        return [{**one["kvPairs"], "message": one["arg"]} for one in self._of(level)]

    def summary(self, step: str) -> str:
        """What the step, or one inside it, has written to the job's summary."""
        return "".join(str(one["content"]) for one in self._of("summary") if one["stepID"][0] == step)

    def _of(self, command: str) -> Iterator[dict[str, Any]]:
        return (one for one in self.records if one.get("command") == command)

    @cached_property
    def text(self) -> str:
        """What the steps printed, as the log shows it."""
        return "".join(str(one["msg"]) for one in self.records if one.get("raw_output"))


def checkout(folder: Path) -> Path:
    """A copy of the files of this project that git knows or would add."""
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def repository(folder: Path, workflow: str) -> Path:
    """Make `folder` a git repository with `workflow`, all of it committed."""
    path = folder / ".github" / "workflows" / "gate.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(workflow, encoding="utf-8")
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "A model"]):
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words], cwd=folder, check=True)
    return path


def others() -> set[str]:
    """The actions of others that ours call, each as owner/name@commit, with the folder of the action in it."""
    found = set()
    for path in ACTIONS:
        steps = read_yaml(path, path.name).data["runs"]["steps"]
        found |= {str(step["uses"]) for step in steps if "uses" in step}
    return found


def act(repository: Path, ours: Path, scratch: Path, event: str = "push", **environment: str) -> Run:
    """Run the workflow in `repository`, where `org/ml-compliance@v1` is the folder `ours`, without a network."""
    program = Path(sys.executable).with_name("act")
    if not program.exists():
        lacking("the program `act`")
    stubs = []
    for action in sorted(others()):
        owner, name, *inside, commit = re.split("[/@]", action)
        place = scratch / "stubs" / name
        (place / Path(*inside)).mkdir(parents=True, exist_ok=True)
        (place / Path(*inside) / "action.yml").write_text(STUB, encoding="utf-8")
        stubs += ["--local-repository", f"{owner}/{name}@{commit}={place}"]
    artifacts = scratch / "artifacts"
    given = {"ARTIFACTS": str(artifacts), **offline(), **environment}
    command = [
        *UNPLUGGED, str(program), event, "--json", "--no-cache-server", "-P", "ubuntu-latest=-self-hosted",
        "--action-cache-path", str(scratch / "act"), "--local-repository", f"org/ml-compliance@v1={ours}", *stubs,
        *(word for name, value in given.items() for word in ("--env", f"{name}={value}")),
    ]  # fmt: skip
    required("unshare")
    required("ip")
    done = subprocess.run(
        command, cwd=repository, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"}
    )
    records = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert records, done.stderr
    return Run(done.returncode, tuple(records), artifacts)


def offline() -> dict[str, str]:
    """Where pip and uv find packages without a network: the installer in a folder, the rest in uv's own cache."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels()), "UV_OFFLINE": "1"}


def wheels() -> Path:
    """The folder of wheels that `.ci/tools` downloads: uv, what builds ml-compliance, and click."""
    folder = Path(required("actionlint")).parent / "wheels"
    if not folder.is_dir():
        lacking("the folder `wheels` beside the other programs of .ci/tools")
    return folder
