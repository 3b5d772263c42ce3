"""Files that others wrote are read one way: plain ones, of a bounded size, and JSON that every reader takes alike."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_compliance.authoring.terminal import _submission
from ml_compliance.comparison import read_snapshot
from ml_compliance.errors import UsageError
from ml_compliance.files import read_json, strict_json
from ml_compliance.measure._suites import read_suite
from ml_compliance.yaml_file import read_yaml

READERS: dict[str, Callable[[Path], object]] = {
    "json": read_json,
    "snapshot": read_snapshot,
    "submission": _submission,
    "suite": lambda path: read_suite(path, path.name),
    "yaml": lambda path: read_yaml(path, path.name),
}
EACH = pytest.mark.parametrize("read", READERS.values(), ids=READERS)
JSON = pytest.mark.parametrize("read", [read for name, read in READERS.items() if name != "yaml"])


@EACH
def test_a_pipe_is_not_waited_for(read: Callable[[Path], object], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "file")
    with pytest.raises(UsageError, match="no plain file"):
        read(tmp_path / "file")


@EACH
def test_a_device_without_an_end_is_not_read(read: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / "file").symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="no plain file"):
        read(tmp_path / "file")


@EACH
def test_a_file_of_any_size_is_not_read(read: Callable[[Path], object], tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(UsageError, match="larger than"):
        read(tmp_path / "file")


@JSON
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{"a": 1, "a": 2}', "'a' is there twice"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": ' + b"[" * 100_000, "nested too deep"),
        ('{"a": 1}'.encode("utf-16"), "utf-8"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "4300"),
    ],
    ids=["twice", "NaN", "deep", "utf-16", "digits"],
)
def test_json_that_readers_take_differently(
    read: Callable[[Path], object], text: bytes, told: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(text)
    with pytest.raises(UsageError, match=told):
        read(tmp_path / "file")


def test_a_link_is_followed_unless_it_must_not_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text('{"a": [1.5, null]}')
    (tmp_path / "link").symlink_to("file")
    assert read_json(tmp_path / "link") == {"a": [1.5, None]}
    with pytest.raises(UsageError, match="cannot be read"):
        read_json(tmp_path / "link", follow=False)


def test_plain_text_is_read_too() -> None:
    assert strict_json('[{"a": 1}, {"a": 1}]') == [{"a": 1}, {"a": 1}]
