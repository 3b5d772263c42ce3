"""act runs a workflow as GitHub's runner does, on this machine, with the actions of this checkout and no network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ml_compliance.yaml_file import read_yaml
from tests.platforms.github_server import REPOSITORY, TOKEN
from tests.programs import lacking, required

ROOT = Path(__file__).parent.parent.parent
ACTIONS = (ROOT / "action.yml", *sorted((ROOT / "actions").glob("*/action.yml")))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# What stands for the actions of others, by repository: artifacts are folders here, and what scans code does nothing.
STUBS = {
    "actions/upload-artifact": """\
    - shell: bash
      env: {NAME: "${{ inputs.name }}", FOLDER: "${{ inputs.path }}"}
      run: mkdir -p "$ARTIFACTS" && mkdir "$ARTIFACTS/$NAME" && cp -r "$FOLDER/." "$ARTIFACTS/$NAME"
""",
    "actions/download-artifact": """\
    - shell: bash
      env: {NAME: "${{ inputs.name }}", FOLDER: "${{ inputs.path }}"}
      run: test -n "$NAME" && mkdir -p "$FOLDER" && cp -r "$ARTIFACTS/$NAME/." "$FOLDER"
""",
    "github/codeql-action": "    - {shell: bash, run: 'true'}\n",
}
HEAD = """\
name: stub
description: Stands for an action of others.
inputs:
  name: {description: The name of the artifact.}
  path: {description: The folder.}
runs:
  using: composite
  steps:
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
    github: dict[str, Any]
    """What is on the GitHub beside it: `comments`, `checks`, what was `asked`, and `problems`; empty without one."""

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
    """A copy of the files of this project that git knows or would add.

    act does not know `$/`, which is new: there the workflows name this project and its version instead.
    """
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for path in (folder / ".github" / "workflows").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"uses: \$/(\S+)", r"uses: org/ml-compliance/\1@v1", text), encoding="utf-8")
    return folder


def repository(folder: Path, workflow: str) -> Path:
    """Make `folder` the git repository org/loans with `workflow`, all of it committed."""
    path = folder / ".github" / "workflows" / "gate.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(workflow, encoding="utf-8")
    origin = ["remote", "add", "origin", f"https://github.com/{REPOSITORY}"]
    for words in (["init", "--quiet"], origin, ["add", "--all"], ["commit", "--quiet", "--message", "A model"]):
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words], cwd=folder, check=True)
    return path


def workflow(*steps: Mapping[str, Any]) -> str:
    """A workflow on push, with one job that checks the repository out and takes `steps`. JSON is YAML."""
    job = {"runs-on": "ubuntu-latest", "steps": [{"uses": CHECKOUT}, *steps]}
    return json.dumps({"on": "push", "permissions": {}, "jobs": {"gate": job}})


def shown(document: str, name: str) -> str:
    """The workflow called `name` that a document of ours shows."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return text.split(f"```yaml\n# .github/workflows/{name}.yml\n")[1].split("```")[0]


def others() -> set[str]:
    """The actions of others that ours call, each as owner/name@commit, with the folder of the action in it."""
    found = set()
    for path in ACTIONS:
        steps = read_yaml(path, path.name).data["runs"]["steps"]
        found |= {str(step["uses"]) for step in steps if "uses" in step}
    return found


def stubs(scratch: Path) -> Iterator[str]:
    """Write what stands for the actions of others into `scratch`, and say so as act takes it."""
    for action in sorted(others()):
        owner, name, *inside, commit = re.split("[/@]", action)
        place = scratch / "stubs" / name
        (place / Path(*inside)).mkdir(parents=True, exist_ok=True)
        (place / Path(*inside) / "action.yml").write_text(HEAD + STUBS[f"{owner}/{name}"], encoding="utf-8")
        yield from ("--local-repository", f"{owner}/{name}@{commit}={place}")


def act(
    repository: Path,
    ours: Path,
    scratch: Path,
    event: str = "push",
    file: str = "gate.yml",
    payload: Mapping[str, Any] | None = None,
    pulls: Sequence[Mapping[str, Any]] | None = None,
    **environment: str,
) -> Run:
    """Run the workflow `file` in `repository`, where `org/ml-compliance@v1` is the folder `ours`, without a network.

    `payload` is what the event holds, `pulls` are the pull requests of a GitHub beside it; None for no GitHub.
    """
    program = Path(sys.executable).with_name("act")
    if not program.exists():
        lacking("the program `act`")
    artifacts, state, told = scratch / "artifacts", scratch / "github.json", scratch / "event.json"
    told.write_text(json.dumps(payload or {}), encoding="utf-8")
    state.write_text(json.dumps(pulls or []), encoding="utf-8")
    given = {"ARTIFACTS": str(artifacts), **offline(), **environment}
    beside = () if pulls is None else (sys.executable, "-m", "tests.actions.beside_github", str(state))
    command = [
        *UNPLUGGED, *beside, str(program), event, "--json", "--no-cache-server", "--eventpath", str(told),
        "--directory", str(repository), "--workflows", f".github/workflows/{file}",
        "-P", "ubuntu-latest=-self-hosted", "-P", "ubuntu-24.04=-self-hosted",
        "--secret", "GITHUB_TOKEN", "--action-cache-path", str(scratch / "act"),
        "--local-repository", f"org/ml-compliance@v1={ours}", *stubs(scratch),
        *(word for name, value in given.items() for word in ("--env", f"{name}={value}")),
    ]  # fmt: skip
    required("unshare")
    required("ip")
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "NO_COLOR": "1", "GITHUB_TOKEN": TOKEN},
    )  # fmt: skip
    records = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert records, done.stderr
    github = {} if pulls is None else json.loads(state.read_text(encoding="utf-8"))
    assert github.get("problems", []) == []
    return Run(done.returncode, tuple(records), artifacts, github)


def offline() -> dict[str, str]:
    """Where pip and uv find packages without a network: the installer in a folder, the rest in uv's own cache."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels()), "UV_OFFLINE": "1"}


def wheels() -> Path:
    """The folder of wheels that `.ci/tools` downloads: uv, what builds ml-compliance, and click."""
    folder = Path(required("actionlint")).parent / "wheels"
    if not folder.is_dir():
        lacking("the folder `wheels` beside the other programs of .ci/tools")
    return folder
