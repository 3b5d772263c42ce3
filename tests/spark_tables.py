"""Tables as they are in life, with nulls, NaN and empty texts, and one Spark session for all who ask."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ml_compliance.engine.backends import Link, connect_to
from tests.programs import lacking

URL = "pyspark://?spark.master=local[2]&spark.sql.shuffle.partitions=2&spark.sql.session.timeZone=UTC"
ROWS = 5_000


def java() -> None:
    """Without Java the test is skipped, and fails where CI is true."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        lacking("Java")


@functools.cache
def session() -> Link:
    """The Spark session of this test run."""
    java()
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    link = connect_to(URL)
    atexit.register(link.close)
    return link


def applications(seed: int, n: int = ROWS) -> pa.Table:
    """Two sensitive attributes with gaps, columns of every kind, and label and prediction of every task."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, n)
    score = (0.3 * label + 0.7 * random.random(n)).round(3)
    age = random.normal(45, 15, n).round(1)
    age[random.random(n) < 0.03] = np.nan
    income = np.where(random.random(n) < 0.02, None, random.lognormal(10, 1, n))  # type: ignore[call-overload]
    colour = random.choice(["red", "green", "blue"], n)
    told = np.where(random.random(n) < 0.8, colour, random.choice(["red", "green", "blue", "black"], n))
    number = random.normal(50, 10, n)
    columns: dict[str, Any] = {
        "id": [f"A{place}" for place in range(n)],
        "label": label, "predicted": (score >= 0.5).astype(int), "score": score,
        "race": pa.array(random.choice(np.array(["black", "white", "asian", "", None]), n, p=[.3, .4, .2, .05, .05])),
        "sex": pa.array(random.choice(np.array(["f", "m", None]), n, p=[0.5, 0.47, 0.03])),
        "age": pa.array(age, from_pandas=False),
        "income": pa.array(income, pa.float64()),
        "children": pa.array([None if value > 4 else value for value in random.poisson(1, n).tolist()], pa.int32()),
        "owner": random.integers(0, 2, n).astype(bool),
        "colour": colour, "told": told, "number": number, "guess": number + random.normal(0, 2, n),
        "day": np.datetime64("2020-01-01") + random.integers(0, 900, n),
        "moment": pa.array(random.integers(1_577_836_800_000_000, 1_600_000_000_000_000, n), pa.timestamp("us")),
    }  # fmt: skip
    return pa.table(columns)


def write(folder: Path) -> None:
    """The table to judge as a folder of two files, the reference, and the champion's predictions in another order."""
    table = applications(1)
    (folder / "judged").mkdir()
    pq.write_table(table.slice(0, ROWS // 2 + 7), folder / "judged" / "a.parquet")
    pq.write_table(table.slice(ROWS // 2 + 7), folder / "judged" / "b.parquet")
    pq.write_table(applications(2), folder / "reference.parquet")
    random = np.random.default_rng(3)
    score = (0.2 * table["label"].to_numpy() + 0.8 * random.random(ROWS)).round(3)
    champion = pa.table({"id": table["id"], "predicted": (score >= 0.5).astype(int), "score": score})
    pq.write_table(champion.take(random.permutation(ROWS)), folder / "champion.parquet")
