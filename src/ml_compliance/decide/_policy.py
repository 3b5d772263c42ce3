"""The policy that judges: its modules, data and compiled form, and one digest that is the same wherever it runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ml_compliance.decide._bundle import DATA, MANIFEST, WASM, is_bundle, read_bundle
from ml_compliance.decide._contract import Request
from ml_compliance.documents import digest
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.resources import policies_folder

_PACKAGE = re.compile(r"^package[ \t]+(\S+)", re.MULTILINE)
_TEST_PACKAGE = re.compile(r"(^|\.)test(\.|$)|_test(\.|$)")


@dataclass(frozen=True)
class Policy:
    """Rego modules by file name, base data, and the WebAssembly that OPA made of them, where there is one."""

    modules: Mapping[str, str]
    data: Mapping[str, Any]
    wasm: bytes | None
    revision: str = ""

    @cached_property
    def digest(self) -> str:
        """The policy digest, equal to that of the same modules on a server."""
        return digest_of_modules(self.modules.values())

    def data_with(self, law: Mapping[str, Any]) -> dict[str, Any]:
        """The base data, with the law as `data.mlpolicy.law`."""
        return {**self.data, "mlpolicy": {**self.data.get("mlpolicy", {}), "law": law}}


def load_policy(request: Request) -> Policy:
    """The policy that `request` names: a bundle, which is verified, a folder, a file, or else the shipped one.

    Raises UsageError when there is none, and EvaluationError when a bundle is broken or was tampered with.
    """
    rego = request.rego
    if rego is not None and is_bundle(rego):
        return policy_of(read_bundle(rego, request.rego_key), str(rego))
    if request.rego_key is not None:
        raise UsageError("`rego_key` verifies a bundle, and `rego` names none", where=str(rego or ""),
                         remedy="run: ml-compliance policy build")  # fmt: skip
    return _shipped(policies_folder()) if rego is None else Policy(_texts(rego), {}, None)


@cache
def _shipped(folder: Path) -> Policy:
    """The shipped policy, which is read once: an installation does not change under a process."""
    return Policy(_texts(folder), {}, (folder / WASM).read_bytes())


def _texts(rego: Path) -> dict[str, str]:
    return {str(path): _text(path) for path in rego_files(rego)}


def policy_of(files: Mapping[str, bytes], where: str) -> Policy:
    """The policy in the files of a bundle. Raises EvaluationError when they are none."""
    try:
        modules = {name: content.decode() for name, content in files.items() if name.endswith(".rego")}
        data = json.loads(files.get(DATA, b"{}"))
        revision = json.loads(files.get(MANIFEST, b"{}")).get("revision", "")
        if not modules or not isinstance(data, dict) or not isinstance(data.get("mlpolicy", {}), dict):
            raise ValueError("it has no Rego, or its data is no object")
    except (ValueError, AttributeError) as error:
        raise EvaluationError(f"this is no bundle of a policy: {error}", where=where,
                              remedy="build it again: ml-compliance policy build") from error  # fmt: skip
    return Policy(modules, data, files.get(WASM), str(revision))


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
    return digest_of_modules(map(_text, files))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the policy cannot be read: {error}", where=str(path), remedy="check the file") from error


def packages(texts: Iterable[str]) -> tuple[str, ...]:
    """The packages that modules state, sorted."""
    return tuple(sorted({stated.group(1) for text in texts if (stated := _PACKAGE.search(text))}))


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
