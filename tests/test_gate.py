"""The whole gate from the command line, on tables of predictions."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from ml_compliance.files import RESULTS
from ml_compliance.schemas import SCHEMAS, schema_named
from tests import project as example
from tests.project import FACTS, LAW, Project


def read(project: Project, name: str) -> Any:
    return json.loads((project.out / name).read_text())


def test_an_allowed_model(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    result = project.run("gate")
    assert result.code == 0, result.err
    assert "ALLOWED" in result.out
    assert read(project, "decision.json")["verdict"] == "allowed"
    names = {path.name for path in project.out.iterdir()}
    of_others = {"explainability.html", "image.cdx.json", "gl-container-scanning-report.json", "requests.json"}
    assert names == {"evidence", "decisions", *RESULTS} - of_others


def test_a_denied_model_cites_the_line_and_a_way_out(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("compliance_policy.yaml", LAW.replace("0.7", "0.9"))
    result = project.run("gate")
    assert result.code == 1
    assert "DENIED" in result.out
    assert "compliance_policy.yaml:6" in result.out
    (violation,) = read(project, "decision.json")["violations"]
    assert violation["policy"] == "accuracy"
    assert violation["value"] == pytest.approx(0.8)
    assert violation["limit"] == 0.9
    assert violation["location"] == {"file": "compliance_policy.yaml", "line": 6}
    assert violation["remedy"]


def test_room_by_room_is_the_gate(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    assert project.run("measure").code == 0
    assert project.run("submit").code == 0
    assert project.run("decide").code == 0
    assert project.run("publish").code == 0
    stepwise = {path.name: path.read_text() for path in project.out.glob("report.*")}
    assert project.run("gate").code == 0
    for name, text in stepwise.items():
        assert _timeless(text) == _timeless((project.out / name).read_text()), name


def _timeless(text: str) -> str:
    """Without the one clock and the digests that depend on it."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z|[0-9a-f]{12,64}", "…", text)


def test_measuring_one_thing_leaves_the_rest_missing_and_denied(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    assert project.run("measure", "performance").code == 0
    assert {path.name for path in (project.out / "evidence").iterdir()} == {"performance.json", "measured.json"}
    assert project.run("submit").code == 0
    assert project.run("decide").code == 1
    (violation,) = read(project, "decision.json")["violations"]
    assert violation["policy"] == "parity"


def test_what_is_required_but_not_measured_is_denied(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("compliance.yaml", FACTS.replace("  sensitive: [race, sex]\n", ""))
    assert project.run("gate").code == 1
    assert [item["policy"] for item in read(project, "decision.json")["violations"]] == ["parity"]


def test_a_group_whose_attribute_is_missing_is_compared(tmp_path: Path) -> None:
    """Blanking the race of everyone who is turned down must not make a disparity go away."""
    project = example.make(tmp_path)
    rows = example.rows()
    for row in rows:
        row["race"] = "white" if row["predicted"] else None
    project.write("predictions.csv", example.csv(rows))
    assert project.run("gate").code == 1
    (violation,) = read(project, "decision.json")["violations"]
    assert (violation["policy"], violation["value"]) == ("parity", 1.0)


def test_the_submission_is_byte_stable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example.judged_at(monkeypatch, "2023-11-14T22:13:20Z")
    project = example.make(tmp_path)
    project.run("gate")
    first = {path: path.read_bytes() for path in project.out.rglob("*.*") if path.is_file()}
    project.run("gate")
    assert len(first) > 8
    for path, content in first.items():
        assert path.read_bytes() == content, path.name
    assert read(project, "model_submission.json")["input"]["created"] == "2023-11-14T22:13:20Z"


def test_an_earlier_allowed_result_does_not_outlive_a_broken_run(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    assert project.run("gate").code == 0
    project.write("predictions.csv", "")
    assert project.run("gate").code == 3
    assert read(project, "decision.json")["verdict"] == "not_evaluated"
    project.write("compliance.yaml", FACTS.replace("predictions.csv", "gone.csv"))
    assert project.run("gate").code == 2
    assert not (project.out / "decision.json").exists()
    assert not (project.out / "report.html").exists()


@pytest.mark.parametrize("command", ["gate", "decide"])
def test_an_earlier_verdict_does_not_outlive_a_mistake(command: str, tmp_path: Path) -> None:
    project = example.make(tmp_path)
    assert project.run("gate").code == 0
    project.write("compliance_policy.yaml", "project: loans\npolicies: []\n")
    assert project.run(command).code == 2
    left = {name for name in RESULTS if (project.out / name).exists()}
    assert left == (set() if command == "gate" else {"model_submission.json"})


def test_a_decision_on_another_submission_or_law_is_not_published(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    assert project.run("gate").code == 0
    project.write("compliance_policy.yaml", LAW.replace("0.7", "0.9"))
    result = project.run("publish")
    assert result.code == 2
    assert "decision.json: the decision is on another submission, or by another law" in result.err
    project.write("compliance_policy.yaml", LAW)
    assert project.run("publish").code == 0
    document = read(project, "model_submission.json")
    document["input"]["created"] = "2020-01-01T00:00:00Z"
    (project.out / "model_submission.json").write_text(json.dumps(document))
    assert "the decision is on another submission" in project.run("publish").err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"input": {"created": "2020-01-01T00:00:00Z", "evidence": {}}}', "is a required property"),
        ('{"input": NaN}', "this is not JSON: NaN is no number in it"),
        ("[" * 100_000, "this is not JSON: it is nested too deep"),
    ],
)
def test_what_is_no_submission_is_a_mistake_and_no_bug(content: str, message: str, tmp_path: Path) -> None:
    project = example.make(tmp_path)
    assert project.run("gate").code == 0
    (project.out / "model_submission.json").write_text(content)
    result = project.run("decide")
    assert result.code == 2
    assert message in result.err
    assert "this is a bug" not in result.err


def test_json_for_machines(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    kinds = {"gate": "report", "submit": "submission", "decide": "decision"}
    for command, kind in kinds.items():
        result = project.run(command, "--json")
        assert result.code == 0
        Draft202012Validator(schema_named(kind)).validate(json.loads(result.out))
    evidence = json.loads(project.run("measure", "--json").out)["evidence"]
    for document in evidence:
        Draft202012Validator(schema_named("evidence")).validate(document)
    assert {document["name"] for document in evidence} >= {"performance", "fairness", "lineage"}


def test_timings_name_every_room(tmp_path: Path) -> None:
    result = example.make(tmp_path).run("gate", "--timings")
    for room in ("measure performance", "measure fairness", "submit", "decide", "publish", "total"):
        assert re.search(rf"  {room} +\d+\.\d\d s", result.out), room


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema_named(name))


def test_an_unreachable_server_is_no_verdict(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    result = project.run("gate", "--opa-url", "http://127.0.0.1:9", "--engine", "server", engine=False)
    assert result.code == 3
    assert "NOT EVALUATED" in result.out
    assert "127.0.0.1:9" in result.out
    assert read(project, "decision.json")["verdict"] == "not_evaluated"


def test_a_policy_of_ones_own_without_opa_names_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    project = example.make(tmp_path)
    (tmp_path / "rules").mkdir()
    project.write("rules/own.rego", "package mlpolicy.deploy\n\ndefault allow := true\n")
    project.write("compliance.yaml", FACTS + "rego: rules\n")
    result = project.run("gate", engine=False)
    assert result.code == 3
    assert "go install github.com/open-policy-agent/opa@" in " ".join(result.out.split())


def test_a_bug_is_not_a_denial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("that was not meant to happen")

    monkeypatch.setattr("ml_compliance.gate.submit", broken)
    result = example.make(tmp_path).run("gate")
    assert result.code == 3
    assert "RuntimeError: that was not meant to happen" in result.err
    assert "this is a bug" in result.err


def test_an_interrupted_gate_leaves_nothing_half_written(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("predictions.csv", example.csv(example.rows(60_000)))
    # Whoever runs the tests in the background makes their children deaf to SIGINT.
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program += "from ml_compliance.cli import main; main()"
    command = [sys.executable, "-c", program, "gate", "--engine", "embedded", "--out", str(project.out),
               "--config", str(tmp_path / "compliance.yaml")]  # fmt: skip
    gate = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (project.out / "evidence" / "explainability.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    gate.send_signal(signal.SIGINT)
    out, err = gate.communicate(timeout=60)
    assert (gate.returncode, out) == (130, "")
    assert "interrupted; nothing was decided" in err
    assert "Traceback" not in err
    left = {path.name for path in project.out.rglob("*") if path.is_file()}
    assert "explainability.json" in left
    assert not left & {"measured.json", "fairness.json", "performance.json", *RESULTS}
    assert not any(name.startswith(".") for name in left)


def test_evidence_of_other_facts_or_data_is_not_submitted(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    assert project.run("gate").code == 0
    assert project.run("submit").code == 0
    project.write("predictions.csv", example.csv(example.rows(200)))
    changed = project.run("submit")
    assert changed.code == 2
    assert "facts or data have changed since this was measured" in changed.err
    assert project.run("measure").code == 0
    project.write("compliance.yaml", FACTS.replace("score: score", "name: other"))
    assert project.run("submit").code == 2


def test_the_label_is_not_judged_against_itself(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("compliance.yaml", FACTS.replace("prediction: predicted", "prediction: approved"))
    result = project.run("gate")
    assert result.code == 2
    assert "'approved' is the label, and is judged against itself" in result.err


def test_a_model_and_a_prediction_column_are_one_too_many(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    result = project.run("gate", "--model-uri", "models:/loans/1")
    assert result.code == 2
    assert "both a model and a prediction column are named" in result.err


def test_a_law_for_another_project_is_refused(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("compliance_policy.yaml", LAW.replace("project: loans", "project: cards"))
    result = project.run("gate")
    assert result.code == 2
    assert "the law is for the project 'cards', the facts are about 'loans'" in result.err


def test_thresholds_need_the_law_that_the_facts_name(tmp_path: Path) -> None:
    from ml_compliance.entry_points import compliance_gateway

    project = example.make(tmp_path)
    project.write("compliance.yaml", FACTS + "policy: law.yaml\n")
    words = ["--config", str(tmp_path / "compliance.yaml"), "--out", str(project.out), "--threshold", "0.5"]
    result = CliRunner().invoke(compliance_gateway, words)
    assert result.exit_code == 2
    assert "law.yaml: there is no such file" in result.stderr
    assert CliRunner().invoke(compliance_gateway, [*words[:-1], "nan"]).exit_code == 2


def test_a_model_is_compared_with_the_run_of_the_base(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    assert project.run("gate").code == 0
    project.write("compliance_policy.yaml", LAW.replace("0.7", "0.9"))
    result = project.run("gate", "--baseline", str(project.out))
    assert result.code == 1
    assert "(ALLOWED): 1 new, 0 fixed, 0 unchanged violations; other rules judged there" in " ".join(result.out.split())
    changes = read(project, "report.json")["changes"]
    assert (changes["verdict"], changes["new"], changes["deltas"]) == ("allowed", [0], [])


def test_what_is_no_base_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    result = project.run("gate", "--baseline", "nowhere.json")
    assert result.code == 2
    assert "nowhere.json" in result.err
    assert not project.out.exists()
