"""The same answer, byte for byte, from the embedded policy, the `opa` program and an OPA server."""

from __future__ import annotations

import copy
import shutil
import subprocess
from typing import Any

import pytest

from ml_compliance.decide import Request, binary, decide, embedded
from ml_compliance.decide import server as server_engine
from ml_compliance.decide._check import SETS, normal
from ml_compliance.decide._policy import digest_of_files, rego_files
from ml_compliance.documents import canonical
from ml_compliance.facts import Server
from tests.decide.opa_server import Running
from tests.policies import cases

CASES = cases.cases()
# Each run of the program costs a tenth of a second: it takes every case that is not about one key of the law.
NAMED = [name for name in CASES if "." not in name]


def _bytes(result: Any) -> str:
    result = normal(copy.deepcopy(result))
    for name in SETS:
        result[name].sort(key=canonical)
    return canonical(result)


def _verdict(name: str) -> str:
    submission, law = CASES[name]
    return str(embedded.evaluate(Request(submission, law)).result["verdict"])


@pytest.mark.parametrize("name", NAMED)
def test_program_answers_as_embedded(name: str, opa: str) -> None:
    request = Request(*CASES[name])
    assert _bytes(binary.evaluate(request).result) == _bytes(embedded.evaluate(request).result)


@pytest.mark.parametrize("name", CASES)
def test_server_answers_as_embedded(name: str, server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_engine, "_policy_digest", lambda *_: "")  # the list of policies is half a megabyte
    submission, law = CASES[name]
    server.put_law(law)
    request = Request(submission, law, server=Server(server.url))
    assert _bytes(server_engine.evaluate(request).result) == _bytes(embedded.evaluate(request).result)


def test_decisions_are_equal_but_for_the_engine(server: Running, opa: str) -> None:
    server.put_law(cases.STRICT)
    request = Request(cases.ALLOWED, cases.STRICT, server=Server(server.url))
    found = [vars(decide(request, engine)) for engine in ("server", "binary", "embedded")]
    engines = [(each.pop("engine"), each.pop("engine_version")) for each in found]
    assert engines[0] == ("server", "1.22.2")
    assert [name for name, _ in engines] == ["server", "binary", "embedded"]
    assert found[0] == found[1] == found[2]
    assert found[0]["policy_digest"] == digest_of_files(rego_files())


def test_embedded_takes_thousands_of_measurements() -> None:
    submission = copy.deepcopy(cases.ALLOWED)
    evidence = submission["input"]["evidence"]["performance"]
    evidence["measurements"] += [
        {"name": "performance/accuracy", "status": "measured", "value": 0.1, "slice": {"race": f"group {i}"},
         "n": 100, "positives": 50, "negatives": 50} for i in range(5000)
    ]  # fmt: skip
    evidence["coverage"]["measurements"] = len(evidence["measurements"])
    assert len(decide(Request(submission, cases.LAW), "embedded").violations) == 5000


def test_an_allowed_submission_is_allowed_and_says_what_was_not_judged() -> None:
    decision = decide(Request(cases.ALLOWED, cases.LAW), "embedded")
    assert decision.allow
    assert {finding.rule for finding in decision.insufficient} == {
        "adverse_impact.groups_not_compared",
        "calibration.groups_not_judged", "champion.groups_not_judged", "drift.columns_left_out",
        "fairness.groups_not_compared", "performance.groups_not_judged",
    }  # fmt: skip
    assert {finding.rule for finding in decision.warnings} == {"data_validation.schema_anomaly", "model_files.pickle"}


@pytest.mark.parametrize("name", ["failed", "failed without a word"])
def test_a_failed_measurement_is_no_verdict(name: str) -> None:
    assert _verdict(name) == "not_evaluated"


def test_nothing_else_is_allowed() -> None:
    """A law without a digest of its own is refused when its echo is checked, and not by the policy."""
    allowed = {name for name in NAMED if _verdict(name) == "allowed"}
    assert allowed == {"allowed", "declared", "dirty", "conflict", "registry not asked", "optional", "another law",
                       "difference at the margin", "waiver waived", "waiver waived any", "waiver on its last day",
                       "waiver of a slice", "limit not exercised", "a secret to warn of", "code to warn of",
                       "an approved base image"}  # fmt: skip


def test_a_law_with_a_wrong_value_allows_nothing() -> None:
    """Only what may be absent, and text in the place of text, is accepted."""
    allowed = {name for name in CASES if "." in name and _verdict(name) == "allowed"}
    optional = {
        "fair.dataset gone", "good.slices gone", "loss.dataset gone", "explained.requirement gone",
        "explained.technique gone", "explained.report_format gone", "valid.max_failed_expectations gone",
        "valid.schema_drift gone", "as_sure.decide_on gone", "calibrated.slices gone", "no_worse.slices gone",
        "proxies.forbidden_proxies gone",
    }  # fmt: skip
    # What was measured of a limit names the item that states it.
    texts = {f"{item['id']}.id 'text'" for item in cases.POLICIES if item["type"] != "business_rules"}
    assert allowed <= optional | texts
    assert texts <= allowed


def test_opa_runs_without_a_shell_and_without_the_network(opa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    run = subprocess.run

    def spy(arguments: Any, **options: Any) -> Any:
        seen.append((arguments, options))
        return run(arguments, **options)

    monkeypatch.setattr(subprocess, "run", spy)
    binary.evaluate(Request(cases.ALLOWED, cases.LAW))
    assert shutil.which("opa") == seen[0][0][0]
    assert all("shell" not in options and options["timeout"] for _, options in seen)
