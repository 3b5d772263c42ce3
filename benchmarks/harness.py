"""One way to measure and to report: each side in a fresh process, its seconds, its peak memory and the plain scan.

A side is a function of a benchmark's module which prepares (imports, and what its docstring says) and returns the work
to be measured. The work is repeated until `ENOUGH` seconds or `RUNS` runs; the median counts. The peak is that of the
whole process, imports and DuckDB's buffers included, as Linux keeps it in VmHWM.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ml_compliance.files import write

ENOUGH = 10.0
RUNS = 5
ROOT = Path(__file__).parent.parent
# What peers would otherwise send home while their time is taken.
SILENT = {"DO_NOT_TRACK": "1", "GX_ANALYTICS_ENABLED": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
Side = Callable[..., Callable[[], Any]]


@dataclass(frozen=True)
class Cost:
    """Seconds of the median run, the process's peak in MiB, and what the last run answered."""

    seconds: float
    peak_mib: int
    answer: Any = None


@dataclass(frozen=True)
class Peer:
    """What another tool took. `factor` scales its seconds to our size where it was given less, as `name` says."""

    name: str
    cost: Cost
    factor: float = 1.0


@dataclass(frozen=True)
class Result:
    """One line of the JSON. `ratio_peer` is how many times as long as ours the peer takes, `ratio_floor` how many times
    as long as the floor we take; seconds are medians, peaks in MiB, None where there is none.
    """

    name: str
    rows: int | None
    ours_s: float | None
    peer: str | None = None
    peer_s: float | None = None
    floor_s: float | None = None
    ratio_peer: float | None = None
    ratio_floor: float | None = None
    ours_peak_mib: int | None = None
    peer_peak_mib: int | None = None


def result(name: str, rows: int | None, ours: Cost, floor: Cost | None = None, peer: Peer | None = None) -> Result:
    """Ours beside one peer and the floor."""
    theirs = peer.cost.seconds * peer.factor if peer else None
    return Result(
        name,
        rows,
        round(ours.seconds, 3),
        peer.name if peer else None,
        None if theirs is None else round(theirs, 3),
        round(floor.seconds, 3) if floor else None,
        None if theirs is None else round(theirs / ours.seconds, 2),
        round(ours.seconds / floor.seconds, 2) if floor else None,
        ours.peak_mib,
        peer.cost.peak_mib if peer else None,
    )


def measure(side: Side, **arguments: Any) -> Cost:
    """What `side(**arguments)` costs in a process of its own. Raises ClickException with its words when it fails."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.harness", side.__module__, side.__name__]
    click.echo(f"… {side.__module__.removeprefix('benchmarks.')} {side.__name__}", err=True)
    done = subprocess.run(
        command, input=json.dumps(arguments), capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, **SILENT},
    )  # fmt: skip
    if done.returncode:
        raise click.ClickException(f"{side.__module__}.{side.__name__} failed:\n{done.stderr[-4000:]}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def scan(path: str, columns: list[str]) -> Callable[[], Any]:
    """The floor: DuckDB reads the columns of the table in the file `path` and hashes every value."""
    import duckdb

    hashes = ", ".join(f"sum(hash({name}))" for name in columns)
    return lambda: str(duckdb.connect().execute(f"SELECT {hashes} FROM '{path}'").fetchall())


def seconds_of(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the median run of `work`, and what the last one answered."""
    seconds: list[float] = []
    answer = None
    while not seconds or (len(seconds) < RUNS and sum(seconds) < ENOUGH):
        start = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), answer


def peak_mib() -> int:
    """The most memory that this process has held, in MiB. `ru_maxrss` would begin with that of its parent."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024)


def show(results: Iterable[Result], load: float) -> None:
    """Print a block for every name: ours, the floor and the peers. `load` is the machine's before the benchmark."""
    console = Console(soft_wrap=True, highlight=False)
    name = None
    for one in results:
        if one.name != name:
            name = one.name
            size = "" if one.rows is None else f", {one.rows:,} rows"
            busy = f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores"
            console.print(f"\n[bold]{name}[/bold]{size}; {busy}")
            console.print(_line("ours", one.ours_s, one.ours_peak_mib, ""))
            if one.floor_s is not None:
                console.print(_line("floor", one.floor_s, None, f"ours takes {one.ratio_floor:,.2f} × as long"))
        if one.peer is not None:
            more = f", {one.peer_peak_mib / one.ours_peak_mib:.1f} × the memory" \
                if one.peer_peak_mib and one.ours_peak_mib else ""  # fmt: skip
            said = f"{one.ratio_peer:,.1f} × as long as ours{more}"
            console.print(_line("peer", one.peer_s, one.peer_peak_mib, said), one.peer, sep="\n        ")


def _line(side: str, seconds: float | None, peak: int | None, said: str) -> str:
    memory = f"{peak:8,} MiB" if peak is not None else " " * 12
    return f"  {side:<6}{seconds:10,.2f} s {memory}  {said}".rstrip()


def main(*names: str) -> None:
    """The command line of the benchmarks called `names`: each module has `ROWS`, `PEERS` and `run(rows)`."""
    modules = [importlib.import_module(f"benchmarks.{name}") for name in names]

    @click.command(help=modules[0].__doc__ if len(modules) == 1 else f"Run the benchmarks: {', '.join(names)}.")
    @click.option("--rows", type=click.IntRange(min=1), help="Rows to measure on (default: what each is made for).")
    @click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the results here.")
    def command(rows: int | None, file: Path | None) -> None:
        missing = sorted({peer for module in modules for peer in module.PEERS if not importlib.util.find_spec(peer)})
        if missing:
            raise click.UsageError(f"{', '.join(missing)} not installed: `make bench` makes .venv-bench with the peers")
        results: list[Result] = []
        for module in modules:
            load = os.getloadavg()[0]
            found = module.run(rows or module.ROWS)
            show(found, load)
            results += found
            if file:
                write(file, json.dumps([asdict(one) for one in results], indent=2) + "\n")

    command(prog_name=f"python -m benchmarks{'.' + names[0] if len(names) == 1 else ''}")


def _child(module: str, side: str) -> None:
    arguments = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        work = getattr(importlib.import_module(module), side)(**arguments)
        seconds, answer = seconds_of(work)
    print(json.dumps({"seconds": seconds, "peak_mib": peak_mib(), "answer": answer}))


if __name__ == "__main__":
    _child(*sys.argv[1:])
