"""The article's policy as an example that fails closed, and its request to a server."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.decide import Request, decide
from tests.decide.opa_server import Running
from tests.policies import cases

FOLDER = Path(__file__).parents[2] / "examples" / "article"
POLICY = FOLDER / "ml_policy.rego"
METRICS: cases.Path = ("input", "model", "validation_report", "metrics")
READ: list[cases.Path] = [
    ("input",),
    ("input", "model"),
    ("input", "model", "artifact_registered"),
    ("input", "model", "data_card_generated"),
    ("input", "model", "training_features"),
    ("input", "model", "training_features", 0, "name"),
    METRICS[:-1],
    METRICS,
    (*METRICS, "demographic_parity_difference"),
    (*METRICS, "equalized_odds_difference"),
]


def fair() -> Any:
    """The example submission with disparities that the article allows."""
    found = cases.changed(cases.ALLOWED, (*METRICS, "demographic_parity_difference"), 0.09)
    return cases.changed(found, (*METRICS, "equalized_odds_difference"), 0.04)


@pytest.fixture(scope="module")
def article(start_opa: Any) -> Running:
    started: Running = start_opa(str(POLICY))
    return started


def answer(server: Running, submission: Any) -> Any:
    request = urllib.request.Request(  # noqa: S310
        f"{server.url}/v1/data/mlpolicy/deploy/allow", json.dumps(submission).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        return json.load(response)["result"]


def test_its_own_tests_cover_all_of_it(opa: str) -> None:
    done = subprocess.run(
        [opa, "test", "--coverage", "--format", "json", str(FOLDER)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    (covered,) = (lines for name, lines in report["files"].items() if name.endswith("ml_policy.rego"))
    assert "not_covered" not in covered


def test_the_articles_path_answers_a_boolean(article: Running) -> None:
    assert answer(article, fair()) is True
    assert answer(article, cases.ALLOWED) is False


@pytest.mark.parametrize("path", READ, ids=lambda path: ".".join(map(str, path)))
def test_whatever_is_wrong_with_what_it_reads_it_denies(article: Running, path: cases.Path) -> None:
    for wrong in (cases.GONE, None, "", [], {}, "text"):
        if path[-1] == "name" and wrong == "text":
            continue  # the name of a feature
        assert answer(article, cases.changed(fair(), path, wrong)) is False, wrong


def test_as_a_policy_of_ones_own_it_gives_reasons(opa: str) -> None:
    decision = decide(Request(cases.ALLOWED, cases.LAW, rego=FOLDER), "binary")
    assert decision.verdict == "denied"
    assert "demographic_parity_difference is not below its limit, or was not measured" in [
        finding.message for finding in decision.violations
    ]
    assert decide(Request(fair(), cases.LAW, rego=FOLDER), "binary").verdict == "allowed"
