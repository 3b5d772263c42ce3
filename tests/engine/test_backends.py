"""Backends by URL: what may be written, what is never printed, and the gate on tables that stay where they are."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_compliance.engine.backends import connect_to, open_there
from ml_compliance.engine.profile import profile
from ml_compliance.engine.tables import connect, open_table
from ml_compliance.errors import ComplianceError, EvaluationError, UsageError
from tests import project as example
from tests.spark_tables import URL, java

SECRET = "s3cr&t/@+=%"  # noqa: S105
MAIN = "from ml_compliance.cli import main; main()"


def warehouse(folder: Path) -> str:
    """A DuckDB file with the example's table under a name."""
    import duckdb

    with duckdb.connect(folder / "warehouse.duckdb") as made:
        made.execute("CREATE SCHEMA loans")
        made.execute(f"CREATE TABLE loans.predictions AS FROM '{folder}/predictions.csv'")
    return f"duckdb://{folder}/warehouse.duckdb?read_only=True"


def with_backend(folder: Path, url: str, evaluation: str = "parts") -> example.Project:
    project = example.make(folder)
    facts = example.FACTS.replace("predictions.csv", f"{evaluation}\n  backend: {json.dumps(url)}")
    project.write("compliance.yaml", facts + "measure: {data: {expectations: [{expect_table_row_count_to_equal: "
                  "{value: 240}}]}}\n")  # fmt: skip
    return project


def in_a_process(project: example.Project, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    places = ["--config", str(project.folder / "compliance.yaml"), "--out", str(project.out)]
    command = [sys.executable, "-W", "ignore", "-c", MAIN, *words, *places]
    env = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=project.folder, env=env)


def evidence(project: example.Project, name: str) -> Any:
    return json.loads((project.out / "evidence" / f"{name}.json").read_text())


def test_the_whole_gate_on_spark(tmp_path: Path) -> None:
    """A Parquet folder, in a session that the gate starts and stops; nothing of Spark on the standard output."""
    java()
    project = with_backend(tmp_path, URL)
    rows = example.rows()
    (tmp_path / "parts").mkdir()
    for place in range(3):
        part = pa.Table.from_pylist(rows[place * 80 : place * 80 + 80])
        pq.write_table(part, tmp_path / "parts" / f"{place}.parquet")
    done = in_a_process(project, "gate", "--json", "--engine", "embedded")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["decision"]["verdict"] == "allowed"
    assert "ERROR" not in done.stderr
    assert evidence(project, "data")["measurements"][0]["value"] == 1.0
    lineage = evidence(project, "lineage")
    assert lineage["files"] == []
    assert "no digest can be taken of parts: it is not a file here" in lineage["reason"]
    on_spark = evidence(project, "fairness")
    project.write("compliance.yaml", example.FACTS.replace("predictions.csv", "parts"))
    assert project.run("gate").code == 0
    assert evidence(project, "fairness") == on_spark
    assert evidence(project, "lineage")["files"] != []
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"compliance.yaml", "compliance_policy.yaml", "predictions.csv", "parts", "out"}


def test_the_whole_gate_on_a_warehouse(tmp_path: Path) -> None:
    project = with_backend(tmp_path, "", "loans.predictions")
    text = (tmp_path / "compliance.yaml").read_text()
    (tmp_path / "compliance.yaml").write_text(text.replace('backend: ""', f"backend: {warehouse(tmp_path)}"))
    result = project.run("gate")
    assert result.code == 0, result.out + result.err
    assert evidence(project, "performance")["rows"] == 240
    # Evidence from another call is as good, since nothing that can be seen from here has changed.
    assert project.run("submit", engine=False).code == 0


@pytest.mark.parametrize(("url", "kind", "message"), [
    ("postgres://user:$NOBODY_SETS_THIS@db/x", UsageError, "the environment variable NOBODY_SETS_THIS is not set"),
    ("warehouse.duckdb", UsageError, "this is no URL of a backend of Ibis"),
    ("nothing://user:s3cr3t@db/x", UsageError, "this is no URL of a backend of Ibis"),
    ("postgres://user:s3cr3t@db/x", UsageError, "the Python packages for postgres are missing"),
    ("duckdb:///s3cr3t/x.duckdb?read_only=True", EvaluationError, "there is no connection: IOException"),
])  # fmt: skip
def test_what_is_no_backend(url: str, kind: type[ComplianceError], message: str, tmp_path: Path) -> None:
    with pytest.raises(kind) as caught:
        connect_to(url)
    assert message in caught.value.message
    assert "s3cr3t" not in str(caught.value).replace("/s3cr3t/x.duckdb", "")
    assert caught.value.remedy


def test_a_secret_is_never_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where the driver's own message repeats it; and its signs mean nothing in the URL."""
    import ibis

    told = []

    def refuses(url: str) -> None:
        told.append(url)
        raise RuntimeError(f"cannot open {url} as user with {SECRET!s}")

    monkeypatch.setattr(ibis, "connect", refuses)
    monkeypatch.setenv("PASSWORD", SECRET)
    project = with_backend(tmp_path, "postgres://user:$PASSWORD@db.example:5432/x?application=${PASSWORD}", "loans")
    result = project.run("gate", "--json")
    assert result.code == 3
    escaped = "s3cr%26t%2F%40%2B%3D%25"
    assert told[0] == f"postgres://user:{escaped}@db.example:5432/x?application={escaped}"
    assert "there is no connection: RuntimeError: cannot open *** as *** with ***" in result.out
    written = [path.read_text() for path in project.out.rglob("*") if path.is_file()]
    assert not any(secret in text for text in (result.out, result.err, *written) for secret in (SECRET, escaped))


def test_a_variable_may_be_the_whole_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example.make(tmp_path)
    monkeypatch.setenv("WAREHOUSE", warehouse(tmp_path))
    link = connect_to("$WAREHOUSE")
    assert open_there(link.backend, tmp_path, "loans.predictions").count().to_pyarrow().as_py() == 240
    # Files are read as they are without a backend.
    here = open_there(link.backend, tmp_path, "predictions.csv").to_pyarrow()
    assert here.equals(open_table(connect(), tmp_path, "predictions.csv").to_pyarrow())
    link.close()


def test_nan_is_found_in_files_of_a_duckdb_of_somebody_elses(tmp_path: Path) -> None:
    """As in our own: the statistics of a file that PyArrow writes leave NaN out."""
    example.make(tmp_path)
    pq.write_table(pa.table({"a": [0.25, math.nan, 0.75]}), tmp_path / "t.parquet")
    link = connect_to(warehouse(tmp_path))
    column = profile(open_there(link.backend, tmp_path, "t.parquet"))["a"]
    link.close()
    assert (column.nans, column.low, column.high) == (1, 0.25, 0.75)


def test_a_backend_without_files_says_so(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "t.db").close()
    link = connect_to(f"sqlite://{tmp_path}/t.db")
    for written in ("t.parquet", "t.csv", "t"):
        with pytest.raises(EvaluationError, match="sqlite cannot read the table"):
            open_there(link.backend, tmp_path, written)
    link.close()


def test_without_pyspark_there_is_a_line_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delitem(sys.modules, "ibis.backends.pyspark", raising=False)
    result = with_backend(tmp_path, URL).run("gate")
    assert (result.code, result.out) == (2, "")
    assert "the Python packages for pyspark are missing" in result.err
    assert "pip install 'ml-compliance[spark]'" in result.err


def test_without_java_there_is_a_line_to_install_it(tmp_path: Path) -> None:
    done = in_a_process(with_backend(tmp_path, URL), "gate", "--engine", "embedded", PATH=str(tmp_path), JAVA_HOME="")
    assert done.returncode == 3, done.stderr
    assert "Spark needs Java 17 or 21, and there is none" in " ".join(done.stdout.split())
    assert "openjdk-17-jre-headless" in done.stdout
