"""Finding and loading models: every form of URI, every way in which it can fail."""

from __future__ import annotations

import http.server
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_compliance.engine.models import class_index, load
from ml_compliance.engine.registry import shown
from ml_compliance.errors import EvaluationError, UsageError
from tests.mlflow_store import RAW_HASH, rows, store


def test_a_registered_version_says_all_that_the_registry_knows() -> None:
    source = load("models:/linear/1", store().uri, Path()).source
    assert (source.name, source.version, source.registered, source.aliases) == ("linear", "1", True, ("champion",))
    assert source.run_id == store().run_ids["linear"]
    assert source.run_params["raw_data_sha256"] == RAW_HASH
    assert source.version_tags["owner"] == "credit-risk"
    assert (source.folder / "MLmodel").is_file()


def test_an_alias_is_the_version_it_points_to() -> None:
    assert load("models:/linear@champion", store().uri, Path()).source.version == "1"


@pytest.mark.parametrize("form", ["run", "logged model"])
def test_a_run_or_logged_model_that_is_registered_is_recognised(form: str) -> None:
    made = store()
    uri = f"runs:/{made.run_ids['linear']}/model" if form == "run" else f"models:/{made.model_ids['linear']}"
    source = load(uri, made.uri, Path()).source
    assert (source.name, source.version, source.registered) == ("linear", "1", True)


def test_a_model_that_is_not_registered_is_not_called_registered() -> None:
    made = store()
    source = load(f"runs:/{made.run_ids['loose']}/model", made.uri, Path()).source
    assert (source.registered, source.name, source.run_id) == (False, "", made.run_ids["loose"])


def test_a_folder_is_loaded_relative_to_the_config_without_a_tracking_server() -> None:
    folder = load("models:/linear/1", store().uri, Path()).source.folder
    model = load(folder.name, "http://127.0.0.1:9", folder.parent)
    assert [feature.name for feature in model.features] == ["a", "b", "c"]
    assert model.flavor == "sklearn"
    assert model.source.registered is False


def test_the_store_is_found_relative_to_the_config() -> None:
    assert load("models:/linear/1", "sqlite:///mlflow.db", store().folder).source.version == "1"


def test_an_unsigned_model_has_the_columns_it_was_fitted_with() -> None:
    model = load("models:/unsigned/1", store().uri, Path())
    assert model.signature == ()
    assert [feature.name for feature in model.features] == ["a", "b", "c"]


def test_the_global_tracking_uri_and_the_environment_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    before, environment = mlflow.get_tracking_uri(), dict(os.environ)
    load("models:/linear/1", store().uri, Path())
    assert mlflow.get_tracking_uri() == before
    assert dict(os.environ) == environment


@pytest.mark.parametrize(
    "uri",
    ["models:/nobody/1", "models:/linear/99", "models:/linear@nobody", "models:/linear", "models:/m-" + "0" * 32,
     "runs:/" + "0" * 32 + "/model", "runs:/" + "0" * 32, "no/such/folder", "s3://bucket/model"],
)  # fmt: skip
def test_an_unknown_model_is_the_users_error_and_names_it(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(uri, store().uri, Path("/nonexistent") if "folder" in uri else Path())
    assert uri in caught.value.message
    assert caught.value.remedy


def test_a_run_without_that_model_is_the_users_error() -> None:
    with pytest.raises(UsageError, match="MLmodel"):
        load(f"runs:/{store().run_ids['linear']}/other", store().uri, Path())


def test_a_missing_store_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.db, which does not exist"):
        load("models:/linear/1", "sqlite:///gone.db", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_no_database_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database")
    with pytest.raises(EvaluationError, match="not an SQLite database"):
        load("models:/linear/1", "sqlite:///mlflow.db", tmp_path)


def test_a_server_that_is_down_fails_fast_and_is_named_without_its_password() -> None:
    start = time.monotonic()
    with pytest.raises(EvaluationError) as caught:
        load("models:/linear/1", "http://user:hunter2@127.0.0.1:9", Path())
    assert time.monotonic() - start < 15
    assert "127.0.0.1:9" in caught.value.where
    assert "hunter2" not in str(caught.value)


@pytest.fixture
def failing_server() -> Iterator[str]:
    class Failing(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Failing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_server_that_answers_503_cannot_be_evaluated(failing_server: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        load("models:/linear/1", failing_server, Path())
    assert caught.value.where == failing_server
    assert "503" in caught.value.message


def test_a_model_whose_pickle_is_broken_cannot_be_evaluated(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(load("models:/linear/1", store().uri, Path()).source.folder, tmp_path / "m")
    (tmp_path / "m" / "model.pkl").write_bytes(b"junk")
    model = load("m", None, tmp_path)
    with pytest.raises(
        EvaluationError, match=r"the model 'm' is not loaded: model.pkl: it is a pickle that cannot be followed"
    ):
        _ = model.raw


def test_scores_are_those_of_the_positive_class() -> None:
    frame = rows()[["a", "b", "c"]].astype(float)
    model = load("models:/words/1", store().uri, Path())
    labels, approve = model.predict(frame, "approve")
    _, refuse = model.predict(frame, ("refuse",))
    assert approve is not None
    assert refuse is not None
    assert approve + refuse == pytest.approx(1.0)
    assert ((approve > 0.5) == (labels == "approve")).all()


def test_a_positive_label_that_is_no_class_is_the_users_error() -> None:
    with pytest.raises(UsageError, match=r"\['approve', 'refuse'\].*'granted'"):
        load("models:/words/1", store().uri, Path()).predict(rows()[["a", "b", "c"]].astype(float), "granted")


@pytest.mark.parametrize(
    ("classes", "positive", "place"),
    [((0, 1), 1, 1), ((0, 1), "1", 1), ((False, True), 1, 1), (("1", "0"), 1, 0), (("a", "b"), ("b", "c"), 1)],
)
def test_the_positive_class_is_found_by_value_and_then_by_text(
    classes: tuple[int | str, ...], positive: int | str | tuple[str, ...], place: int
) -> None:
    assert class_index(classes, positive) == place


def test_two_positive_classes_are_not_one() -> None:
    with pytest.raises(UsageError):
        class_index(("a", "b", "c"), ("b", "c"))


def test_a_randomised_classifier_answers_twice_the_same() -> None:
    frame = rows()[["a", "b", "c"]].astype(float)
    model = load("models:/reduction/1", store().uri, Path())
    first, scores = model.predict(frame, 1)
    assert scores is None
    assert (first == model.predict(frame, 1)[0]).all()


def test_what_a_model_prints_does_not_reach_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    load("models:/labels/1", store().uri, Path()).predict(rows()[["a", "b", "c"]].astype(float), 1)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "a model that talks" in captured.err


def test_addresses_are_shown_without_users() -> None:
    assert shown("at https://me:pw@host/x and http://other/y") == "at https://***@host/x and http://other/y"
