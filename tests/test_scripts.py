"""The scripts by the article's names and flags: the same codes and files as the commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ml_compliance import entry_points
from tests import project as example
from tests.project import FACTS, LAW, Project, Result

SCRIPTS = Path(__file__).parent.parent / "scripts"


def run(project: Project, script: str, *words: str) -> Result:
    """Run a script as a user does: in the project's folder, with the default file names."""
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script), *words],
        capture_output=True, text=True, cwd=project.folder, check=False, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


def denied_by(project: Project) -> set[str]:
    decision = json.loads((project.folder / "ml-compliance-out" / "decision.json").read_text())
    return {violation["policy"] for violation in decision["violations"]}


def test_validate_model_adds_its_flags_to_the_law(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    assert run(project, "validate_model.py").code == 0
    strict = run(project, "validate_model.py", "--fairness-threshold", "0.05", "--min-accuracy", "0.85",
                 "--require-explainability")  # fmt: skip
    assert strict.code == 1
    assert denied_by(project) == {"--min-accuracy", "--require-explainability"}
    assert "command line" in strict.out


def test_thresholds_are_law_enough_without_a_file(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    (tmp_path / "compliance_policy.yaml").unlink()
    assert run(project, "compliance_gateway.py", "--threshold", "0.5").code == 0
    nothing = run(project, "compliance_gateway.py")
    assert nothing.code == 2
    assert "compliance_policy.yaml: there is no such file" in nothing.err


def test_compliance_gateway_denies_a_disparity(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    rows = example.rows()
    for row in rows:
        row["predicted"] = 1 if row["race"] == "white" else row["predicted"]
    project.write("predictions.csv", example.csv(rows))
    project.write("compliance_policy.yaml", LAW.replace("0.3", "1"))
    assert run(project, "compliance_gateway.py", "--threshold", "0.05").code == 1
    assert denied_by(project) == {"--fairness-threshold"}


def test_an_unknown_model_is_a_usage_error(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("compliance.yaml", FACTS.replace("  prediction: predicted\n  score: score\n", ""))
    result = run(project, "validate_model.py", "--model-uri", "models:/nobody/1")
    assert result.code == 2
    assert "models:/nobody/1" in result.err
    assert "Traceback" not in result.err


def test_submission_then_policy(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    built = run(project, "build_submission.py")
    assert built.code == 0
    assert (tmp_path / "ml-compliance-out" / "model_submission.json").is_file()
    assert run(project, "query_opa.py", "--engine", "embedded").code == 0
    project.write("compliance_policy.yaml", LAW.replace("0.7", "0.9"))
    assert run(project, "query_opa.py", "--engine", "embedded").code == 1


def test_validate_data_judges_the_data_alone(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    nothing_expected = run(project, "validate_data.py")
    assert nothing_expected.code == 1
    config = (tmp_path / "compliance.yaml").read_text()
    expectation = "measure:\n  data:\n    expectations:\n      - expect_column_values_to_be_in_set:\n"
    project.write(
        "compliance.yaml", f"{config}{expectation}          {{column: race, value_set: [black, white, asian]}}\n"
    )
    assert run(project, "validate_data.py").code == 0
    project.write("compliance.yaml", f"{config}{expectation}          {{column: race, value_set: [black, white]}}\n")
    assert run(project, "validate_data.py").code == 1
    assert denied_by(project) == {"validate_data"}


def fairness_report(project: Project) -> Result:
    """Judge by the law's items on fairness alone, in this process."""
    words = ["--config", str(project.folder / "compliance.yaml"), "--out", str(project.folder / "ml-compliance-out")]
    done = CliRunner().invoke(entry_points.fairness_report, words)
    return Result(done.exit_code, done.stdout, done.stderr)


def test_a_fairness_report_judges_fairness_alone(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("compliance_policy.yaml", LAW.replace("0.7", "0.9"))
    assert fairness_report(project).code == 0
    project.write("compliance_policy.yaml", LAW.replace("threshold: 0.3", "threshold: 0.3\n    minimum_groups: x"))
    assert fairness_report(project).code == 2
    project.write("compliance_policy.yaml", LAW.split("  - id: parity")[0])
    assert fairness_report(project).code != 0


def test_monitor_judges_drift_alone(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    config = (tmp_path / "compliance.yaml").read_text().replace("  id: id\n", "")
    assert run(project, "monitor.py").code == 1  # nothing to compare with
    project.write("training.csv", example.csv(example.rows()))
    project.write("compliance.yaml", config.replace("data:\n", "data:\n  reference: training.csv\n"))
    assert run(project, "monitor.py").code == 0
    moved = [{**row, "score": row["score"] / 10} for row in example.rows()]
    project.write("predictions.csv", example.csv(moved))
    assert run(project, "monitor.py").code == 1
    assert denied_by(project) == {"monitor"}


def test_monitor_leaves_the_id_out_where_the_law_does(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    config = (tmp_path / "compliance.yaml").read_text()
    project.write("training.csv", example.csv(example.rows()))
    project.write("compliance.yaml", config.replace("data:\n", "data:\n  reference: training.csv\n"))
    assert run(project, "monitor.py").code == 1
    assert denied_by(project) == {"monitor"}
    project.write(
        "compliance_policy.yaml",
        LAW + "  - {id: stable, type: drift, metric: psi, threshold: 0.25, ignore: [id]}\n",
    )
    assert run(project, "monitor.py").code == 0


SHADOWS = (
    "ml_compliance",
    "json",
    "sitecustomize",
    "duckdb",
    "ibis",
    "great_expectations",
    "mlflow",
    "pandas",
    "click",
)


@pytest.mark.parametrize("name", ["scripts/validate_data.py", "ml-compliance"])
def test_what_a_change_brings_along_does_not_run_instead(name: str, tmp_path: Path) -> None:
    project = example.make(tmp_path)
    expected = "measure:\n  data:\n    expectations:\n      - expect_column_to_exist: {column: race}\n"
    project.write("compliance.yaml", FACTS + expected)
    item = "  - {id: valid, type: data_validation}\n"
    project.write("compliance_policy.yaml", LAW + item)
    for module in SHADOWS:
        (tmp_path / module).mkdir()
        project.write(f"{module}/__init__.py", "raise SystemExit('shadowed')\n")
        project.write(f"{module}.py", "raise SystemExit('shadowed')\n")
    project.write("great_expectations/great_expectations.yml", "shadowed: [\n")
    program = [str(SCRIPTS.parent / name)] if name.startswith("scripts") else ["gate", "--engine", "embedded"]
    starts = [sys.executable] if name.startswith("scripts") else [str(Path(sys.executable).with_name(name))]
    done = subprocess.run([*starts, *program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "shadowed" not in done.stdout + done.stderr
    decision = json.loads((tmp_path / "ml-compliance-out" / "decision.json").read_text())
    assert decision["verdict"] == "allowed"
