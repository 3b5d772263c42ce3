"""Drift of many columns between two Parquet files, against a loop over scipy, evidently and a plain scan.

Ours is what the gate does after it was started: open both files and compute all six numbers of every column. The scipy
loop reads a column at a time and computes KS, Wasserstein and, from deciles, PSI, Jensen–Shannon and chi²; of text, the
last three. evidently runs its preset for data drift (one number for each column); it is measured where EVIDENTLY_PYTHON
names a Python that has it, and skipped otherwise. Peers get `PEER_COLUMNS` of the columns, and their time is scaled:
both go through one column after another. The floor is DuckDB hashing every value of both files. Each side runs in a
process of its own, once everything is imported.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PEER_COLUMNS = 20
RUNS = {"floor": 2, "ours": 2}
KINDS = ("normal", "normal", "normal", "shifted", "amount", "normal", "normal", "code", "normal", "text")
_GROUP = 100_000


def values(random: Any, place: int, rows: int, current: bool) -> Any:
    """One column: most are measures that did not move; some moved, some are amounts, codes or categories."""
    import numpy as np

    normal = random.standard_normal(rows)
    kind = KINDS[place % len(KINDS)]
    if kind == "shifted":
        return normal + 0.2 * current
    if kind == "amount":
        return np.round(np.exp(3 + normal), 2)
    if kind == "code":
        return (np.abs(normal) * 4).astype(int)
    return np.char.add("c", (np.abs(normal) * 9).astype(int).astype(str)) if kind == "text" else normal


def write(folder: Path, columns: int, rows: int) -> None:
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    for current, name in enumerate(("reference", "current")):
        random = np.random.default_rng(current)
        writer = None
        for start in range(0, rows, _GROUP):
            some = min(_GROUP, rows - start)
            table = pa.table({f"c{place}": values(random, place, some, bool(current)) for place in range(columns)})
            writer = writer or parquet.ParquetWriter(folder / f"{name}.parquet", table.schema, use_dictionary=False)
            writer.write_table(table)
        if writer:
            writer.close()


def floor(folder: Path, columns: int) -> Callable[[], Any]:
    import duckdb

    hashes = ", ".join(f"sum(hash(c{place}))" for place in range(columns))
    return lambda: [
        duckdb.connect().execute(f"SELECT {hashes} FROM '{folder / name}.parquet'").fetchall()
        for name in ("reference", "current")
    ]


def ours(folder: Path, columns: int) -> Callable[[], Any]:
    from ml_compliance.context import Context
    from ml_compliance.facts import Data, Facts
    from ml_compliance.measure import drift

    data = Data("current.parquet", "c0", reference="reference.parquet")

    def run() -> None:
        context = Context(Facts("benchmark", data), None, folder, folder)
        found = drift.measure(context, drift.Settings())
        context.close()
        assert found.facts["compared"] == columns, found.reason

    return run


def scipy(folder: Path, columns: int) -> Callable[[], Any]:
    import numpy as np
    from pyarrow import parquet
    from scipy import stats
    from scipy.spatial.distance import jensenshannon

    def binned(counts: list[Any]) -> tuple[float, float, float]:
        r, c = (np.maximum(side / side.sum(), 1e-4) for side in counts)
        table = np.array(counts)
        test = stats.chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False)
        return float(np.sum((r - c) * np.log(r / c))), float(jensenshannon(*counts)), float(test.statistic)

    def column(name: str) -> Any:
        both = [
            parquet.read_table(folder / f"{side}.parquet", columns=[name])[name] for side in ("reference", "current")
        ]
        if str(both[0].type).endswith("string"):
            counted = [{row["values"]: row["counts"] for row in side.value_counts().to_pylist()} for side in both]
            values = sorted({*counted[0], *counted[1]})
            return binned([np.array([rows.get(value, 0) for value in values]) for rows in counted])
        r, c = (side.to_numpy() for side in both)
        edges = np.unique(np.quantile(r, np.arange(1, 10) / 10))
        counts = [np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1) for side in (r, c)]
        return stats.ks_2samp(r, c, method="asymp"), stats.wasserstein_distance(r, c), *binned(counts)

    return lambda: [column(f"c{place}") for place in range(columns)]


def evidently(folder: Path, columns: int) -> Callable[[], Any]:
    import pandas as pd

    package, presets = (importlib.import_module(name) for name in ("evidently", "evidently.presets"))
    names = [f"c{place}" for place in range(columns)]

    def run() -> None:
        both = [pd.read_parquet(folder / f"{side}.parquet", columns=names) for side in ("reference", "current")]
        assert (
            package.Report([presets.DataDriftPreset()])
            .run(reference_data=both[0], current_data=both[1])
            .dict()["metrics"]
        )

    return run


def child(side: str, folder: str, columns: str) -> None:
    """One side: seconds of its best run, once everything is imported, and the peak of its process in MiB."""
    run = {"floor": floor, "ours": ours, "scipy": scipy, "evidently": evidently}[side](Path(folder), int(columns))
    seconds = []
    for _ in range(RUNS.get(side, 1)):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": min(seconds), "peak": round(peak)}))


def _measured(side: str, folder: Path, columns: int, python: str = sys.executable) -> dict[str, float]:
    command = [python, "-W", "ignore", "-m", "benchmarks.drift", "--child", side, str(folder), str(columns)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{side}: {done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=3)
    given = parser.parse_args()
    if given.child:
        child(*given.child)
        return
    results = []
    pythons = {"scipy": sys.executable, "evidently": os.environ.get("EVIDENTLY_PYTHON", "")}
    asked = min(PEER_COLUMNS, given.columns)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, given.columns, given.rows)
        plain, mine = (_measured(side, folder, given.columns) for side in ("floor", "ours"))
        load = os.getloadavg()[0]
        print(f"drift of {given.columns} columns × {given.rows:,} rows in both tables; load of the machine {load:.1f}")
        print(f"  floor, a plain scan {plain['seconds']:8.2f} s {plain['peak']:8.0f} MiB")
        print(f"  ours                {mine['seconds']:8.2f} s {mine['peak']:8.0f} MiB  "
              f"{mine['seconds'] / plain['seconds']:.1f} × the floor")  # fmt: skip
        for peer, python in pythons.items():
            if not python:
                print(f"  {peer:<20}skipped: EVIDENTLY_PYTHON names no Python that has it")
                continue
            theirs = _measured(peer, folder, asked, python)
            seconds = theirs["seconds"] * given.columns / asked
            print(f"  {peer:<20}{seconds:8.2f} s {theirs['peak']:8.0f} MiB  {seconds / mine['seconds']:.1f} × ours "
                  f"(scaled from {asked} columns)")  # fmt: skip
            results.append({
                "name": f"drift, {given.columns} columns", "rows": given.rows, "ours_s": mine["seconds"], "peer": peer,
                "peer_s": seconds, "floor_s": plain["seconds"], "ratio_peer": seconds / mine["seconds"],
                "ratio_floor": mine["seconds"] / plain["seconds"], "ours_peak_mib": mine["peak"],
                "peer_peak_mib": theirs["peak"],
            })  # fmt: skip
    if given.json:
        given.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
