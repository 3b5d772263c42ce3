"""The whole gate on 10,000 predictions, room by room, and the start-up of the command line against bare click."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 10_000
RUNS = 5
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


def _write(folder: Path) -> None:
    source = random.Random(1)  # noqa: S311
    lines = ["label,prediction,score,race,sex"]
    for _ in range(ROWS):
        score = source.random()
        label = int(source.random() < score)
        lines.append(f"{label},{int(score >= 0.5)},{score},{source.choice('abcd')},{source.choice('fm')}")
    (folder / "predictions.csv").write_text("\n".join(lines) + "\n")
    (folder / "compliance.yaml").write_text(FACTS)
    (folder / "compliance_policy.yaml").write_text(LAW)


def _seconds(command: list[str], allowed: tuple[int, ...] = (0,)) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in allowed:
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr}")
    return time.perf_counter() - start, done.stdout


def main() -> None:
    program = [sys.executable, "-m", "ml_compliance.cli"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder)
        gate = [*program, "gate", "--engine", "embedded", "--timings", "--json", "--config",
                str(folder / "compliance.yaml"), "--out", str(folder / "out")]  # fmt: skip
        runs = [_seconds(gate, allowed=(0, 1)) for _ in range(RUNS)]
    seconds = [run[0] for run in runs]
    spread = f"{statistics.median(seconds):.2f} s median, {min(seconds):.2f} s least"
    print(f"gate on {ROWS:,} predictions, process start to end, {RUNS} runs: {spread}")
    for timing in json.loads(runs[-1][1])["timings"]:
        print(f"  {timing['room']:<24}{timing['seconds']:7.2f} s")
    bare = [sys.executable, "-c", "import click"]
    ratios = [_seconds([*program, "--help"])[0] / _seconds(bare)[0] for _ in range(15)]
    print(f"`--help` against `import click`, 15 pairs: {statistics.median(ratios):.2f} times as long (median)")


if __name__ == "__main__":
    main()
