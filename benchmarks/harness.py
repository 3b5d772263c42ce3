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
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ml_compliance.cli._shared import Guarded
from ml_compliance.files import write

ENOUGH = 10.0
RUNS = 9
ROOT = Path(__file__).parent.parent
# What peers would otherwise send home while their time is taken.
SILENT = {"DO_NOT_TRACK": "1", "GX_ANALYTICS_ENABLED": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
Side = Callable[..., Callable[[], Any]]


@dataclass(frozen=True)
class Cost:
    """Seconds of the median run, the process's peak in MiB, and what the last run answered."""

    seconds: float
    peak_mib: int | None
    answer: Any = None


@dataclass(frozen=True)
class Peer:
    """What another tool took, or would take: `name` says from which smaller sizes the seconds were found."""

    name: str
    cost: Cost


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
    theirs = peer.cost.seconds if peer else None
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
    asked = json.dumps({"enough": ENOUGH, "arguments": arguments})
    done = subprocess.run(
        command, input=asked, capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, **SILENT},
    )  # fmt: skip
    if done.returncode:
        raise click.ClickException(f"{side.__module__}.{side.__name__} failed:\n{done.stderr[-4000:]}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def on_line(name: str, unit: str, size: int, sizes: tuple[int, int], cost: Callable[[int], Cost]) -> Peer:
    """The peer `name` at `size`, as measured, or on the line through its costs at two smaller `sizes`.

    The peak is that of the larger size, so that it is a lower bound.
    """
    if size <= sizes[1]:
        return Peer(name, cost(size))
    small, large = (cost(each) for each in sizes)
    slope = max(0.0, large.seconds - small.seconds) / (sizes[1] - sizes[0])
    seconds = large.seconds + slope * (size - sizes[1])
    said = f"{name}, {size:,} {unit} from {sizes[0]:,} and {sizes[1]:,}"
    return Peer(said, replace(large, seconds=seconds))


def scan(path: str, columns: list[str]) -> Callable[[], Any]:
    """The floor: DuckDB reads the columns of the table in the file `path` and hashes every value."""
    import duckdb

    hashes = ", ".join(f"sum(hash({name}))" for name in columns)
    return lambda: str(duckdb.connect().execute(f"SELECT {hashes} FROM '{path}'").fetchall())


def seconds_of(work: Callable[[], Any], enough: float) -> tuple[float, Any]:
    """Seconds of the median run of `work`, repeated for `enough` seconds, and what the last one answered."""
    seconds: list[float] = []
    answer = None
    while not seconds or (len(seconds) < RUNS and sum(seconds) < enough):
        start = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), answer


def peak_mib() -> int:
    """The most memory that this process or a child of its has held, in MiB.

    `ru_maxrss` alone would not do: it begins with the memory of the process that started this one.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return round(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024)


def show(one: Result, console: Console, first: bool) -> None:
    """Print a result; the `first` of a name begins a block with ours and the floor, others add their peer."""
    if first:
        size = "" if one.rows is None else f", {one.rows:,} rows"
        console.print(f"\n[bold]{one.name}[/bold]{size}; load {os.getloadavg()[0]:.1f}")
        console.print(_line("ours", one.ours_s, one.ours_peak_mib, ""))
        if one.floor_s is not None:
            console.print(_line("floor", one.floor_s, None, f"ours takes {_times(one.ratio_floor)} as long"))
    if one.peer is not None:
        memory = ""
        if one.peer_peak_mib and one.ours_peak_mib:
            memory = f", {_times(one.peer_peak_mib / one.ours_peak_mib)} the memory"
        console.print(_line("peer", one.peer_s, one.peer_peak_mib, f"{_times(one.ratio_peer)} as long{memory}"))
        console.print(f"        {one.peer}")


def _line(side: str, seconds: float | None, peak: int | None, said: str) -> str:
    memory = " " * 12 if peak is None else f"{peak:8,} MiB"
    return f"  {side:<6}{seconds:10,.2f} s {memory}  {said}".rstrip()


def _times(ratio: float | None) -> str:
    return f"{ratio:,.0f} ×" if ratio is not None and ratio >= 100 else f"{ratio:.3g} ×"


def main(*names: str) -> None:
    """Run the benchmarks called `names` as the command line says."""
    command(*names)(prog_name=f"python -m benchmarks{'.' + names[0] if len(names) == 1 else ''}")


def command(*names: str) -> click.Command:
    """The command line of the benchmarks called `names`: each module has `ROWS`, `PEERS` and `run(rows)`."""
    modules = [importlib.import_module(f"benchmarks.{name}") for name in names]

    @click.command(
        cls=Guarded, help=modules[0].__doc__ if len(modules) == 1 else f"Run the benchmarks: {', '.join(names)}."
    )
    @click.option("--rows", type=click.IntRange(min=1), help="Rows to measure on (default: what each is made for).")
    @click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the results here.")
    def measured(rows: int | None, file: Path | None) -> None:
        missing = sorted({peer for module in modules for peer in module.PEERS if not importlib.util.find_spec(peer)})
        if missing:
            raise click.UsageError(f"{', '.join(missing)} not installed: `make bench` makes .venv-bench with the peers")
        console = Console(soft_wrap=True, highlight=False)
        console.print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        results: list[Result] = []
        _save(file, results)
        for module in modules:
            for one in module.run(rows or module.ROWS):
                show(one, console, first=not results or results[-1].name != one.name)
                results.append(one)
                _save(file, results)

    return measured


def _save(file: Path | None, results: Sequence[Result]) -> None:
    """What is there so far; before the first, so that a file that cannot be written is known at once."""
    if file:
        write(file, json.dumps([asdict(one) for one in results], indent=2) + "\n")


def _child(module: str, side: str) -> None:
    asked = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        work = getattr(importlib.import_module(module), side)(**asked["arguments"])
        seconds, answer = seconds_of(work, asked["enough"])
    print(json.dumps({"seconds": seconds, "peak_mib": peak_mib(), "answer": answer}))


if __name__ == "__main__":
    _child(*sys.argv[1:])
