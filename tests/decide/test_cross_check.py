"""A second engine is asked, and every way in which two can differ ends without a verdict."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.decide import Request, binary, decide, embedded
from ml_compliance.errors import NOT_EVALUATED, EvaluationError
from ml_compliance.facts import Server
from tests.decide.opa_server import Running
from tests.policies import cases
from tests.project import make

ALLOWED = Request(cases.ALLOWED, cases.LAW)
DENIED = Request(cases.ALLOWED, cases.STRICT)


@pytest.mark.parametrize(("request_", "verdict"), [(ALLOWED, "allowed"), (DENIED, "denied")])
def test_two_engines_agree_and_the_decision_says_who(request_: Request, verdict: str, opa: str) -> None:
    decision = decide(request_, "embedded", cross_check=True)
    assert (decision.verdict, decision.engine, decision.cross_checked) == (verdict, "embedded", "binary 1.22.2")
    assert decide(request_, "binary", cross_check=True).cross_checked.startswith("embedded wasmtime")
    assert decide(request_, "binary").cross_checked == ""


def test_a_server_is_checked_by_the_program(server: Running, opa: str) -> None:
    server.put_law(cases.LAW)
    decision = decide(replace(ALLOWED, server=Server(server.url)), cross_check=True)
    assert (decision.engine, decision.cross_checked) == ("server", "binary 1.22.2")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda result: result["violation"][0].update(limit=7), r"`violation`: embedded \[.*binary \[.*\"limit\": 7"),
        (lambda result: result["violation"].pop(), r"`violation`: embedded \[\{.*binary \[\]"),
        (lambda result: result.update(more=1), r"`more`: embedded not given, binary given"),
        (lambda result: result["judged"].pop(), "`judged`"),
    ],
)
def test_any_difference_is_named(change: Any, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = embedded.evaluate(DENIED)
    other = copy.deepcopy(answer.result)
    change(other)
    monkeypatch.setattr(binary, "available", lambda _: True)
    monkeypatch.setattr(binary, "evaluate", lambda _: replace(answer, engine="binary", result=other))
    with pytest.raises(EvaluationError, match=named) as error:
        decide(DENIED, "embedded", cross_check=True)
    assert error.value.exit_code == NOT_EVALUATED


def test_another_policy_with_the_same_answer_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = replace(embedded.evaluate(ALLOWED), engine="binary", policy_digest="sha256:0")
    monkeypatch.setattr(binary, "available", lambda _: True)
    monkeypatch.setattr(binary, "evaluate", lambda _: answer)
    with pytest.raises(EvaluationError, match=r"differ in policy: embedded sha256:\w+, binary sha256:0"):
        decide(ALLOWED, "embedded", cross_check=True)


def test_without_a_second_engine_nothing_is_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "available", lambda _: False)
    project = make(tmp_path)
    result = project.run("gate", "--cross-check", "--json")
    assert result.code == NOT_EVALUATED
    assert "no second policy engine" in result.out
    assert "tools install opa" in result.out
    assert project.run("decide", "--json").code == 0


def test_the_command_line_asks_for_it(tmp_path: Path, opa: str) -> None:
    result = make(tmp_path).run("gate", "--cross-check", "--json")
    assert result.code == 0
    assert '"cross_checked": "binary 1.22.2"' in result.out
