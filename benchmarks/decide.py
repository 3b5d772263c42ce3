"""Latency of one decision by each engine, on the demo's submission and on one with 5,000 groups.

Each is the median in a warm process: `embedded` the answer of the policy alone, the others `decide`, with checks,
digests and words. p50, p99 and the bars are printed in milliseconds. The demo is run first, which takes some 30 s.
"""

from __future__ import annotations

import copy
import json
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

import click

from benchmarks import harness
from ml_compliance import tools
from ml_compliance.decide import Request, decide, embedded
from ml_compliance.documents import digest
from ml_compliance.facts import Server
from ml_compliance.resources import policies_folder

ROWS = 5_000
PEERS = ()
RUNS = 30
ENGINES = ("embedded", "embedded, decided", "server", "binary")
BARS = {("embedded", "demo"): 2.0, ("embedded", "groups"): 100.0}


def run(rows: int) -> Iterator[harness.Result]:
    """Each engine on the demo's submission, and on the same with `rows` groups more. They have no peer."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "ml_compliance.cli", "demo", "--out", name, "--json"]
        subprocess.run(command, check=True, capture_output=True)
        for groups in (0, rows):
            for engine in ENGINES:
                cost = harness.measure(decision, folder=name, engine=engine, groups=groups)
                # The work is many decisions, whose own times count.
                quantiles = statistics.quantiles(cost.answer, n=100, method="inclusive")
                one = replace(cost, seconds=quantiles[49] / 1000)
                yield harness.result(f"decide, {engine}", groups or None, one)
                bar = BARS.get((engine, "groups" if groups else "demo"))
                said = f"; bar: p50 {bar:g} ms" if bar else ""
                click.echo(f"  p50 {quantiles[49]:.2f} ms, p99 {quantiles[98]:.2f} ms{said}")


def decision(folder: str, engine: str, groups: int) -> Callable[[], Any]:
    """Some decisions by `engine`; answers how many milliseconds each of them took."""
    law = json.loads((Path(folder) / "v1" / "policy_data.json").read_text())["mlpolicy"]["law"]
    request = Request(json.loads((Path(folder) / "v1" / "model_submission.json").read_text()), law)
    if groups:
        request = with_groups(request, groups)
    call = {
        "embedded": lambda: embedded.evaluate(request),
        "embedded, decided": lambda: decide(request, "embedded"),
        "binary": lambda: decide(request, "binary"),
    }.get(engine)
    return partial(_times, call) if call else partial(_by_server, request)


def with_groups(request: Request, groups: int) -> Request:
    """The submission with that many groups more, each judged, a tenth of them below the limit."""
    submission: Any = copy.deepcopy(request.submission)
    evidence = submission["input"]["evidence"]["performance"]
    overall = next(item for item in evidence["measurements"] if item["name"] == "performance/accuracy")
    evidence["measurements"] += [
        {**overall, "slice": {"race": f"group {i}"}, "value": 0.5 if i % 10 == 0 else 0.95} for i in range(groups)
    ]
    evidence["coverage"]["measurements"] = len(evidence["measurements"])
    law: Any = {key: value for key, value in copy.deepcopy(request.law).items() if key != "digest"}
    next(item for item in law["policies"] if item.get("metric") == "accuracy")["slices"] = ["race"]
    return replace(request, submission=submission, law={**law, "digest": digest(law)})


def _times(call: Callable[[], Any]) -> list[float]:
    call()
    found = list[float]()
    started = time.perf_counter()
    while len(found) < 2 or (len(found) < RUNS and time.perf_counter() - started < harness.ENOUGH):
        start = time.perf_counter()
        call()
        found.append((time.perf_counter() - start) * 1000)
    return found


def _by_server(request: Request) -> list[float]:
    with _opa(request.law) as url:
        asked = replace(request, server=Server(url, timeout=60))
        return _times(lambda: decide(asked, "server"))


@contextmanager
def _opa(law: Any) -> Iterator[str]:
    program = tools.find("opa")
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
    harness.main("decide")
