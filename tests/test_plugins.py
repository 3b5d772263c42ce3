"""A measurement is one file in one folder, and a crash in it is evidence. Run on a copy of the package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import ml_compliance
from ml_compliance.resources import policies_folder
from tests import project as example
from tests.project import Project, Result

ROW_COUNT = '''"""How many rows there are: a measurement of one file."""

from ml_compliance.model import Evidence, Measurement


def measure(context, settings):
    rows = context.judged.rows
    return Evidence("row_count", "measured", (Measurement("row_count/rows", float(rows), n=rows),), rows=rows)
'''
CRASH = '"""Crashes."""\n\n\ndef measure(context, settings):\n    return 1 / 0\n'


def install(folder: Path, name: str, text: str) -> Path:
    """A copy of the package with one measurement more; the folder to import it from."""
    source = Path(ml_compliance.__file__).parent
    package = folder / "src" / "ml_compliance"
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(policies_folder(), package / "policies", dirs_exist_ok=True)
    (package / "measure" / f"{name}.py").write_text(text)
    return folder / "src"


def run(source: Path, project: Project, *words: str) -> Result:
    program = [sys.executable, "-m", "ml_compliance.cli", *words, "--config", str(project.folder / "compliance.yaml"),
               "--out", str(project.out)]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(source)}
    done = subprocess.run(program, capture_output=True, text=True, env=environment, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def test_adding_a_measurement_touches_one_file(tmp_path: Path) -> None:
    source = install(tmp_path, "row_count", ROW_COUNT)
    project = example.make(tmp_path)
    help_text = run(source, project, "measure", "--help").out
    assert "row_count" in help_text
    assert "a measurement of one file" in help_text
    schema = [sys.executable, "-m", "ml_compliance.cli", "schema", "config"]
    printed = subprocess.run(schema, capture_output=True, check=True, env={**os.environ, "PYTHONPATH": str(source)})
    assert "row_count" in json.loads(printed.stdout)["properties"]["measure"]["properties"]
    result = run(source, project, "gate", "--engine", "embedded")
    assert result.code == 0, result.err
    submission = json.loads((project.out / "model_submission.json").read_text())
    assert submission["input"]["evidence"]["row_count"]["measurements"][0]["value"] == 240
    for report in ("report.html", "report.md", "report.txt", "report.json"):
        text = (project.out / report).read_text()
        assert "row_count" in text or "row count" in text, report


def test_a_measurement_that_crashes_is_evidence_and_the_gate_fails_closed(tmp_path: Path) -> None:
    source = install(tmp_path, "crash", CRASH)
    project = example.make(tmp_path)
    result = run(source, project, "gate", "--engine", "embedded")
    assert result.code == 3
    assert "ZeroDivisionError: division by zero (crash.py:5)" in result.out
    evidence = json.loads((project.out / "model_submission.json").read_text())["input"]["evidence"]
    assert evidence["crash"]["status"] == "error"
    assert evidence["performance"]["status"] == "measured"
