"""Every metric of every slice from counts, and with scores, against fairlearn's MetricFrame and a plain scan.

Ours is what the gate does after it was started: open the Parquet file, check it, count, and compute each metric of
performance and fairness with its interval, for all attributes and their intersections; with scores, ROC AUC, average
precision, log loss, Brier score, calibration and the sweep of cut-offs as well. The floor is DuckDB hashing every
value of the same columns. The peer computes six metrics (four with scores) for the finest intersection only, without
intervals, on at most a million of the rows, and its time is scaled. Each side runs in a process of its own.
"""

from __future__ import annotations

import argparse
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

PEER_ROWS = 1_000_000
RUNS = 3
ATTRIBUTES = {
    "race": "['a', 'b', 'c', 'd', 'e'][(1 + hash(i + 1) % 5)::int]",
    "sex": "['f', 'm'][(1 + hash(i + 2) % 2)::int]",
    "age": "['18-25', '26-40', '41-60', '61+'][(1 + hash(i + 3) % 4)::int]",
}
MANY = {"team": "'t' || (hash(i + 4) % 1000)::varchar"}
# Scores are all different; labels follow them, but not quite.
ROWS = """
COPY (
    SELECT (u < chance)::tinyint AS label, (score >= 0.5)::tinyint AS prediction, score, {names}
    FROM (
        SELECT hash(3 * i + 5) / 18446744073709551616.0 AS u, chance, {names},
               least(1, greatest(0, 0.9 * chance + 0.1 * hash(7 * i + 9) / 18446744073709551616.0)) AS score
        FROM (
            SELECT i, power(hash(11 * i + 1) / 18446744073709551616.0, 1.3) AS chance, {columns}
            FROM range({rows}) AS source(i)
        )
    )
) TO '{path}' (FORMAT parquet)
"""


def write(path: Path, rows: int, attributes: dict[str, str]) -> None:
    import duckdb

    columns = ", ".join(f"{expression} AS {name}" for name, expression in attributes.items())
    with duckdb.connect(config={"memory_limit": "1GB", "preserve_insertion_order": False}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(ROWS.format(rows=rows, path=path, columns=columns, names=", ".join(attributes)))


def floor(path: Path, attributes: list[str], scores: bool) -> Callable[[], Any]:
    import duckdb

    columns = ["label", "prediction", *attributes, *(["score"] if scores else [])]
    hashes = ", ".join(f"sum(hash({name}))" for name in columns)
    return lambda: duckdb.connect().execute(f"SELECT {hashes} FROM '{path}'").fetchall()


def ours(path: Path, attributes: list[str], scores: bool) -> Callable[[], Any]:
    from ml_compliance.context import Context
    from ml_compliance.facts import Data, Facts, NoSettings
    from ml_compliance.measure import calibration, fairness, performance

    data = Data(path.name, "label", prediction="prediction", score="score" if scores else None,
                sensitive=tuple(attributes))  # fmt: skip

    def run() -> None:
        context = Context(Facts("benchmark", data), None, path.parent, path.parent)
        found = [performance.measure(context, NoSettings()), fairness.measure(context, NoSettings())]
        if scores:
            found.append(calibration.measure(context, calibration.Settings()))
        context.close()
        assert all(evidence.status == "measured" for evidence in found)

    return run


def peer(path: Path, attributes: list[str], scores: bool) -> Callable[[], Any]:
    import duckdb
    from fairlearn import metrics as fair
    from sklearn import metrics

    frame = duckdb.connect().execute(f"SELECT * FROM '{path}' LIMIT {PEER_ROWS}").df()
    counted = {
        "accuracy": metrics.accuracy_score,
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
        "selection_rate": fair.selection_rate,
        "true_positive_rate": fair.true_positive_rate,
        "false_positive_rate": fair.false_positive_rate,
    }
    scored = {
        "roc_auc": metrics.roc_auc_score,
        "average_precision": metrics.average_precision_score,
        "log_loss": metrics.log_loss,
        "brier": metrics.brier_score_loss,
    }
    predicted = frame["score" if scores else "prediction"]

    def run() -> None:
        found = fair.MetricFrame(
            metrics=scored if scores else counted,
            y_true=frame["label"],
            y_pred=predicted,
            sensitive_features=frame[attributes],
        )
        assert len(found.by_group)
        assert len(found.overall)

    return run


SIDES = {"floor": (floor, RUNS), "ours": (ours, RUNS), "peer": (peer, 1)}


def child(side: str, path: str, attributes: str, scores: str) -> None:
    """One side: seconds of its best run, once everything is imported, and the peak of its process in MiB."""
    make, runs = SIDES[side]
    run = make(Path(path), attributes.split(","), scores == "scores")
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": min(seconds), "peak": round(peak)}))


def _measured(side: str, path: Path, attributes: dict[str, str], scores: bool) -> dict[str, float]:
    words = [side, str(path), ",".join(attributes), "scores" if scores else "counts"]
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.cube", "--child", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(name: str, path: Path, rows: int, attributes: dict[str, str], scores: bool) -> dict[str, Any]:
    sides = {side: _measured(side, path, attributes, scores) for side in SIDES}
    scale = max(1.0, rows / PEER_ROWS)
    ours_s, floor_s, peer_s = (sides[side]["seconds"] for side in ("ours", "floor", "peer"))
    sampled = f", on {PEER_ROWS:,} rows, scaled by {scale:g}" if scale > 1 else ""
    return {
        "name": name,
        "rows": rows,
        "ours_s": round(ours_s, 3),
        "peer": f"fairlearn MetricFrame, finest intersection{sampled}",
        "peer_s": round(peer_s * scale, 3),
        "floor_s": round(floor_s, 3),
        "ratio_peer": round(peer_s * scale / ours_s, 1),
        "ratio_floor": round(ours_s / floor_s, 2),
        "ours_peak_mib": sides["ours"]["peak"],
        "peer_peak_mib": sides["peer"]["peak"],
    }


def _show(found: dict[str, Any]) -> None:
    print(
        f"{found['name']}, {found['rows']:,} rows: ours {found['ours_s']:.2f} s ({found['ours_peak_mib']:,} MiB), "
        f"{found['ratio_floor']:.1f} × the plain scan ({found['floor_s']:.2f} s); "
        f"{found['peer']}: {found['peer_s']:.1f} s ({found['peer_peak_mib']:,} MiB), {found['ratio_peer']:,.0f} × ours"
        f"; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child)
        return
    cases = [
        ("3 attributes, counts", arguments.rows, ATTRIBUTES, False),
        ("3 attributes, scores", arguments.rows, ATTRIBUTES, True),
        ("1,000 groups, counts", 20_000, MANY, False),
        ("1,000 groups, scores", 20_000, MANY, True),
        ("1,000 groups of 20,000, counts", 2 * arguments.rows, MANY, False),
        ("1,000 groups of 20,000, scores", 2 * arguments.rows, MANY, True),
    ]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        written: Any = None
        for name, rows, attributes, scores in cases:
            if written != (rows, attributes):
                write(path, rows, attributes)
                written = rows, attributes
            found.append(compare(name, path, rows, attributes, scores))
            _show(found[-1])
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
