"""A small consumer project on disk, and the command line run in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ml_compliance.cli import main

FACTS = """\
project: loans
data:
  evaluation: predictions.csv
  label: approved
  prediction: predicted
  score: score
  sensitive: [race, sex]
  id: id
"""

LAW = """\
project: loans
policies:
  - id: accuracy
    type: performance
    metric: accuracy
    minimum: 0.7
  - id: parity
    type: fairness
    metric: demographic_parity_difference
    threshold: 0.3
    sensitive_attributes: [race]
"""


def rows(n: int = 240) -> list[dict[str, Any]]:
    """Applications with known rates: four in five predictions are right, both races are treated alike."""
    table = []
    for i in range(n):
        approved = i % 2
        predicted = approved if i % 5 else 1 - approved
        table.append(
            {
                "id": f"A{i:04}",
                "approved": approved,
                "predicted": predicted,
                "score": round(0.05 + 0.9 * predicted - 0.001 * (i % 7) * (2 * predicted - 1), 4),
                "race": ("black", "white", "asian")[(i // 10) % 3],
                "sex": ("female", "male")[(i // 30) % 2],
            }
        )
    return table


def csv(table: list[dict[str, Any]]) -> str:
    """`table` as CSV text."""
    lines = [",".join(table[0])]
    lines += [",".join("" if value is None else str(value) for value in row.values()) for row in table]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Project:
    """A folder with facts, law and a table of predictions."""

    folder: Path

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def run(self, *words: str, engine: bool = True) -> Result:
        """Run one command with this project's config and output folder."""
        places = ["--config", str(self.folder / "compliance.yaml"), "--out", str(self.out)]
        chosen = ["--engine", "embedded"] if engine and words[0] in ("gate", "decide") else []
        result = CliRunner().invoke(main, [*words, *places, *chosen])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Result(result.exit_code, result.stdout, result.stderr)


def judged_at(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Set the clock that submissions are dated by, which nothing outside the process can."""
    monkeypatch.setattr("ml_compliance.submit.created", lambda: moment)


def make(folder: Path) -> Project:
    """A project whose model is allowed."""
    project = Project(folder)
    project.write("compliance.yaml", FACTS)
    project.write("compliance_policy.yaml", LAW)
    project.write("predictions.csv", csv(rows()))
    return project
