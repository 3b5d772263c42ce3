"""A project on GitLab that includes a template, and its pipeline run on this machine by gitlab-ci-local."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from tests import project as example
from tests.programs import required

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = ROOT / "ci_templates"
Include: TypeAlias = "dict[str, Any]"
OUT = "ml-compliance-out"


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, "-C", str(folder), *words], check=True, capture_output=True)


def commit(folder: Path) -> None:
    """Everything in `folder` as one commit of its branch `main`."""
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "all")


@dataclass(frozen=True)
class Pipeline:
    """What a pipeline printed, how it ended, and the artifacts of its jobs."""

    code: int
    log: str
    folder: Path

    def artifact(self, job: str, name: str) -> str:
        return (self.folder / ".gitlab-ci-local" / "artifacts" / job / OUT / name).read_text(encoding="utf-8")

    def verdict(self, job: str, name: str = "decision.json") -> str:
        """Of the decision, or of the report `name` that holds one."""
        found = json.loads(self.artifact(job, name))
        return str(found.get("decision", found)["verdict"])


@dataclass(frozen=True)
class Consumer:
    """A repository with the files of `tests.project`, on a GitLab that is folders of this machine."""

    folder: Path

    @property
    def repositories(self) -> Path:
        """Where the projects of the group `org` are, as bare repositories."""
        return self.folder.parent / "org"

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    @property
    def artifacts(self) -> Path:
        """A folder for each job that left some."""
        return self.folder / ".gitlab-ci-local" / "artifacts"

    def run(
        self,
        *words: str,
        include: Include | None = None,
        includes: Sequence[Include] = (),
        more: str = "",
        installed: bool = True,
    ) -> Pipeline:
        """Commit everything and run the pipeline; with `include` of a .gitlab-ci.yml made of the includes and `more`.

        With `installed` the jobs find ml-compliance as an image would have it; without, they install it.
        """
        if include:
            self.write(".gitlab-ci.yml", f"include: {json.dumps([include, *includes])}\n{more}")
        commit(self.folder)
        git(self.folder, "update-ref", "refs/remotes/origin/main", "HEAD")
        git(self.folder, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
        program = required("gitlab-ci-local")
        path = [str(Path(sys.executable).parent)] if installed else []
        environment = {
            **os.environ, "PATH": os.pathsep.join((*path, os.environ["PATH"])), "NO_COLOR": "1",
            "HOME": str(self.folder.parent / "home"), "GIT_CONFIG_GLOBAL": str(self.folder.parent / "gitconfig"),
        }  # fmt: skip
        done = subprocess.run(
            [program, "--force-shell-executor", "--shell-isolation", *words],
            cwd=self.folder, capture_output=True, text=True, env=environment, timeout=570, check=False,
        )  # fmt: skip
        return Pipeline(done.returncode, done.stdout + done.stderr, self.folder)


def merge_request(url: str, **changes: str) -> list[str]:
    """What a job in a merge request pipeline of a GitLab at `url` is told, as words of gitlab-ci-local."""
    told = {
        "GITLAB_CI": "true", "CI_API_V4_URL": url, "GITLAB_TOKEN": "good", "CI_MERGE_REQUEST_IID": "2",
        "CI_MERGE_REQUEST_PROJECT_ID": "5", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "5",
        "CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", **changes,
    }  # fmt: skip
    return [word for name, value in told.items() for word in ("--variable", f"{name}={value}")]


def make(folder: Path) -> Consumer:
    """A consumer whose model is allowed."""
    consumer = Consumer(folder / "consumer")
    for place in (consumer.folder, consumer.repositories, folder / "home"):
        place.mkdir()
    example.make(consumer.folder)
    consumer.write(".gitignore", f".gitlab-ci-local/\n{OUT}/\n.ml-compliance/\n")
    redirect = f'[url "file://{consumer.repositories}/"]\n'
    redirect += "\tinsteadOf = https://gitlab.com/org/\n\tinsteadOf = https://gitlab.com:443/org/\n"
    redirect += "\tinsteadOf = git@gitlab.com:org/\n\tinsteadOf = ssh://git@gitlab.com:22/org/\n"
    rights = '[safe]\n\tdirectory = *\n[protocol "file"]\n\tallow = always\n'
    rights += "[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n"
    (folder / "gitconfig").write_text(redirect + rights, encoding="utf-8")
    git(consumer.folder, "init", "-q")
    git(consumer.folder, "remote", "add", "origin", "https://gitlab.com/bank/loans.git")
    return consumer
