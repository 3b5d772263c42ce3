"""`decide --explain` shows which rule read which value: of findings, and of rules that found nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ml_compliance.authoring.explain import explained
from ml_compliance.cli import main
from ml_compliance.decide import Request, decide
from ml_compliance.errors import NOT_EVALUATED
from tests import project as example
from tests.policies import cases
from tests.project import FACTS, LAW, Project


@pytest.fixture
def submitted(tmp_path: Path) -> Project:
    project = example.make(tmp_path)
    project.write("compliance_policy.yaml", LAW.replace("0.7", "0.9"))
    for room in ("measure", "submit"):
        assert project.run(room).code == 0
    return project


def _explained(project: Project) -> list[Any]:
    found: list[Any] = json.loads(project.run("decide", "--explain", "--json").out)["explained"]
    return found


def test_a_finding_names_value_limit_and_source(submitted: Project) -> None:
    done = submitted.run("decide", "--explain")
    assert done.code == 1
    (denied,) = [each for each in _explained(submitted) if each["outcome"] == "violation"]
    assert (denied["rule"], denied["policy"], denied["limit"]) == ("performance.too_low", "accuracy", 0.9)
    ((path, measurement),) = denied["read"].items()
    assert path.startswith("input.evidence.performance.measurements[")
    assert measurement["value"] == pytest.approx(0.8)
    assert "slice" not in measurement
    assert "performance.too_low on accuracy: violation, limit 0.9  (rules/performance.rego:" in done.out
    assert f"    {path} = " in done.out


def test_a_rule_that_found_nothing_is_there_with_what_it_read(submitted: Project) -> None:
    passed = {each["rule"]: each for each in _explained(submitted) if each["policy"] == "parity"}
    limit = passed["fairness.limit_exceeded"]
    assert limit["outcome"] == "nothing found"
    names = {measurement["name"] for measurement in limit["read"].values()}
    assert names == {"fairness/demographic_parity_difference"}


def test_without_the_option_nothing_is_added(submitted: Project) -> None:
    assert "(rules/" not in submitted.run("decide").out
    assert "explained" not in json.loads(submitted.run("decide", "--json").out)


def test_every_finding_and_every_item_is_explained() -> None:
    decision = decide(Request(cases.ALLOWED, cases.STRICT), "embedded")
    found = explained(decision, cases.ALLOWED, cases.STRICT["policies"])
    told = {(each.rule, each.policy) for each in found if each.outcome == "violation"}
    assert told == {(each.rule, each.policy) for each in decision.violations}
    assert {each.policy for each in found} >= {item["id"] for item in cases.STRICT["policies"]}
    assert all(each.read and each.source for each in found)


def test_what_is_not_there_is_said() -> None:
    submission = cases.changed(cases.ALLOWED, ("input", "dataset"), cases.GONE)
    decision = decide(Request(submission, cases.LAW), "embedded")
    found = explained(decision, submission, cases.LAW["policies"])
    missed = next(each for each in found if each.rule == "performance.other_dataset" and each.policy == "loss")
    assert (missed.outcome, missed.read) == ("violation", {"input.dataset": "nothing is there"})


def test_of_a_policy_of_ones_own_it_shows_what_can_be_read(
    submitted: Project, opa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted.write("own.rego", 'package mlpolicy.deploy\ndefault allow := false\nallow if input.dataset != ""\n')
    submitted.write("compliance.yaml", FACTS + "rego: own.rego\n")
    arguments = ["--config", str(submitted.folder / "compliance.yaml"), "--out", str(submitted.out), "--json"]
    done = CliRunner().invoke(main, ["decide", "--explain", "--engine", "binary", *arguments])
    dataset = json.loads((submitted.out / "model_submission.json").read_text())["input"]["dataset"]
    assert json.loads(done.stdout)["explained"] == [
        {"rule": "mlpolicy.deploy.allow", "policy": "", "outcome": "can read", "source": "own.rego:3", "limit": None,
         "read": {"input.dataset": dataset}}
    ]  # fmt: skip
    monkeypatch.setenv("PATH", str(submitted.folder))
    assert CliRunner().invoke(main, ["decide", "--explain", *arguments]).exit_code == NOT_EVALUATED
