"""External programs that tests need: a missing one is a skip, and with CI=true a failure."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def lacking(what: str) -> None:
    """End the test that needs `what`."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI=true asks for every test")
    pytest.skip(f"needs {what}")


def required(name: str) -> str:
    """The path of the program `name`."""
    program = shutil.which(name)
    if program is None:
        lacking(f"the program `{name}`")
    return str(program)


def required_file(name: str) -> Path:
    """The file `name` beside the programs on PATH."""
    for folder in os.get_exec_path():
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    lacking(f"the file `{name}` on PATH")
    raise AssertionError
