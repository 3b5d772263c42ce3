"""Spark gives what DuckDB gives: counts to the last one, and metrics to the last digits that a float has."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_compliance import plugins
from ml_compliance.context import Context
from ml_compliance.documents import canonical, evidence_document
from ml_compliance.engine import cube, distributions, paired, samples
from ml_compliance.engine.backends import open_there, stream
from ml_compliance.engine.cube import count_cube
from ml_compliance.engine.sampling import ROW, sample
from ml_compliance.engine.tables import connect, open_table
from ml_compliance.errors import ComplianceError, EvaluationError, UsageError
from ml_compliance.facts import Champion, Column, Data, Facts, Model, settings_of
from ml_compliance.model import MISSING_GROUP
from tests import mlflow_store
from tests.spark_tables import ROWS, URL, applications, session, write

TASKS: dict[str, dict[str, Any]] = {
    "binary": {"label": "label", "prediction": "predicted", "score": "score"},
    "multiclass": {"label": "colour", "prediction": "told"},
    "regression": {"label": "number", "prediction": "guess"},
}
MEASURED = [
    *(("binary", name) for name in ("performance", "fairness", "calibration", "champion", "drift", "data")),
    *((task, name) for task in ("multiclass", "regression") for name in ("performance", "fairness")),
]


@pytest.fixture(scope="module")
def backend() -> Any:
    return session().backend


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tables")
    write(made)
    return made


def facts(task: Any, url: str) -> Facts:
    champion = Champion(predictions="champion.parquet") if task == "binary" else None
    data = Data("judged", **TASKS[task], task=task, id="id", reference="reference.parquet",
                sensitive=("race", "sex"), backend=url)  # fmt: skip
    return Facts("loans", data, champion=champion, measure={"data": {"expectations": [
        {"expect_column_values_to_not_be_null": {"column": "income"}},
        {"expect_column_values_to_be_between": {"column": "age", "min_value": 18, "mostly": 0.9}},
    ]}})  # fmt: skip


def measured(name: str, folder: Path, said: Facts) -> Any:
    """The evidence of one measurement as JSON has it, without what a backend's table cannot have."""
    context = Context(said, None, folder, folder / "out")
    try:
        document = evidence_document(plugins.load("measure", name).measure(context, settings_of(said, name)))
    finally:
        context.close()
    canonical(document)
    return {key: value for key, value in document.items() if key != "files"}


def unlike(one: Any, two: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two documents differ: floats by more than 1e-12 of their size, anything else at all."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted({*one, *two}):
            yield from unlike(one.get(key, "nothing"), two.get(key, "nothing"), f"{where}/{key}")
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for place, pair in enumerate(zip(one, two, strict=True)):
            yield from unlike(*pair, f"{where}/{place}")
    elif isinstance(one, float) and isinstance(two, float):
        if not math.isclose(one, two, rel_tol=1e-12, abs_tol=0):
            yield where, one, two
    elif one != two:
        yield where, one, two


@pytest.mark.parametrize(("task", "name"), MEASURED)
def test_every_measurement_is_that_of_duckdb(task: str, name: str, backend: Any, folder: Path) -> None:
    here, there = (measured(name, folder, facts(task, url)) for url in ("", URL))
    # Row ids of examples come in the order of the file here, of the ids there.
    for document in (here, there):
        for suite in document["facts"].get("suites", ()):
            for expectation in suite["expectations"]:
                assert len(expectation.pop("examples")) == (5 if expectation["success"] is False else 0)
    assert list(unlike(here, there)) == []
    assert here["status"] == "measured"
    assert len(here["measurements"]) > 1


@pytest.mark.parametrize("name", ["performance", "champion", "drift"])
def test_steps_and_finer_grids_are_those_of_duckdb(
    name: str, backend: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What large tables go through."""
    monkeypatch.setattr(cube, "EXACT_ROWS", 0)
    monkeypatch.setattr(paired, "EXACT_ROWS", 0)
    monkeypatch.setattr(samples, "FEW", 0)
    monkeypatch.setattr(distributions, "_HEAVY", 2**8)
    monkeypatch.setattr(distributions, "_MANY", 2**6)
    here, there = (measured(name, folder, facts("binary", url)) for url in ("", URL))
    assert list(unlike(here, there)) == []


def test_counts_are_those_of_duckdb_and_of_record_batches(backend: Any, folder: Path) -> None:
    found = []
    for url in ("", URL):
        context = Context(facts("binary", url), None, folder, folder / "out")
        found.append(
            {group: (c.tp, c.fp, c.fn, c.tn) for group, c in count_cube(context.judged).by(("race", "sex")).items()}
        )
        context.close()
    counted: Counter[Any] = Counter()
    for path in sorted((folder / "judged").iterdir()):
        for batch in pq.ParquetFile(path).iter_batches(batch_size=512):
            columns = (batch[name].to_pylist() for name in ("race", "sex", "label", "predicted"))
            counted.update(
                (race or MISSING_GROUP, sex or MISSING_GROUP, y, p) for race, sex, y, p in zip(*columns, strict=True)
            )
    assert sum(counted.values()) == ROWS
    groups = {(race, sex) for race, sex, _, _ in counted}
    wanted = {group: tuple(counted[*group, y, p] for y, p in ((1, 1), (0, 1), (1, 0), (0, 0))) for group in groups}
    assert (len(groups), found[0], found[1]) == (12, wanted, wanted)


def test_rows_stream_as_they_are_stored(backend: Any, folder: Path) -> None:
    """Also NaN beside nulls, and whole numbers beside nulls, which a way through pandas would change."""
    table = open_there(backend, folder, "judged")
    rows = pa.Table.from_batches(stream(table, 1_000)).sort_by("id")
    stored = pq.read_table(folder / "judged").sort_by("id")
    for name in stored.column_names:
        assert rows[name].cast(stored[name].type).equals(stored[name]) or name == "age"
    for one, two in zip(rows["age"].to_pylist(), stored["age"].to_pylist(), strict=True):
        assert one == two or (math.isnan(one) and math.isnan(two))


def test_a_sample_is_the_same_and_needs_no_row_numbers(backend: Any, folder: Path) -> None:
    here, there = open_table(connect(), folder, "judged"), open_there(backend, folder, "judged")
    columns = ["score", "race"]
    assert sample(there, columns, 50, "s", "id").to_pylist() == sample(here, columns, 50, "s", "id").to_pylist()
    bare = sample(there, columns, 50, "s", None)
    assert bare.to_pylist() == sample(there, columns, 50, "s", None).to_pylist()
    assert (bare.num_rows, set(bare[ROW].to_pylist())) == (50, {""})
    assert bare["score"].to_pylist() != sample(there, columns, 50, "t", None)["score"].to_pylist()


def test_a_model_scores_what_streams_here(backend: Any, folder: Path) -> None:
    """The backend is read once; predictions and the champion's table are joined by the embedded DuckDB."""
    frame = mlflow_store.rows(900).assign(id=[f"A{place}" for place in range(900)])
    frame.to_parquet(folder / "features.parquet")
    said = Model(uri="models:/linear/1", tracking_uri=mlflow_store.store().uri)
    found = {}
    for url in ("", URL):
        data = Data("features.parquet", "y", id="id", sensitive=("group",), backend=url)
        old = frame.assign(predicted=(frame["a"] > 0).astype(int))[["id", "predicted"]]
        old.to_parquet(folder / "old.parquet")
        for champion in (Champion(predictions="old.parquet", prediction="predicted"), Champion(uri="models:/forest/1")):
            kind = "uri" if champion.uri else "predictions"
            of = Facts("loans", data, said, champion)
            found[kind, url] = [measured(name, folder, of) for name in ("performance", "champion")]
    assert list(unlike(found["predictions", ""], found["predictions", URL])) == []
    assert list(unlike(found["uri", ""], found["uri", URL])) == []


def changed(folder: Path, name: str, **columns: Any) -> None:
    table = applications(1, 200)
    for column, values in columns.items():
        table = table.set_column(table.column_names.index(column), column, values)
    pq.write_table(table, folder / name)


BROKEN: dict[str, tuple[Any, dict[str, Any], str]] = {
    "label": ("binary", {"label": pa.array([None, None, *[0, 1] * 99])}, "2 rows have no label"),
    "score": ("binary", {"score": pa.array([2.0, *[0.25] * 199])}, "the score is outside [0, 1] in 1 row"),
    "class": ("multiclass", {"colour": pa.array([0.5, *[1.0] * 199])},
              "the label holds numbers that are not whole (in 1 row)"),
    "number": ("regression", {"number": pa.array([math.inf, -math.inf, *[1.0] * 198])},
               "the label is infinite, or too large to be squared (in 2 rows)"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_messages_say_how_many_rows_and_number_none(name: str, backend: Any, tmp_path: Path) -> None:
    task, columns, message = BROKEN[name]
    changed(tmp_path, "judged.parquet", **columns)
    data = Data("judged.parquet", **TASKS[task], task=task, backend=URL)
    context = Context(Facts("loans", data), None, tmp_path, tmp_path / "out")
    with pytest.raises(EvaluationError) as caught:
        _ = context.judged
    context.close()
    assert caught.value.message == message


def test_a_session_that_was_there_is_left_open(backend: Any, folder: Path) -> None:
    measured("performance", folder, facts("binary", URL))
    assert open_there(backend, folder, "reference.parquet").count().to_pyarrow().as_py() == ROWS


def test_text_files_are_read_as_duckdb_reads_them(backend: Any, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('a,b,c\n1,"x, ""y""",1.5\n2,,\n3,"two\nlines",2\n')
    (tmp_path / "t.tsv").write_text("a\tb\n1\tx\n")
    here, there = open_table(connect(), tmp_path, "t.csv"), open_there(backend, tmp_path, "t.csv")
    assert there.order_by("a").to_pyarrow().to_pylist() == here.to_pyarrow().to_pylist()
    assert open_there(backend, tmp_path, "t.tsv").to_pyarrow().to_pylist() == [{"a": 1, "b": "x"}]
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(EvaluationError, match="pyspark cannot read the table"):
        open_there(backend, tmp_path, "t.csv")


def test_a_table_goes_by_its_name_and_its_database(backend: Any, folder: Path) -> None:
    backend.raw_sql("SELECT 1 AS a UNION ALL SELECT 2").createOrReplaceTempView("named")
    assert open_there(backend, folder, "named").count().to_pyarrow().as_py() == 2
    backend.raw_sql(f"CREATE DATABASE loans LOCATION '{folder}/loans'")
    backend.raw_sql(f"CREATE TABLE loans.judged USING parquet LOCATION '{folder}/judged'")
    try:
        assert open_there(backend, folder, "loans.judged").count().to_pyarrow().as_py() == ROWS
    finally:
        backend.raw_sql("DROP DATABASE loans CASCADE")


@pytest.mark.parametrize(("written", "message"), [
    ("nowhere", "pyspark cannot read the table"),
    ("gone.parquet", "pyspark cannot read the table: [PATH_NOT_FOUND]"),
    ("s3a://bucket/gone", "pyspark cannot read the table"),
    ("nothing.parquet", "the table has no rows"),
])  # fmt: skip
def test_tables_that_are_not_there_to_be_judged(written: str, message: str, backend: Any, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "nothing.parquet")
    with pytest.raises(ComplianceError) as caught:
        open_there(backend, tmp_path, written)
    assert caught.value.message.startswith(message)
    assert (caught.value.where, type(caught.value)) == (written, EvaluationError)


def test_a_folder_without_table_files(backend: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="the table has no files"):
        open_there(backend, tmp_path, "empty")


def test_two_positive_words_and_a_number_that_is_cut(backend: Any, folder: Path) -> None:
    found = []
    for url in ("", URL):
        data = Data("judged", Column("colour", ("red", "blue")), prediction=Column("score", at_least=0.4), backend=url)
        context = Context(Facts("loans", data), None, folder, folder / "out")
        found.append(context.cube.by(())[()])
        context.close()
    assert found[0] == found[1]


def test_groups_that_are_numbers_have_the_same_names(backend: Any, tmp_path: Path) -> None:
    """Postal codes become floats where one of them is missing."""
    codes = pa.array([10115.0, 20095000.0, -0.0, 0.5, math.nan] * 40)
    changed(tmp_path, "judged.parquet", score=codes)
    found = []
    for url in ("", URL):
        data = Data("judged.parquet", "label", prediction="predicted", sensitive=("score",), backend=url)
        context = Context(Facts("loans", data), None, tmp_path, tmp_path / "out")
        found.append(dict(context.cube.by(("score",))))
        context.close()
    assert found[0] == found[1]
    assert {group for (group,) in found[0]} == {"10115.0", "20095000.0", "0.0", "0.5", MISSING_GROUP}
