"""Every metric of every slice, with intervals, against fairlearn's MetricFrame, aequitas and a plain scan.

Ours is what the gate does after it was started: open the Parquet file, check it, count, and compute each metric of
performance and fairness with its interval, for all attributes and their intersections; with scores, ROC AUC, average
precision, log loss, Brier score, calibration and the sweep of cut-offs as well. Intervals come from the counts, without
resamples. The floor is DuckDB hashing every value of the same columns.

Peers have their rows in memory before. MetricFrame computes six metrics (four with scores) for the finest intersection;
aequitas its crosstabs and disparities for all attributes, with intersections given as columns. Where there are more
than a few rows, a peer gets two smaller numbers of them, and its time is on the line through the two.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from benchmarks import harness

ROWS = 10_000_000
PEERS = ("fairlearn", "aequitas")
FRAME_ROWS = (100_000, 300_000)
AEQUITAS_ROWS = (200_000, 1_000_000)
RESAMPLES = 1_000
RESAMPLED = 2
ATTRIBUTES = {
    "race": "['a', 'b', 'c', 'd', 'e'][(1 + hash(i + 1) % 5)::int]",
    "sex": "['f', 'm'][(1 + hash(i + 2) % 2)::int]",
    "age": "['18-25', '26-40', '41-60', '61+'][(1 + hash(i + 3) % 4)::int]",
}
MANY = {"team": "'t' || (hash(i + 4) % 1000)::varchar"}
# Scores are all different; labels follow them, but not quite.
TABLE = """
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


@dataclass(frozen=True)
class Case:
    """A table of `rows` rows with some attributes, judged by counts alone or by scores too."""

    name: str
    rows: int
    attributes: dict[str, str]
    scores: bool
    resampled: bool = False


def cases(rows: int) -> list[Case]:
    """What is measured for `--rows`; 1,000 groups have 20 rows each, and 20,000."""
    few, many = min(rows, 20_000), min(2 * rows, 20_000_000)
    return [
        Case("fairness, 3 attributes, counts", rows, ATTRIBUTES, False, True),
        Case("fairness, 3 attributes, scores", rows, ATTRIBUTES, True),
        Case("fairness, 1,000 groups, counts", few, MANY, False),
        Case("fairness, 1,000 groups, scores", few, MANY, True),
        Case("fairness, 1,000 larger groups, counts", many, MANY, False),
        Case("fairness, 1,000 larger groups, scores", many, MANY, True),
    ]


def write(path: Path, rows: int, attributes: dict[str, str]) -> None:
    """The table as Parquet."""
    import duckdb

    columns = ", ".join(f"{expression} AS {name}" for name, expression in attributes.items())
    with duckdb.connect(config={"memory_limit": "1GB", "preserve_insertion_order": False}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(TABLE.format(rows=rows, path=path, columns=columns, names=", ".join(attributes)))


def ours(path: str, attributes: list[str], scores: bool) -> Callable[[], Any]:
    """The measurements performance and fairness, and with scores calibration, on a new context."""
    from ml_compliance.context import Context
    from ml_compliance.facts import Data, Facts, NoSettings
    from ml_compliance.measure import calibration, fairness, performance

    file = Path(path)
    data = Data(file.name, "label", prediction="prediction", score="score" if scores else None,
                sensitive=tuple(attributes))  # fmt: skip

    def run() -> Any:
        context = Context(Facts("benchmark", data), None, file.parent, file.parent)
        found = [performance.measure(context, NoSettings()), fairness.measure(context, NoSettings())]
        if scores:
            found.append(calibration.measure(context, calibration.Settings()))
        context.close()
        if any(evidence.status != "measured" for evidence in found):
            raise SystemExit("; ".join(evidence.reason for evidence in found))
        return sum(len(evidence.measurements) for evidence in found)

    return run


def metric_frame(path: str, attributes: list[str], scores: bool, rows: int, resamples: int) -> Callable[[], Any]:
    """fairlearn's MetricFrame on the first `rows` rows, with percentile intervals of `resamples` resamples, if any."""
    from fairlearn import metrics as fair
    from sklearn import metrics

    frame = _frame(path, rows)
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
    intervals = {"n_boot": resamples, "ci_quantiles": [0.025, 0.975], "random_state": 1} if resamples else {}

    def run() -> Any:
        found = fair.MetricFrame(
            metrics=scored if scores else counted, y_true=frame["label"],
            y_pred=frame["score" if scores else "prediction"], sensitive_features=frame[attributes], **intervals,
        )  # fmt: skip
        return len(found.by_group)

    return run


def aequitas(path: str, attributes: list[str], rows: int) -> Callable[[], Any]:
    """The audit of aequitas on the first `rows` rows."""
    from aequitas import Audit

    frame = _frame(path, rows)
    table = frame[["label", *attributes]].assign(score=frame["prediction"])
    for size in range(2, len(attributes) + 1):
        for names in combinations(attributes, size):
            table["_".join(names)] = table[names[0]].str.cat(table[list(names[1:])], sep="|")

    def run() -> Any:
        audit = Audit(table, sensitive_attribute_column=[name for name in table if name not in ("label", "score")])
        audit.audit()
        return len(audit.disparity_df)

    return run


def _frame(path: str, rows: int) -> Any:
    import duckdb

    return duckdb.connect().execute(f"SELECT * FROM '{path}' LIMIT {rows}").df()


def compare(case: Case, path: str) -> Iterator[harness.Result]:
    """Ours beside each peer on the table in the file `path`."""
    given = {"path": path, "attributes": list(case.attributes)}
    columns = ["label", "prediction", *case.attributes, *(["score"] if case.scores else [])]
    floor = harness.measure(harness.scan, path=path, columns=columns)
    mine = harness.measure(ours, scores=case.scores, **given)
    for peer in _peers(case, given):
        yield harness.result(case.name, case.rows, mine, floor, peer)


def _peers(case: Case, given: dict[str, Any]) -> Iterator[harness.Peer]:
    frame = _frames(case, given)
    yield frame
    if case.resampled:
        yield _resampled(case, given, frame)
    if not case.scores:
        yield harness.on_line("aequitas, no intervals", "rows", case.rows, AEQUITAS_ROWS,
                              lambda rows: harness.measure(aequitas, rows=rows, **given))  # fmt: skip


def _frames(case: Case, given: dict[str, Any]) -> harness.Peer:
    return harness.on_line(
        "fairlearn MetricFrame, no intervals", "rows", case.rows, FRAME_ROWS,
        lambda rows: harness.measure(metric_frame, rows=rows, scores=case.scores, resamples=0, **given),
    )  # fmt: skip


def _resampled(case: Case, given: dict[str, Any], plain: harness.Peer) -> harness.Peer:
    """MetricFrame with all resamples: how many times as long as without, on few rows, times how long it takes there."""
    rows = min(case.rows, FRAME_ROWS[0])

    def measured(resamples: int) -> harness.Cost:
        return harness.measure(metric_frame, rows=rows, scores=case.scores, resamples=resamples, **given)

    peer = harness.on_line("fairlearn MetricFrame", "resamples", RESAMPLES, (1, 1 + RESAMPLED), measured)
    without = measured(0)
    seconds = plain.cost.seconds * peer.cost.seconds / without.seconds
    said = f"{peer.name} on {rows:,} rows, in proportion to the time without"
    return harness.Peer(said, replace(peer.cost, seconds=seconds))


def run(rows: int) -> Iterator[harness.Result]:
    """All cases, each on a table of its own size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        written: tuple[int, dict[str, str]] | None = None
        for case in cases(rows):
            if written != (case.rows, case.attributes):
                write(path, case.rows, case.attributes)
                written = case.rows, case.attributes
            yield from compare(case, str(path))


if __name__ == "__main__":
    harness.main("fairness")
