"""Latency of one decision, by engine: on the demo's submission, and on one with 5,000 slices.

`python -m benchmarks.decide [--json] [--demo FOLDER]`; FOLDER is what `ml-compliance demo --out FOLDER` left, and is
made when it is not given. Each time is that of `decide` in a warm process: JSON, evaluation, checks, words.
"""

from __future__ import annotations

import argparse
import copy
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ml_compliance.decide import Request, decide, embedded
from ml_compliance.documents import digest
from ml_compliance.facts import Server
from ml_compliance.resources import policies_folder

SLICES = 5_000
RUNS = {"embedded": 100, "embedded, decided": 30, "server": 30, "binary": 10}
LARGE = 5  # times as few runs on the large submission
BARS = {("embedded", "demo"): 2.0, ("embedded", "5,000 slices"): 100.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--demo", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.demo or Path(name)
        if options.demo is None:
            command = [sys.executable, "-m", "ml_compliance.cli", "demo", "--out", str(folder), "--json"]
            subprocess.run(command, check=True, capture_output=True)
        cases = {"demo": _demo(folder)}
    cases["5,000 slices"] = _sliced(cases["demo"])
    records = []
    for record in (record for case, request in cases.items() for record in _engines(case, request)):
        records.append(record)
        if options.json:
            continue
        bar = f"  (bar: p50 {record['bar_ms']:g} ms)" if record["bar_ms"] else ""
        print(f"{record['submission']:<13}{record['engine']:<18}{record['runs']:4} runs  "
              f"p50 {record['p50_ms']:8.2f} ms  p99 {record['p99_ms']:8.2f} ms{bar}", flush=True)  # fmt: skip
    if options.json:
        print(json.dumps(records, indent=2))


def _demo(folder: Path) -> Request:
    law = json.loads((folder / "v1" / "policy_data.json").read_text())["mlpolicy"]["law"]
    return Request(json.loads((folder / "v1" / "model_submission.json").read_text()), law)


def _sliced(request: Request) -> Request:
    """The demo's submission with 5,000 groups more, each judged, a tenth of them below the limit."""
    submission: Any = copy.deepcopy(request.submission)
    evidence = submission["input"]["evidence"]["performance"]
    overall = next(item for item in evidence["measurements"] if item["name"] == "performance/accuracy")
    evidence["measurements"] += [
        {**overall, "slice": {"race": f"group {i}"}, "value": 0.5 if i % 10 == 0 else 0.95} for i in range(SLICES)
    ]
    evidence["coverage"]["measurements"] = len(evidence["measurements"])
    law: Any = {key: value for key, value in copy.deepcopy(request.law).items() if key != "digest"}
    next(item for item in law["policies"] if item.get("metric") == "accuracy")["slices"] = ["race"]
    return replace(request, submission=submission, law={**law, "digest": digest(law)})


def _engines(case: str, request: Request) -> Iterator[dict[str, Any]]:
    runs = {engine: count if case == "demo" else count // LARGE for engine, count in RUNS.items()}
    with _opa(request.law) as url:
        asked = replace(request, server=Server(url, timeout=60))
        calls: dict[str, Callable[[], Any]] = {"embedded": lambda: embedded.evaluate(request)}
        calls |= {"embedded, decided": lambda: decide(request, "embedded")}
        calls |= {engine: partial(decide, asked, engine) for engine in ("server", "binary")}
        for engine, call in calls.items():
            yield _record(case, engine, _times(call, runs[engine]))


def _times(call: Callable[[], Any], runs: int) -> list[float]:
    call()
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        found.append((time.perf_counter() - start) * 1000)
    return found


def _record(case: str, engine: str, times: list[float]) -> dict[str, Any]:
    quantiles = statistics.quantiles(times, n=100, method="inclusive")
    return {"benchmark": "decide", "submission": case, "engine": engine, "runs": len(times),
            "p50_ms": quantiles[49], "p99_ms": quantiles[98], "bar_ms": BARS.get((engine, case))}  # fmt: skip


@contextmanager
def _opa(law: Any) -> Iterator[str]:
    program = shutil.which("opa")
    if program is None:
        raise SystemExit("the program `opa` is not on PATH")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [program, "run", "--server", "--skip-version-check", "--log-level", "error", "--addr", address]
    process = subprocess.Popen([*command, str(policies_folder())])
    try:
        _put(f"http://{address}/v1/data/mlpolicy/law", json.dumps(law).encode())
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(10)


def _put(url: str, body: bytes) -> None:
    """Publish the law as soon as the server is there."""
    for attempt in range(200):
        try:
            urllib.request.urlopen(urllib.request.Request(url, body, method="PUT"), timeout=5).close()  # noqa: S310
        except OSError:
            if attempt == 199:
                raise
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    main()
