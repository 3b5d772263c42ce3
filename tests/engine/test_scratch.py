"""Text is copied once, into a folder that goes with its context; memory is limited where much is sorted."""

from __future__ import annotations

import resource
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.context import Context
from ml_compliance.engine import scratch
from ml_compliance.engine.tables import connect, open_table
from ml_compliance.errors import EvaluationError
from ml_compliance.facts import Data, Facts
from tests import project as example

TEXT = "row,day,share,word,flag\n" + "".join(
    f"{row},2024-05-{row % 28 + 1:02d},{row / 8},{'' if row % 7 == 0 else f'w{row}'},{str(row % 2 == 0).lower()}\n"
    for row in range(30_000)
)


def limit(connection: Any) -> str:
    return str(connection.con.execute("SELECT current_setting('memory_limit')").fetchone()[0])


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, empty at first."""
    folder = tmp_path / "it's temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_copy_is_the_table_that_its_text_is(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TEXT + "30000,2024-05-01,0.5,last,true\n")
    (tmp_path / "t.tsv").write_text(TEXT.replace(",", "\t"))
    (tmp_path / "scratch").mkdir()
    copying, reading = connect(tmp_path / "scratch"), connect()
    for name in ("t.csv", "t.tsv"):
        copied, read = (open_table(connection, tmp_path, name) for connection in (copying, reading))
        (tmp_path / name).unlink()
        (tmp_path / name).write_text("the file is not read again\n")
        assert copied.schema().types == read.schema().types
        assert copied.columns == read.columns
        assert [str(row) for row in copied.to_pyarrow().to_pylist()] == rows_of(name)
    copying.disconnect()


def rows_of(name: str) -> list[str]:
    made = [
        {"row": row, "day": date(2024, 5, row % 28 + 1), "share": row / 8,
         "word": f"w{row}" if row % 7 else None, "flag": row % 2 == 0}
        for row in range(30_000)
    ]  # fmt: skip
    last = {"row": 30_000, "day": date(2024, 5, 1), "share": 0.5, "word": "last", "flag": True}
    return [str(row) for row in (*made, last)[: 30_001 if name == "t.csv" else 30_000]]


def test_a_value_at_the_end_decides_a_type_as_one_at_the_beginning_does(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n" + "1,\n" * 30_000 + "1.5,2\n")
    (tmp_path / "scratch").mkdir()
    table = open_table(connect(tmp_path / "scratch"), tmp_path, "t.csv")
    assert [str(kind) for kind in table.schema().types] == ["float64", "int64"]
    assert table.a.max().to_pyarrow().as_py() == 1.5


def test_nothing_is_left_when_the_context_closes(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TEXT)
    context = Context(Facts("p", Data("t.csv", "flag")), None, tmp_path, tmp_path)
    assert context.evaluation.count().to_pyarrow().as_py() == 30_000
    (made,) = temporary.iterdir()
    assert (made / "tables.duckdb").is_file()
    context.close()
    assert list(temporary.iterdir()) == []


def test_nothing_is_left_of_a_table_that_cannot_be_read(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TEXT + "1,2\n")
    context = Context(Facts("p", Data("t.csv", "flag")), None, tmp_path, tmp_path)
    with pytest.raises(EvaluationError, match=r"t\.csv:30002: .* the row has 2 fields, the header 5"):
        _ = context.evaluation
    assert limit(context.connection) == limit(connect())
    context.close()
    assert list(temporary.iterdir()) == []


def test_no_room_for_a_copy_is_not_a_fault_of_the_file(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{row * 7919 % 1_000_003},w{row}\n" for row in range(400_000)))
    context = Context(Facts("p", Data("t.csv", "a")), None, tmp_path, tmp_path)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, usual[1]))
    try:
        with pytest.raises(EvaluationError, match="Could not write") as caught:
            _ = context.evaluation
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert "leave room for a copy in the folder for temporary files" in caught.value.remedy
    context.close()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("fault", ["", "no such,columns\n1,2\n"])
def test_the_gate_leaves_nothing_behind(temporary: Path, tmp_path: Path, fault: str) -> None:
    project = example.make(tmp_path)
    if fault:
        project.write("predictions.csv", fault)
    assert (project.run("measure").code == 0) is not bool(fault)
    assert list(temporary.iterdir()) == []


def test_memory_is_limited_for_a_while(tmp_path: Path) -> None:
    connection, usual = connect(tmp_path), limit(connect())
    with scratch.frugal(connection):
        assert limit(connection) == scratch.MEMORY
    assert limit(connection) == usual
    with pytest.raises(ZeroDivisionError), scratch.frugal(connection):
        raise ZeroDivisionError
    assert limit(connection) == usual


def test_the_limit_of_somebody_elses_database_stays() -> None:
    connection = connect()
    connection.raw_sql("SET memory_limit = '700MiB'")
    with scratch.frugal(connection):
        assert limit(connection) == "700.0 MiB"
    assert limit(connection) == "700.0 MiB"


def test_what_cannot_be_spilled_gets_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    monkeypatch.setattr(scratch, "MEMORY", "32.0 MiB")
    query = "SELECT quantile_disc(range, 0.5) FROM range(10000000)"
    connection = connect(tmp_path)
    with scratch.frugal(connection):
        assert scratch.execute(connection.con, query).fetchone() == (4_999_999,)
    connection.raw_sql("SET memory_limit = '31MiB'")
    with pytest.raises(duckdb.OutOfMemoryException):
        scratch.execute(connection.con, query)
