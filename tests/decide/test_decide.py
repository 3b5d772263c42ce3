"""What is decided, by whom, and every way in which an engine can fail to answer."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.decide import Answer, Request, _policy, binary, decide, embedded, server
from ml_compliance.decide._check import checked
from ml_compliance.errors import NOT_EVALUATED, EvaluationError, UsageError
from ml_compliance.facts import Server
from ml_compliance.model import Location
from ml_compliance.resources import policies_folder
from tests.policies import cases

DENIED = Request(cases.ALLOWED, cases.STRICT)
RESULT = embedded.evaluate(Request(cases.ALLOWED, cases.LAW)).result


def _own(folder: Path, text: str) -> Request:
    path = folder / "own.rego"
    path.write_text(text)
    return Request(cases.ALLOWED, cases.LAW, rego=path)


def _checked(**changes: Any) -> Any:
    result = {key: value for key, value in {**RESULT, **changes}.items() if value is not ...}
    return checked(Answer(result, "embedded", "1", "sha256:0"), Request(cases.ALLOWED, cases.LAW))


def test_a_finding_cites_the_line_of_the_law_and_says_what_to_do() -> None:
    decision = decide(DENIED, "embedded", lambda policy, key: Location(f"{policy}.yaml", len(key)))
    finding = next(finding for finding in decision.violations if finding.policy == "fair")
    assert finding.location == Location("fair.yaml", len("threshold"))
    assert finding.title == "selection rate differs by race"
    assert finding.message == (
        "demographic_parity_difference by race is 0.216 (0.13–0.31), limit 0.05: "
        "lowest Black 0.684 (n 79), highest white 0.9 (n 662)"
    )
    assert finding.limit == 0.05
    assert finding.interval == (0.13, 0.31)
    assert "retrain" in finding.remedy
    assert "EU AI Act Art. 10" in finding.references


def test_findings_come_gravest_first_and_the_decision_repeats() -> None:
    decision = decide(DENIED, "embedded")
    order = ["critical", "high", "medium", "low"]
    severities = [order.index(finding.severity) for finding in decision.violations]
    assert severities == sorted(severities)
    assert decide(DENIED, "embedded") == decision
    assert decision.time == "2026-11-23T00:00:00Z"


@pytest.mark.parametrize("part", ["submission", "law"])
def test_another_input_is_another_decision(part: str) -> None:
    submission = cases.changed(cases.ALLOWED, ("input", "project"), "x") if part == "submission" else cases.ALLOWED
    law = cases.law(cases.POLICIES[0]) if part == "law" else cases.LAW
    changed = Request(submission, law)
    assert decide(changed, "embedded").id != decide(Request(cases.ALLOWED, cases.LAW), "embedded").id


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"allow": ...}, "no `allow`"),
        ({"allow": "yes"}, "not true or false"),
        ({"allow": False}, "contradicts itself"),
        ({"verdict": "denied"}, "contradicts itself"),
        ({"verdict": "perhaps"}, "no `verdict`"),
        ({"violation": ...}, "`violation` is no set"),
        ({"violation": {"a": 1}}, "`violation` is no set"),
        ({"violation": [{"rule": "x"}]}, "contradicts itself"),
        ({"error": [{}]}, "contradicts itself"),
        ({"judged": []}, "judged were"),
        ({"law": {}}, "holds no law"),
        ({"law": {"digest": "sha256:1"}}, "another law"),
    ],
)
def test_an_answer_that_cannot_be_relied_on_is_none(changes: Any, cause: str) -> None:
    with pytest.raises(EvaluationError, match=cause) as error:
        _checked(**changes)
    assert error.value.exit_code == NOT_EVALUATED


@pytest.mark.parametrize("result", [None, [], True, "allow"])
def test_a_result_that_is_no_object_is_none(result: Any) -> None:
    with pytest.raises(EvaluationError, match=r"mlpolicy\.deploy"):
        checked(Answer(result, "binary", "1", ""), Request(cases.ALLOWED, cases.LAW))


def test_unknown_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    result = {**RESULT, "allow": False, "verdict": "denied", "violation": [{"rule": "new.rule", "severity": "high"}]}
    monkeypatch.setattr(embedded, "evaluate", lambda _: Answer(result, "embedded", "1", ""))
    with pytest.raises(EvaluationError, match=r"unknown rule 'new\.rule'"):
        decide(Request(cases.ALLOWED, cases.LAW), "embedded")


@pytest.mark.parametrize(
    "finding",
    [7, None, {}, {"policy": "fair"}, {"policy": "fair", "key": "id", "values": 7},
     {"policy": "fair", "key": "id", "value": "high", "limit": 1}, {"policy": "fair", "key": "id", "interval": [1]},
     {"policy": "fair", "key": "id", "slice": ["race"]}],
)  # fmt: skip
def test_a_finding_of_another_shape_is_refused(finding: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(finding, dict):
        finding = {"rule": "fairness.limit_exceeded", "severity": "high", **finding}
    result = {**RESULT, "allow": False, "verdict": "denied", "violation": [finding]}
    monkeypatch.setattr(embedded, "evaluate", lambda _: Answer(result, "embedded", "1", ""))
    with pytest.raises(EvaluationError, match="finding"):
        decide(Request(cases.ALLOWED, cases.LAW), "embedded", lambda *_: None)


def test_unknown_engine_names_those_that_exist() -> None:
    with pytest.raises(UsageError, match="binary, embedded, server"):
        decide(DENIED, "regopy")


@pytest.mark.parametrize("document", [{}, {"input": None}, {"input": {"created": 1}}])
def test_a_document_that_is_no_submission_is_refused(document: Any) -> None:
    with pytest.raises(UsageError, match=r"input\.created"):
        decide(Request(document, cases.LAW), "embedded")


def test_auto_takes_the_server_then_the_program_then_the_embedded_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answering(name: str) -> Any:
        def evaluate(_: Request) -> Answer:
            asked.append(name)
            return Answer(RESULT, name, "1", "")

        return evaluate

    for module in (server, binary, embedded):
        name = module.__name__.rsplit(".", 1)[1]
        monkeypatch.setattr(module, "evaluate", answering(name))
    request = Request(cases.ALLOWED, cases.LAW)
    monkeypatch.setattr("shutil.which", lambda _: "/bin/opa")
    decide(dataclasses.replace(request, server=Server("http://localhost:8181")))
    decide(request)
    monkeypatch.setattr("shutil.which", lambda _: None)
    decide(request)
    assert asked == ["server", "binary", "embedded"]


def test_a_policy_of_ones_own_without_opa_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    request = _own(tmp_path, "package mlpolicy.deploy\ndefault allow := false\n")
    for engine in ("auto", "binary"):
        with pytest.raises(EvaluationError, match=r"go install github\.com/open-policy-agent/opa@"):
            decide(request, engine)
    with pytest.raises(EvaluationError, match="shipped policy and bundles only"):
        decide(request, "embedded")


HEAD = "package mlpolicy.deploy\n"


@pytest.mark.parametrize(
    ("text", "verdict", "messages"),
    [
        ("default allow := false\nallow if input.model.artifact_registered", "allowed", []),
        ("default allow := false", "denied", ["the policy denies without a reason"]),
        ('default allow := false\nviolation contains "no"', "denied", ["no"]),
        ('allow := false\nviolation contains {"msg": "no", "severity": "low", "title": 7}', "denied", ["no"]),
        ('default allow := false\nallow if data.mlpolicy.law.project == "customer_credit"', "allowed", []),
    ],
)
def test_a_policy_of_ones_own_only_defines_allow(
    text: str, verdict: str, messages: list[str], tmp_path: Path, opa: str
) -> None:
    decision = decide(_own(tmp_path, HEAD + text))
    assert (decision.verdict, [finding.message for finding in decision.violations]) == (verdict, messages)
    assert decision.engine == "binary"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("package mlpolicy.deply\ndefault allow := true", "no package `mlpolicy.deploy`"),
        (HEAD + "deny := false", "no `allow`"),
        (HEAD + "allow if input.nothing", "no package `mlpolicy.deploy`|no `allow`"),
        (HEAD + 'allow := "true"', "not true or false"),
        (HEAD + 'allow := true\nviolation contains "no"', "allows, and names 1 violations"),
        (HEAD + "allow := false\nviolation contains 7", "no message"),
        (HEAD + "allow := false\nviolation := true", "no set"),
        (HEAD + "allow if if", r"own\.rego:2: .*unexpected"),
        (HEAD + 'allow := to_number("x") == 1', "to_number"),
    ],
)
def test_a_policy_that_gives_no_answer_is_not_evaluated(text: str, cause: str, tmp_path: Path, opa: str) -> None:
    with pytest.raises(EvaluationError, match=cause):
        decide(_own(tmp_path, text))


def test_the_articles_policy_in_its_old_syntax_is_told_apart(tmp_path: Path, opa: str) -> None:
    with pytest.raises(EvaluationError, match="`if` keyword is required"):
        decide(_own(tmp_path, HEAD + "default allow = false\nallow { input.model.artifact_registered }"))


def test_a_missing_policy_file_is_named(tmp_path: Path, opa: str) -> None:
    with pytest.raises(UsageError, match=r"nowhere: there is no \.rego file"):
        decide(Request(cases.ALLOWED, cases.LAW, rego=tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("script", "cause"),
    [("exit 7", "does not say why"), ("echo broken >&2; exit 2", "broken"), ("echo hello", "not its JSON format")],
)
def test_a_program_that_is_not_opa(script: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "opa"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(EvaluationError, match=cause):
        decide(DENIED, "binary")


def test_a_program_that_hangs(monkeypatch: pytest.MonkeyPatch, opa: str) -> None:
    def hang(*arguments: Any, **options: Any) -> Any:
        raise subprocess.TimeoutExpired("opa", options["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(EvaluationError, match="no answer within 120 s"):
        decide(DENIED, "binary")


def test_a_broken_module_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(policies_folder(), tmp_path / "policies")
    (tmp_path / "policies" / "policy.wasm").write_bytes(b"no module")
    monkeypatch.setattr(_policy, "policies_folder", lambda: tmp_path / "policies")
    with pytest.raises(EvaluationError, match="cannot be loaded"):
        decide(DENIED, "embedded")
