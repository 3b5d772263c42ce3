"""The policy that judges: its modules, data and compiled form, and one digest that is the same wherever it runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ml_compliance.decide._bundle import DATA, MANIFEST, WASM, is_bundle, read_bundle
from ml_compliance.decide._contract import Request
from ml_compliance.documents import digest
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.files import read_plain, strict_json
from ml_compliance.resources import policies_folder

# The first statement, as OPA reads it: after blanks and comments, and nowhere further down, where it may be a text.
_PACKAGE = re.compile(r"(?:\s|#[^\n]*(?:\n|\Z))*package\s+([\w.]+)(?=\s|#|\Z)", re.ASCII)
_TEST = "_test.rego"
_TEST_PACKAGE = re.compile(r"(^|\.)test(\.|$)|_test(\.|$)")


@dataclass(frozen=True)
class Policy:
    """Rego modules by file name, base data, and the WebAssembly that OPA made of them, where there is one.

    `beside` are the other files of a bundle that judge, by name: no digest of its Rego says what is in them.
    """

    modules: Mapping[str, str]
    data: Mapping[str, Any]
    wasm: bytes | None
    revision: str = ""
    beside: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """The policy digest: of the modules, equal to that of the same ones on a server, and of what is beside them."""
        return digest_of_modules(self.modules.values(), self.beside)

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
    texts = {str(path): module_text(path) for path in rego_files(rego)}
    refuse_tests(texts)
    return texts


def refuse_tests(modules: Mapping[str, str]) -> None:
    """Raise UsageError for a test package outside of a test's file: it would judge, and no digest counts it."""
    for name, text in modules.items():
        if _is_test(text):
            raise UsageError(f"the package {_package(text)} is called a test, and its file is not", where=name,
                             remedy="name the file …_test.rego, or the package otherwise")  # fmt: skip


def policy_of(files: Mapping[str, bytes], where: str) -> Policy:
    """The policy in the files of a bundle. Raises EvaluationError when they are none."""
    try:
        rego = {name for name in files if name.endswith(".rego") and not name.endswith(_TEST)}
        modules = {name: files[name].decode() for name in rego}
        refuse_tests(modules)
        data = strict_json(files.get(DATA, b"{}"))
        revision = strict_json(files.get(MANIFEST, b"{}")).get("revision", "")
        if not modules or not isinstance(data, dict) or not isinstance(data.get("mlpolicy", {}), dict):
            raise ValueError("it has no Rego, or its data is no object")
        if strange := next((name for name in modules if ":" in name), ""):
            raise ValueError(f"{strange} has a colon in its name")
    except (ValueError, AttributeError, UsageError) as error:
        raise EvaluationError(f"this is no bundle of a policy: {error}", where=where,
                              remedy="build it again: ml-compliance policy build") from error  # fmt: skip
    beside = {name: files[name] for name in (DATA, WASM) if name in files}
    return Policy(modules, data, files.get(WASM), str(revision), beside)


def rego_files(rego: Path | None = None) -> tuple[Path, ...]:
    """The policy's source files without its tests, sorted: of `rego` (a file or folder), or the shipped ones.

    Raises UsageError when there is none, or one that is no plain file of UTF-8 text: `opa` would wait for a pipe.
    """
    folder = policies_folder() if rego is None else rego
    found = (folder,) if folder.is_file() else tuple(sorted(folder.rglob("*.rego")))
    files = tuple(path for path in found if not path.name.endswith(_TEST))
    if not files:
        raise UsageError("there is no .rego file here", where=str(folder), remedy="name a .rego file or its folder")
    if strange := next((path for path in files if ":" in str(path)), None):
        raise UsageError("`opa` would read another file: it takes a path only from the colon on", where=str(strange),
                         remedy="rename it")  # fmt: skip
    for path in files if rego is not None else ():
        module_text(path)
    return files


def digest_of_files(files: Iterable[Path]) -> str:
    """The policy digest of files on this machine. Raises UsageError when one cannot be read as text."""
    return digest_of_modules(map(module_text, files))


def module_text(path: Path) -> str:
    """The text of a Rego module. Raises UsageError when it is no plain file of UTF-8."""
    remedy = "name a file of Rego, or a folder whose .rego files are text"
    try:
        return read_plain(path, str(path), remedy).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"the policy is no UTF-8 text: {error}", where=str(path), remedy=remedy) from error


def packages(texts: Iterable[str]) -> tuple[str, ...]:
    """The packages that modules state, sorted."""
    return tuple(sorted({_package(text) for text in texts} - {""}))


def digest_of_modules(texts: Iterable[str], beside: Mapping[str, bytes] | None = None) -> str:
    """`sha256:…` over the sorted list of (package, sha256 of the text), test packages left out, and then of `beside`.

    Packages and not file names, because a server that was given the same policy does not know those.
    """
    modules = sorted([_package(text), _sha256(text.encode())] for text in texts if not _is_test(text))
    others = sorted([name, _sha256(content)] for name, content in (beside or {}).items())
    return digest([*modules, *others])


def _package(text: str) -> str:
    """The package that a module states; empty where it is written in another way than OPA's formatter does."""
    stated = _PACKAGE.match(text)
    return stated.group(1) if stated else ""


def _is_test(text: str) -> bool:
    return bool(_TEST_PACKAGE.search(_package(text)))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
