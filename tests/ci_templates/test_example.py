"""The example pipeline: a real model is trained, judged, and deployed when a person says yes; or not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ci_templates import consumer as example
from tests.ci_templates.consumer import OUT, ROOT, TEMPLATES, Consumer, commit, git

EXAMPLE = ROOT / "examples" / "gitlab"


@pytest.fixture
def consumer(tmp_path: Path) -> Consumer:
    """The example beside a release of the components."""
    made = example.make(tmp_path)
    shutil.copytree(EXAMPLE, made.folder, dirs_exist_ok=True)
    wheel, components = tmp_path / "ml_compliance-0.1.0-py3-none-any.whl", tmp_path / "components"
    wheel.write_bytes(b"not installed: the jobs find the package in their image")
    subprocess.run([sys.executable, TEMPLATES / "components.py", wheel, components], check=True)
    commit(components)
    git(components, "tag", "0.1.0")
    git(tmp_path, "clone", "-q", "--bare", str(components), str(made.repositories / "ml-compliance.git"))
    return made


def test_a_real_model_is_deployed_with_a_recorded_approval(consumer: Consumer) -> None:
    done = consumer.run("--manual", "deploy", "--variable", "GITLAB_USER_LOGIN=maria")
    assert done.code == 0, done.log
    approval = json.loads((consumer.artifacts / "deploy" / "approval.json").read_text())
    decision = json.loads(done.artifact("ml-compliance", "decision.json"))
    assert (approval["approver"], approval["decision"]) == ("maria", decision["id"])
    assert decision["verdict"] == "allowed"
    assert (consumer.artifacts / "ml-compliance" / OUT / "explainability.html").is_file()
    assert json.loads((consumer.artifacts / "validate-data" / "data-out" / "decision.json").read_text())["allow"]


def test_a_denied_model_is_not_deployed(consumer: Consumer) -> None:
    consumer.write("train.py", (EXAMPLE / "train.py").read_text().replace("models.mitigated", "models.plain"))
    done = consumer.run("--manual", "deploy", "--variable", "GITLAB_USER_LOGIN=maria")
    assert done.code == 1
    violations = json.loads(done.artifact("ml-compliance", "decision.json"))["violations"]
    assert [item["policy"] for item in violations] == ["fairness_001"]
    assert not (consumer.artifacts / "deploy").exists()
    assert "maria released" not in done.log
