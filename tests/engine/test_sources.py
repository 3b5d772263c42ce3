"""Files, folders and patterns are one table; what is not one table is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_compliance.engine.sources import files_of, table_files
from ml_compliance.engine.tables import connect, open_table
from ml_compliance.errors import EvaluationError, UsageError
from tests import project as example


def halves(folder: Path) -> None:
    rows = example.rows(40)
    (folder / "parts").mkdir()
    (folder / "parts" / "a.csv").write_text(example.csv(rows[:20]))
    (folder / "parts" / "b.csv").write_text(example.csv(rows[20:]))


@pytest.mark.parametrize("written", ["parts", "parts/", "parts/*.csv"])
def test_a_folder_and_a_pattern_are_one_table(written: str, tmp_path: Path) -> None:
    halves(tmp_path)
    (tmp_path / "parts" / "_SUCCESS").write_text("")
    table = open_table(connect(), tmp_path, written)
    assert table.count().to_pyarrow().as_py() == 40
    assert [source.name for source in table_files(tmp_path, written)] == ["parts/a.csv", "parts/b.csv"]


def test_an_extension_that_cannot_be_fetched_is_named(tmp_path: Path) -> None:
    connection = connect()
    connection.raw_sql("SET custom_extension_repository = 'http://127.0.0.1:1'")
    connection.raw_sql(f"SET extension_directory = '{tmp_path}'")
    with pytest.raises(EvaluationError, match="extension httpfs, which could not") as error:
        open_table(connection, tmp_path, "http://127.0.0.1:1/table.csv")
    assert "INSTALL httpfs" in error.value.remedy


def test_the_gate_judges_a_folder_as_it_judges_one_file(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    assert project.run("gate").code == 0
    whole = (project.out / "evidence" / "performance.json").read_text()
    (tmp_path / "parts").mkdir()
    rows = example.rows()
    for number in range(3):
        (tmp_path / "parts" / f"{number}.csv").write_text(example.csv(rows[number * 80 : number * 80 + 80]))
    project.write("compliance.yaml", example.FACTS.replace("predictions.csv", "parts"))
    assert project.run("gate").code == 0
    assert (project.out / "evidence" / "performance.json").read_text() == whole
    assert '"parts/2.csv"' in (project.out / "evidence" / "lineage.json").read_text()


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    halves(tmp_path)
    (tmp_path / "parts" / "b.csv").write_text("id,other\n1,2\n")
    with pytest.raises(EvaluationError, match=r"parts/b\.csv:1: the header differs from that of parts/a\.csv"):
        open_table(connect(), tmp_path, "parts")
    (tmp_path / "parts" / "c.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"parts: the files are of several kinds: \.csv, \.parquet"):
        open_table(connect(), tmp_path, "parts")


def test_a_bad_row_is_named_with_its_own_file(tmp_path: Path) -> None:
    halves(tmp_path)
    with (tmp_path / "parts" / "b.csv").open("a") as file:
        file.write("1,2\n")
    with pytest.raises(EvaluationError, match=r"parts/b\.csv:22: the table cannot be read: the row has 2 fields"):
        open_table(connect(), tmp_path, "parts")


def test_nothing_to_find(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for written in ("empty", "gone.csv", "gone/*.csv"):
        with pytest.raises(UsageError, match="the table"):
            files_of(tmp_path, written)
