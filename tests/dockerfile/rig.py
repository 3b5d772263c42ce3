"""Images of models, built from deploy/Dockerfile and run without a daemon, a registry or a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_compliance.demo import models
from ml_compliance.engine.registry import import_mlflow
from tests.programs import lacking, required, required_file

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
LABELS = {"MODEL_NAME": "loan-approval", "MODEL_VERSION": "3", "COMMIT": "4f2a90c", "COMPLIANCE_TIER": "high-risk"}
WHEELS = "/boot"  # Every image has it, and nothing in it: a folder made to mount the wheels at would stay in the image.
# What podman does of itself needs systemd, and limits that a sandbox does not let it set.
ENGINE = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""


def save_model(folder: Path) -> Any:
    """Write the demo's plain model to `folder`, as MLflow does; returns the model itself."""
    import_mlflow()
    import mlflow

    training, _ = models.split(models.applications())
    model = models.plain(training)
    example = training[list(models.FEATURES)].astype("float64")
    signature = mlflow.models.infer_signature(example, model.predict(example))
    mlflow.sklearn.save_model(model, str(folder), signature=signature, pip_requirements=models.requirements())
    return model


@dataclass(frozen=True)
class Builder:
    """Buildah and podman, with all that they keep in one folder."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What tells both programs where their files are; needs nothing else on the command line."""
        return {
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "BUILDAH_ISOLATION": "chroot",
        }

    def command(self, model: Path, tag: str, dockerfile: Path = DOCKERFILE, /, **arguments: str) -> list[str]:
        """What builds the image `tag` of the folder `model`: bases and wheels are those of `.ci/tools`."""
        bases = required_file("actionlint").parent / "image-bases"
        wheels = bases.with_name("model-wheels")
        for needed in (bases, wheels):
            if not needed.is_dir():
                lacking(f"the folder `{needed.name}` beside the other programs of .ci/tools")
        given = {
            "BUILD_IMAGE": f"oci-archive:{bases}/build.tar", "RUNTIME_IMAGE": f"oci-archive:{bases}/runtime.tar",
            **LABELS, **arguments,
        }  # fmt: skip
        return [
            required("buildah"), "build", "--format", "docker", "--file", str(dockerfile), "--tag", tag,
            "--secret", f"id=pip,src={self.folder / 'pip.conf'}", "--volume", f"{wheels.resolve()}:{WHEELS}:ro",
            *(word for name, value in given.items() for word in ("--build-arg", f"{name}={value}")), str(model),
        ]  # fmt: skip

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run buildah or podman; what it printed is in the error where it fails and should not."""
        required(command[0])
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, **self.environment}
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    def configuration(self, tag: str) -> Mapping[str, Any]:
        """What podman says of the image."""
        found: Mapping[str, Any] = json.loads(self.run("podman", "image", "inspect", tag).stdout)[0]
        return found

    @contextmanager
    def serving(self, tag: str) -> Iterator[str]:
        """A container of the image, with no network but a loopback, no privileges, and no place to write but /tmp.

        It serves once the image's own health check says so.
        """
        started = self.run(
            "podman", "run", "--detach", "--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp:mode=1777",
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none", tag,
        )  # fmt: skip
        container = started.stdout.strip()
        try:
            end = time.monotonic() + 120
            while self.run("podman", "healthcheck", "run", container, check=False).returncode != 0:
                assert time.monotonic() < end, self.run("podman", "logs", container).stderr
                time.sleep(1)
            yield container
        finally:
            self.run("podman", "rm", "--force", container)


@contextmanager
def building(folder: Path) -> Iterator[Builder]:
    """A builder whose files are in `folder`; they are gigabytes, and are removed in the end."""
    if os.geteuid() != 0:
        lacking("the user root, as whom images are built in the tests")
    folder.mkdir()
    storage = f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/store"\nrunroot = "{folder}/run"\n'
    files = {"storage.conf": storage, "containers.conf": ENGINE,
             "pip.conf": f"[global]\nno-index = true\nfind-links = {WHEELS}\n"}  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    try:
        yield Builder(folder)
    finally:
        shutil.rmtree(folder)
