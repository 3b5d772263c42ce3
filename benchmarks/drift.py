"""Drift of 200 columns between two Parquet files, against a loop over scipy, evidently and a plain scan.

Ours is what the gate does after it was started: open both files and compute all six numbers of every column. The scipy
loop reads a column at a time and computes KS, Wasserstein and, from deciles, PSI, Jensen–Shannon and chi²; of text, the
last three. evidently runs its preset for data drift: one number for each column. Peers get two smaller numbers of
columns, and their time is on the line through the two. The floor is DuckDB hashing every value of both files.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import harness

ROWS = 1_000_000
COLUMNS = 200
PEERS = ("scipy", "evidently")
PEER_COLUMNS = (1, 10)
KINDS = ("normal", "normal", "normal", "shifted", "amount", "normal", "normal", "code", "normal", "text")
TABLES = ("reference.parquet", "current.parquet")
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
    """Both tables, as Parquet."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    for current, name in enumerate(TABLES):
        random = np.random.default_rng(current)
        writer = None
        for start in range(0, rows, _GROUP):
            some = min(_GROUP, rows - start)
            table = pa.table({f"c{place}": values(random, place, some, bool(current)) for place in range(columns)})
            writer = writer or parquet.ParquetWriter(folder / name, table.schema, use_dictionary=False)
            writer.write_table(table)
        if writer:
            writer.close()


def floor(folder: str, columns: int) -> Callable[[], Any]:
    """A plain scan of one file, then of the other."""
    scans = [harness.scan(str(Path(folder) / name), [f"c{place}" for place in range(columns)]) for name in TABLES]
    return lambda: [scan() for scan in scans]


def ours(folder: str, columns: int) -> Callable[[], Any]:
    """The measurement `drift` on a new context."""
    from ml_compliance.context import Context
    from ml_compliance.facts import Data, Facts
    from ml_compliance.measure import drift

    reference, current = TABLES
    data = Data(current, "c0", reference=reference)

    def run() -> Any:
        context = Context(Facts("benchmark", data), None, Path(folder), Path(folder))
        found = drift.measure(context, drift.Settings())
        context.close()
        if found.facts["compared"] != columns:
            raise SystemExit(found.reason)
        return len(found.measurements)

    return run


def scipy(folder: str, columns: int) -> Callable[[], Any]:
    """What one writes with scipy, for the first `columns` columns."""
    import numpy as np
    from pyarrow import parquet
    from scipy import stats
    from scipy.spatial.distance import jensenshannon

    def binned(counts: list[Any]) -> tuple[float, float, float]:
        r, c = (np.maximum(side / side.sum(), 1e-4) for side in counts)
        table = np.array(counts)
        test = stats.chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False)
        return float(np.sum((r - c) * np.log(r / c))), float(jensenshannon(*counts)), float(test.statistic)

    def column(name: str) -> int:
        both = [parquet.read_table(Path(folder) / table, columns=[name])[name] for table in TABLES]
        if str(both[0].type).endswith("string"):
            counted = [{row["values"]: row["counts"] for row in side.value_counts().to_pylist()} for side in both]
            values = sorted({*counted[0], *counted[1]})
            return len(binned([np.array([rows.get(value, 0) for value in values]) for rows in counted]))
        r, c = (side.to_numpy() for side in both)
        edges = np.unique(np.quantile(r, np.arange(1, 10) / 10))
        counts = [np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1) for side in (r, c)]
        return len((stats.ks_2samp(r, c, method="asymp"), stats.wasserstein_distance(r, c), *binned(counts)))

    return lambda: sum(column(f"c{place}") for place in range(columns))


def evidently(folder: str, columns: int) -> Callable[[], Any]:
    """evidently's preset for data drift, for the first `columns` columns."""
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    names = [f"c{place}" for place in range(columns)]

    def run() -> Any:
        reference, current = (pd.read_parquet(Path(folder) / table, columns=names) for table in TABLES)
        return len(Report([DataDriftPreset()]).run(reference_data=reference, current_data=current).dict()["metrics"])

    return run


def run(rows: int) -> Iterator[harness.Result]:
    """200 columns × `rows` rows in both tables."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), COLUMNS, rows)
        plain, mine = (harness.measure(side, folder=folder, columns=COLUMNS) for side in (floor, ours))
        for name, side in {"scipy, a column at a time": scipy, "evidently's DataDriftPreset": evidently}.items():
            yield harness.result(f"drift, {COLUMNS} columns", rows, mine, plain, _peer(name, side, folder))


def _peer(name: str, side: harness.Side, folder: str) -> harness.Peer:
    return harness.on_line(name, "columns", COLUMNS, PEER_COLUMNS,
                           lambda columns: harness.measure(side, folder=folder, columns=columns))  # fmt: skip


if __name__ == "__main__":
    harness.main("drift")
