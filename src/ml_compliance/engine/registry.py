"""Where a model comes from: MLflow registry, MLflow run, logged model or a folder, resolved once to files on disk."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ml_compliance.errors import ComplianceError, EvaluationError, UsageError

if TYPE_CHECKING:
    from mlflow import MlflowClient

FORMS = "models:/name/version, models:/name@alias, models:/m-…, runs:/run_id/model or the path of a model folder"

_NOT_THERE = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND", "ENDPOINT_NOT_FOUND"})
# MLflow's own defaults keep a build waiting for minutes when the server is down.
_LIMITS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


@dataclass(frozen=True)
class Source:
    """What MLflow knows about a model; `folder` holds its files. Empty fields are what it does not know.

    `registered` is true only for a version of the registry that is ready.
    """

    uri: str
    folder: Path
    name: str = ""
    version: str = ""
    run_id: str = ""
    model_id: str = ""
    registered: bool = False
    aliases: tuple[str, ...] = ()
    version_tags: Mapping[str, str] = field(default_factory=dict)
    run_tags: Mapping[str, str] = field(default_factory=dict)
    run_params: Mapping[str, str] = field(default_factory=dict)


def import_mlflow() -> None:
    """Call before the first import of mlflow elsewhere: it sends usage data otherwise, and warns of its own types."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc  # noqa: F401


def locate(uri: str, tracking_uri: str | None, folder: Path) -> Source:
    """Resolve `uri`; relative paths, also that of an SQLite store, start at `folder`.

    MLflow's global tracking URI is left as it is. Raises UsageError when there is no such model, version, alias,
    run or folder, and EvaluationError when the tracking server or its store does not answer.
    """
    scheme = urlsplit(uri).scheme
    if scheme in ("models", "runs"):
        with _borders(uri) as border:
            address = border.address = _tracking_address(uri, tracking_uri, folder)
            from mlflow import MlflowClient

            client = MlflowClient(tracking_uri=address)
            return _of_run(uri, client) if scheme == "runs" else _of_registry(uri, client)
    if "://" in uri or (scheme and scheme != "file" and not (folder / uri).exists()):
        raise UsageError(f"the model URI {shown(uri)!r} has a form that is not known", remedy=f"write {FORMS}")
    return _of_folder(uri, folder)


def shown(address: str) -> str:
    """`address` without the user name and password that it may hold."""
    return re.sub(r"://[^/@\s]+@", "://***@", address)


def _of_folder(uri: str, folder: Path) -> Source:
    path = folder / (unquote(urlsplit(uri).path) if uri.startswith("file:") else uri)
    if not (path / "MLmodel").is_file():
        what = "has no MLmodel file" if path.is_dir() else "does not exist"
        raise UsageError(f"the model folder {uri!r} {what}", remedy=f"write {FORMS}")
    return Source(uri=uri, folder=path)


def _of_registry(uri: str, client: MlflowClient) -> Source:
    rest = urlsplit(uri).path.strip("/")
    if re.fullmatch(r"m-[0-9a-f]+", rest):
        return _of_logged_model(uri, rest, client)
    name, at, alias = rest.rpartition("@")
    if at:
        found = client.get_model_version_by_alias(name, alias)
    else:
        name, slash, version = rest.rpartition("/")
        if not slash or not version.isdecimal():
            raise UsageError(f"the model URI {uri!r} names no version", remedy=f"write {FORMS}")
        found = client.get_model_version(name, version)
    location = client.get_model_version_download_uri(name, str(found.version))
    return _of_version(uri, found, location, client)


def _of_version(uri: str, found: Any, location: str, client: MlflowClient) -> Source:
    """`found` is an MLflow ModelVersion; MLflow 3 names the logged model in its source."""
    model_id = found.source.rpartition("/")[2] if str(found.source).startswith("models:/m-") else ""
    aliases = client.get_registered_model(found.name).aliases
    tags, params = _run_of(found.run_id, client)
    return Source(
        uri=uri,
        folder=_files(location, client.tracking_uri),
        name=found.name,
        version=str(found.version),
        run_id=found.run_id or "",
        model_id=model_id,
        registered=found.status == "READY",
        aliases=tuple(sorted(alias for alias, version in aliases.items() if str(version) == str(found.version))),
        version_tags=dict(found.tags),
        run_tags=tags,
        run_params=params,
    )


def _of_run(uri: str, client: MlflowClient) -> Source:
    run_id, _, path = urlsplit(uri).path.strip("/").partition("/")
    if not path:
        raise UsageError(f"the model URI {uri!r} names no model inside the run", remedy=f"write {FORMS}")
    run = client.get_run(run_id)
    outputs = run.outputs.model_outputs if run.outputs else []
    for output in outputs:
        if client.get_logged_model(output.model_id).name == path:
            return _of_logged_model(uri, output.model_id, client)
    # Before MLflow 3 a model was an artifact of its run.
    location = f"{str(run.info.artifact_uri).rstrip('/')}/{path}"
    for found in client.search_model_versions(f"run_id = '{run_id}'"):
        if str(found.source).rstrip("/").endswith((location, f"runs:/{run_id}/{path}")):
            return _of_version(uri, found, location, client)
    return Source(uri=uri, folder=_files(location, client.tracking_uri), run_id=run_id,
                  run_tags=dict(run.data.tags), run_params=dict(run.data.params))  # fmt: skip


def _of_logged_model(uri: str, model_id: str, client: MlflowClient) -> Source:
    model = client.get_logged_model(model_id)
    run_id = model.source_run_id or ""
    if run_id:
        for found in client.search_model_versions(f"run_id = '{run_id}'"):
            if found.source == f"models:/{model_id}":
                return _of_version(uri, found, model.artifact_location, client)
    tags, params = _run_of(run_id, client)
    return Source(uri=uri, folder=_files(model.artifact_location, client.tracking_uri), run_id=run_id,
                  model_id=model_id, run_tags=tags, run_params=params)  # fmt: skip


def _run_of(run_id: str | None, client: MlflowClient) -> tuple[dict[str, str], dict[str, str]]:
    """The tags and parameters of a run; none when the version has no run or the run was deleted for good."""
    from mlflow.exceptions import MlflowException

    if not run_id:
        return {}, {}
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in _NOT_THERE:
            raise
        return {}, {}
    return dict(run.data.tags), dict(run.data.params)


def _files(location: str, tracking_uri: str) -> Path:
    """The model's files on this machine, downloaded unless they are here already."""
    parts = urlsplit(location)
    path = Path(unquote(parts.path)) if parts.scheme in ("", "file") else _download(location, tracking_uri)
    if not (path / "MLmodel").is_file():
        raise UsageError(f"there is no MLmodel file in {shown(location)}",
                         remedy="register the model again, or mend the artifact store")  # fmt: skip
    return path


@cache
def _download(location: str, tracking_uri: str) -> Path:
    from mlflow.artifacts import download_artifacts

    folder = _scratch().name
    target = tempfile.mkdtemp(dir=folder)
    return Path(download_artifacts(artifact_uri=location, dst_path=target, tracking_uri=tracking_uri))


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    """Lives as long as the process, because models are loaded from it late."""
    return tempfile.TemporaryDirectory(prefix="ml-compliance-model-", ignore_cleanup_errors=True)


def _tracking_address(uri: str, tracking_uri: str | None, folder: Path) -> str:
    import_mlflow()
    import mlflow

    address = str(tracking_uri or mlflow.get_tracking_uri())
    if not address.startswith("sqlite:///"):
        return address if "://" in address or address.startswith("file:") else (folder / address).resolve().as_uri()
    name = address.removeprefix("sqlite:///")
    path = (folder / name).resolve()
    # MLflow would create an empty store here, and wait half a minute on a file that is no store.
    if not path.is_file():
        raise UsageError(f"the model {uri!r} is looked for in the MLflow store {name}, which does not exist",
                         remedy="set model.tracking_uri, or the environment variable MLFLOW_TRACKING_URI")  # fmt: skip
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            raise EvaluationError("the MLflow store is not an SQLite database", where=name,
                                  remedy="restore it from a backup")  # fmt: skip
    return f"sqlite:///{path}"


@dataclass
class _Border:
    address: str = ""


@contextmanager
def _borders(uri: str) -> Iterator[_Border]:
    """The border to MLflow: bounded waiting inside, and whatever its backends raise becomes one of our errors."""
    border = _Border()
    added = {key: value for key, value in _LIMITS.items() if key not in os.environ}
    os.environ.update(added)
    try:
        yield border
    except ComplianceError:
        raise
    except Exception as error:
        where = shown(border.address)
        if getattr(error, "error_code", "") in _NOT_THERE:
            raise UsageError(f"MLflow has no model {uri!r}: {shown(str(error))}", where=where,
                             remedy=f"write {FORMS}") from error  # fmt: skip
        said = f"{type(error).__name__}: {shown(str(error))}"
        raise EvaluationError(f"MLflow did not give the model {uri!r}: {said}", where=where,
                              remedy="check that the tracking server answers, and its log") from error  # fmt: skip
    finally:
        for key in added:
            os.environ.pop(key, None)
