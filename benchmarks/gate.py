"""The whole gate on some predictions, process start to end and room by room, and `--help` against bare click.

The floor of the gate is DuckDB hashing every value of the predictions; that of `--help` a Python that imports click.
The peak is that of the largest process.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import harness

ROWS = 10_000
PEERS = ()
COLUMNS = ("label", "prediction", "score", "race", "sex")
FACTS = """\
project: benchmark
data: {evaluation: predictions.csv, label: label, prediction: prediction, score: score, sensitive: [race, sex]}
"""
LAW = """\
project: benchmark
policies:
  - {id: accuracy, type: performance, metric: accuracy, minimum: 0.5, slices: [race]}
  - {id: parity, type: fairness, metric: demographic_parity_ratio, threshold: 0.5, sensitive_attributes: [race, sex]}
  - {id: lineage, type: data_lineage, required_artifacts: [raw_data_hash]}
"""


def write(folder: Path, rows: int) -> None:
    """Predictions, the facts about them, and a law."""
    source = random.Random(1)  # noqa: S311
    with (folder / "predictions.csv").open("w", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n")
        for _ in range(rows):
            score = source.random()
            label = int(source.random() < score)
            file.write(f"{label},{int(score >= 0.5)},{score},{source.choice('abcd')},{source.choice('fm')}\n")
    (folder / "compliance.yaml").write_text(FACTS, encoding="utf-8")
    (folder / "compliance_policy.yaml").write_text(LAW, encoding="utf-8")


def program(arguments: list[str], allowed: list[int]) -> Callable[[], Any]:
    """The work: start Python with `arguments`, wait, and answer what it printed."""

    def run() -> Any:
        done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
        if done.returncode not in allowed:
            raise SystemExit(f"{arguments} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    return run


def run(rows: int) -> Iterator[harness.Result]:
    """The gate, with the rooms of its last run, and `--help`; they have no peer."""
    started = ["-m", "ml_compliance.cli"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, rows)
        table = str(folder / "predictions.csv")
        floor = harness.measure(harness.scan, path=table, columns=list(COLUMNS))
        arguments = [*started, "gate", "--engine", "embedded", "--timings", "--json", "--config",
                     str(folder / "compliance.yaml"), "--out", str(folder / "out")]  # fmt: skip
        whole = harness.measure(program, arguments=arguments, allowed=[0, 1])
    yield harness.result("gate", rows, whole, floor)
    for timing in json.loads(whole.answer)["timings"]:
        print(f"  {timing['room']:<24}{timing['seconds']:7.2f} s")
    bare = harness.measure(program, arguments=["-c", "import click"], allowed=[0])
    yield harness.result("--help", None, harness.measure(program, arguments=[*started, "--help"], allowed=[0]), bare)


if __name__ == "__main__":
    harness.main("gate")
