"""The image that deploy/Dockerfile makes of a model: what is in it, who runs in it, and that it serves.

Its bases are made of Debian's packages: the last one of those that the pinned distroless image consists of.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.demo import models
from tests.dockerfile import rig

TAG = "localhost/loans:3"
PYTHON = "/usr/bin/python3"
LOCKED = rig.ROOT / "requirements" / "model.txt"
ASK = """\
import sys
from urllib.request import Request, urlopen
asked = Request("http://127.0.0.1:8080/invocations", sys.argv[1].encode(), {"Content-Type": "application/json"})
print(urlopen(asked, timeout=30).read().decode())
"""
LOOK = """\
import importlib.util, json, os, shutil, sys
names = ("sh", "bash", "dash", "ash", "busybox", "env", "apt-get", "dpkg", "pip", "pip3", "gcc", "perl", "su", "mount")
path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/packages/bin"
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "programs": [name for name in names if shutil.which(name, path=path)],
    "imports from the working folder": not sys.flags.safe_path,
    "pip": importlib.util.find_spec("pip") is not None,
    "writable": [name for name in ("", "etc", "model", "packages", "tmp", "usr") if os.access(f"/{name}", os.W_OK)],
    "of the build": [*os.listdir("/boot"), *filter(os.path.exists, ("/etc/pip.conf", "/root/.cache"))],
}))
"""


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.Builder]:
    with rig.building(tmp_path_factory.mktemp("image") / "builder") as builder:
        yield builder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model") / "model"


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    """The demo's model; its requirements are locked with their hashes, so that others would not be installed."""
    model = rig.save_model(folder)
    shutil.copy(LOCKED, folder / "requirements.txt")
    (folder / "model.skops").chmod(0o600)  # as the umask of whoever trained it may have it
    return model


@pytest.fixture(scope="module")
def image(builder: rig.Builder, folder: Path, model: Any) -> str:
    builder.run(*builder.command(folder, TAG))
    return TAG


@pytest.fixture(scope="module")
def container(builder: rig.Builder, image: str) -> Iterator[str]:
    with builder.serving(image) as container:
        yield container


def test_the_configuration(builder: rig.Builder, image: str) -> None:
    found = builder.configuration(image)["Config"]
    assert found["User"] == "65532:65532"
    assert found["Entrypoint"][:3] == [PYTHON, "-m", "uvicorn"]
    assert found["ExposedPorts"] == {"8080/tcp": {}}
    expected = {
        "org.opencontainers.image.title": "loan-approval", "org.opencontainers.image.version": "3",
        "org.opencontainers.image.revision": "4f2a90c", "compliance-tier": "high-risk",
    }  # fmt: skip
    assert expected.items() <= found["Labels"].items()


def test_it_answers_what_the_model_answers(builder: rig.Builder, container: str, model: Any) -> None:
    _, holdout = models.split(models.applications())
    rows = holdout[list(models.FEATURES)].astype("float64")
    asked = json.dumps({"dataframe_split": {"columns": list(rows), "data": rows.to_numpy().tolist()}})
    answer = builder.run("podman", "exec", container, PYTHON, "-c", ASK, asked)
    predictions = json.loads(answer.stdout)["predictions"]
    assert set(predictions) == {0, 1}
    assert predictions == model.predict(holdout[list(models.FEATURES)]).tolist()


def test_there_is_nothing_in_it_to_work_with(builder: rig.Builder, container: str) -> None:
    found = json.loads(builder.run("podman", "exec", container, PYTHON, "-c", LOOK).stdout)
    assert found == {
        "user": [65532, 65532], "programs": [], "imports from the working folder": False, "pip": False,
        "writable": ["tmp"], "of the build": [],
    }  # fmt: skip
    shell = builder.run("podman", "exec", container, "/bin/sh", "-c", "true", check=False)
    assert shell.returncode != 0
    assert "no such file" in shell.stderr


def test_it_ends_when_told_to(builder: rig.Builder, image: str) -> None:
    with builder.serving(image) as container:
        builder.run("podman", "stop", "--time", "60", container)
        assert builder.run("podman", "inspect", "--format", "{{.State.ExitCode}}", container).stdout == "0\n"


def refused(builder: rig.Builder, folder: Path, **arguments: str) -> str:
    """What a build says that has to fail."""
    done: subprocess.CompletedProcess[str] = builder.run(
        *builder.command(folder, "localhost/refused", **arguments), check=False
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_nothing_that_a_label_says_may_be_missing(builder: rig.Builder, folder: Path, model: Any) -> None:
    said = refused(builder, folder, COMPLIANCE_TIER="")
    assert "COMPLIANCE_TIER: --build-arg COMPLIANCE_TIER=… is missing" in said


def test_a_package_with_another_hash_is_not_installed(
    builder: rig.Builder, folder: Path, model: Any, tmp_path: Path
) -> None:
    other = shutil.copytree(folder, tmp_path / "model")
    text = LOCKED.read_text(encoding="utf-8")
    (other / "requirements.txt").write_text(re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", text))
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in refused(builder, other)


def test_a_model_without_its_server_is_not_built(
    builder: rig.Builder, folder: Path, model: Any, tmp_path: Path
) -> None:
    other = shutil.copytree(folder, tmp_path / "model")
    (other / "requirements.txt").write_text("click\n")
    assert "No module named 'mlflow'" in refused(builder, other)
