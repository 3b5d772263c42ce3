"""Where the facts send secrets, whom they let decide, and what they scan by: never what a change set says first.

Whoever may open a pull request writes compliance.yaml, and the job that judges it holds the secrets.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ml_compliance import git
from ml_compliance.errors import UsageError
from ml_compliance.law_changes import base_of, read_at
from ml_compliance.request import Request
from ml_compliance.yaml_file import read_yaml

_MLFLOW = ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
_DATABASE = ("PGPASSWORD", "MYSQL_PWD")
_TRIVY = ("TRIVY_USERNAME", "TRIVY_PASSWORD", "TRIVY_REGISTRY_TOKEN")


def check_destinations(request: Request) -> None:
    """Hold the facts to what they named at the last commit that the change set and its base have in common.

    Nothing is compared where no base is named, or nothing is sent. Raises UsageError, with the line, for a destination
    that was not named there, and where the base cannot be looked at, or should be named and is not.
    """
    base = request.base or base_of(os.environ)
    file = read_yaml(request.config, request.config.name)
    now = destinations(file.data, os.environ, opa_url=request.opa_url)
    if not base or not now:
        return
    folder, name = request.config.parent, request.config.name
    try:
        before = read_at(folder, git.merge_base(folder, base, [name]), name)
    except git.NoGitError as error:
        raise UsageError(
            f"whether this change set moved {', '.join(sorted(now))} is not known: {base}: {error}",
            where=file.name,
            remedy="fetch the history (fetch-depth: 0); have the facts in no submodule",
        ) from error
    known = destinations(before, os.environ, opa_url=request.opa_url)
    for name, places in now.items():
        if new := sorted(places - known.get(name, frozenset())):
            raise UsageError(
                f"{name}: {', '.join(new)} is new in this change set, and no change may say where secrets go, who "
                "decides or what a scan knows",
                where=f"{file.name}:{file.line(name.split('.'))}",
                remedy="have it merged into the base first" + ("" if name != "server" else ", or give --opa-url"),
            )


def destinations(
    facts: Mapping[str, Any], environment: Mapping[str, str], *, opa_url: str = ""
) -> dict[str, frozenset[str]]:
    """For each key of the facts that says so: what is sent where, who decides, and by which database images are judged.

    Without a secret in the environment, none is sent.
    `opa_url` is the server that the command line names instead; what it is sent is still for the facts to say.
    """
    parts: dict[str, Any] = {name: found for name, found in facts.items() if isinstance(found, Mapping)}
    data, model, image, scanner = (parts.get(name, {}) for name in ("data", "model", "image", "scanner"))
    server = {key: str(value) for key, value in parts.get("server", {}).items() if value and key != "timeout"}
    if opa_url:
        server.pop("url", None)
    backend, tracking = str(data.get("backend", "")), str(model.get("tracking_uri", ""))
    listed = scanner.get("databases", ())
    registries = {_host(str(name)) for name in (image.get("name", ""), *listed) if name}

    def held(secrets: tuple[str, ...]) -> bool:
        return any(map(environment.get, secrets))

    found = {
        "server": {f"{key} {value}" for key, value in server.items()},
        "data.backend": {backend} if "$" in backend or (backend and held(_DATABASE)) else set(),
        "model.tracking_uri": {tracking} if tracking and held(_MLFLOW) else set(),
        "image.name": registries if held(_TRIVY) else set(),
        "scanner": {f"{key} {value}" for key, value in scanner.items() if key != "timeout"},
    }
    return {name: frozenset(places) for name, places in found.items() if places}


def _host(image: str) -> str:
    """The registry of an image; Docker Hub where its name begins with none."""
    first = image.partition("/")[0] if "/" in image else ""
    return first if "." in first or ":" in first or first == "localhost" else "docker.io"
