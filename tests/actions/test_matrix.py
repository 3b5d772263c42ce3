"""The workflow that the documentation shows for several models: each has its gate, and all have one verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import project
from tests.actions import rig
from tests.platforms.github_server import BASE, HEAD, REPOSITORY

WORKFLOW = rig.shown("docs/github.md", "matrix")
PULL = {"number": 7, "head": {"sha": HEAD, "repo": {"full_name": REPOSITORY}}, "base": {"sha": BASE, "ref": "main"}}


@pytest.mark.parametrize(
    ("file", "text", "verdict", "shown"),
    [
        ("compliance.yaml", project.FACTS.replace("loans", "cards"), "allowed", "ALLOWED"),
        ("compliance_policy.yaml", project.LAW.replace("loans", "cards").replace("0.7", "0.99"), "denied", "DENIED"),
        ("compliance.yaml", "a mistake", "not_evaluated", "NOT EVALUATED"),
    ],
    ids=["allowed", "denied", "missing"],
)
def test_what_is_documented_makes_one_verdict(tmp_path: Path, file: str, text: str, verdict: str, shown: str) -> None:
    repository = tmp_path / "repository"
    for model in ("loans", "cards"):
        (repository / "models" / model).mkdir(parents=True)
        made = project.make(repository / "models" / model)
        made.write("compliance.yaml", project.FACTS.replace("loans", model))
        made.write("compliance_policy.yaml", project.LAW.replace("loans", model))
    (repository / "models" / "cards" / file).write_text(text, encoding="utf-8")
    rig.repository(repository, WORKFLOW)
    run = rig.act(repository, rig.checkout(tmp_path / "ours"), tmp_path, "pull_request",
                  payload={"pull_request": PULL}, pulls=[PULL])  # fmt: skip
    code = {"allowed": 0, "denied": 1, "not_evaluated": 3}[verdict]
    assert run.code == (code > 0), run.text
    ends = [one["msg"].strip() for one in run.records if one.get("job") == "models/Collect"]
    ends = [line for line in ends if line.startswith("exit status")]
    assert ends[-1:] == ([f"exit status {code}"] if code else [])
    (comment,), (check,) = run.github["comments"], run.github["checks"]
    assert f"| `cards` | {shown} |" in comment["body"]
    assert "| `loans` | ALLOWED |" in comment["body"]
    assert (comment["number"], check["head_sha"], check["name"]) == (7, HEAD, "models")
    assert check["conclusion"] == ("success" if verdict == "allowed" else "failure")
