"""The policy's own files: which they are, and one digest that is the same wherever they are evaluated."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from ml_compliance.documents import digest
from ml_compliance.errors import UsageError
from ml_compliance.resources import policies_folder

_PACKAGE = re.compile(r"^package[ \t]+(\S+)", re.MULTILINE)
_TEST_PACKAGE = re.compile(r"(^|\.)test(\.|$)|_test(\.|$)")


def rego_files(rego: Path | None = None) -> tuple[Path, ...]:
    """The policy's source files without its tests, sorted: of `rego` (a file or folder), or the shipped ones.

    Raises UsageError when there is none.
    """
    folder = policies_folder() if rego is None else rego
    found = (folder,) if folder.is_file() else tuple(sorted(folder.rglob("*.rego")))
    files = tuple(path for path in found if not path.name.endswith("_test.rego"))
    if not files:
        raise UsageError("there is no .rego file here", where=str(folder), remedy="name a .rego file or its folder")
    return files


def digest_of_files(files: Iterable[Path]) -> str:
    """The policy digest of files on this machine. Raises UsageError when one cannot be read as text."""
    texts = []
    for path in files:
        try:
            texts.append(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"the policy cannot be read: {error}", where=str(path), remedy="check the file") from error
    return digest_of_modules(texts)


def digest_of_modules(texts: Iterable[str]) -> str:
    """`sha256:…` over the sorted list of (package, sha256 of the text), test packages left out.

    Packages and not file names, because a server that was given the same policy does not know those.
    """
    modules = []
    for text in texts:
        stated = _PACKAGE.search(text)
        package = stated.group(1) if stated else ""
        if not _TEST_PACKAGE.search(package):
            modules.append([package, hashlib.sha256(text.encode()).hexdigest()])
    return digest(sorted(modules))
