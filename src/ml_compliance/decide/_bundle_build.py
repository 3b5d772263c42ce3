"""Compiles and signs a policy of a user's own: one bundle for a server, the `opa` program and the embedded engine."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_compliance.decide._build import compile_policy
from ml_compliance.decide._bundle import DATA, MAKE_A_KEY, MANIFEST, SIGNATURES, WASM, algorithm, file_hash
from ml_compliance.decide._policy import digest_of_modules, packages, refuse_tests, rego_files
from ml_compliance.decide.embedded import builtins_lacking
from ml_compliance.errors import UsageError
from ml_compliance.files import read_plain, write

_REMEDY = "take it out of the folder, or put a plain file in its place"


@dataclass(frozen=True)
class Built:
    """What was built: the digest that decisions by it will carry, and what only `opa` can run."""

    path: Path
    policy_digest: str
    signed: bool
    lacking: tuple[str, ...]


def build_bundle(source: Path, out: Path, key: bytes | None = None) -> Built:
    """Compile the Rego and the `data.json` files under `source`, tests left out, and write a bundle to `out`.

    `key` is the PEM text of a private key that signs it. The same sources and key give the same bundle, but for the
    signatures of keys on curves, which are never the same twice.

    Raises UsageError for a source without Rego or one that `opa` refuses, and for a key that is none; EvaluationError
    when `opa` is missing or does not end.
    """
    modules = rego_files(source)
    root = source if source.is_dir() else source.parent
    data_files = root.rglob(DATA) if source.is_dir() else ()
    read = {path.relative_to(root): read_plain(path, str(path), _REMEDY) for path in (*modules, *data_files)}
    signer = None if key is None else _private_key(key)
    with tempfile.TemporaryDirectory(prefix="ml-compliance-") as name:
        folder = Path(name)
        for path, content in read.items():
            copy = folder / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
        compiled = compile_policy(folder, as_bundle=True)
    files = {name.as_posix(): read[name] for name in (path.relative_to(root) for path in modules)}
    modules_by_name = {name: content.decode() for name, content in files.items()}
    refuse_tests(modules_by_name)
    texts = modules_by_name.values()
    judging = {DATA: compiled.data, WASM: compiled.wasm}
    digest, data = digest_of_modules(texts, judging), json.loads(compiled.data)
    manifest = {"revision": digest, "roots": _roots([*(name.replace(".", "/") for name in packages(texts)), *data])}
    files |= {**judging, MANIFEST: _json(manifest)}
    if signer is not None:
        files[SIGNATURES] = _signatures(files, signer)
    write(out, _archive(files))
    return Built(out, digest, signer is not None, builtins_lacking(compiled.wasm))


def signing_key(path: Path | None, variable: str) -> bytes | None:
    """The private key's PEM text, from a file or an environment variable; never from the command line itself.

    Raises UsageError when it is not there, or when both are named.
    """
    if path is not None and variable:
        raise UsageError("two signing keys are named", remedy="give --signing-key or --signing-key-env")
    if variable:
        if not os.environ.get(variable):
            raise UsageError(f"the environment variable {variable} is empty", remedy="put the PEM text into it")
        return os.environ[variable].encode()
    return None if path is None else read_plain(path, str(path), "name the PEM file of the private key that signs it")


def _private_key(pem: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        # The error's own text is left out: nothing of a key belongs into a log.
        raise UsageError(
            "the signing key is no PEM text of a private key without a password", remedy=MAKE_A_KEY
        ) from error
    algorithm(key)
    return key


def _roots(paths: Iterable[str]) -> list[str]:
    """The paths below `data` that the bundle owns, none inside another: the law beside them can still be published."""
    kept: list[str] = []
    for path in sorted(paths):
        if not any(path == root or path.startswith(f"{root}/") for root in kept):
            kept.append(path)
    return kept


def _signatures(files: Mapping[str, bytes], key: Any) -> bytes:
    import jwt

    listed = [
        {"name": name, "hash": file_hash(name, files[name]), "algorithm": "SHA-256"} for name in sorted(files)
    ]  # fmt: skip
    token = jwt.encode({"files": listed}, key, algorithm=algorithm(key), headers={"kid": "default"})
    return _json({"signatures": [token]})


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _archive(files: Mapping[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(f"/{name}")
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))
    return raw.getvalue()
