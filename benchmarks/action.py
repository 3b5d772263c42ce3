"""The GitHub action under act, from its first step to the verdict, with uv's cache warm: set-up and gate.

It has no peer. The floor of the whole is the same gate with nothing to set up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import gate, harness

ROWS = 10_000
PEERS = ()
STEPS = {"Set up": "set-up", "Measure and decide": "gate"}


def job(folder: str) -> Callable[[], Any]:
    """The work: act runs the workflow in `folder`. The answer: the seconds of each step of the action."""
    from tests.actions import rig

    ours = rig.checkout(Path(folder) / "ours")
    repository = Path(folder) / "repository"

    def run() -> Any:
        with tempfile.TemporaryDirectory() as scratch:
            done = rig.act(repository, ours, Path(scratch))
        if done.code:
            raise SystemExit(f"act ended with {done.code}:\n{done.text}")
        return {name: done.seconds(step) for step, name in STEPS.items()}

    return run


def run(rows: int) -> Iterator[harness.Result]:
    """The job as a whole, then its steps in the last run."""
    from tests.actions import rig

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "repository").mkdir()
        gate.write(folder / "repository", rows)
        judged = {"uses": "org/ml-compliance@v1", "with": {"artifact": "", "fail-on": "never"}}
        rig.repository(folder / "repository", rig.workflow(judged))
        started = ["-m", "ml_compliance.cli", "gate", "--config", str(folder / "repository" / "compliance.yaml"),
                   "--out", str(folder / "out")]  # fmt: skip
        floor = harness.measure(gate.program, arguments=started, allowed=[0, 1])
        whole = harness.measure(job, folder=name)
    yield harness.result("action", rows, whole, floor)
    for step, seconds in whole.answer.items():
        yield harness.result(f"action: {step}", rows, harness.Cost(seconds, None))


if __name__ == "__main__":
    harness.main("action")
