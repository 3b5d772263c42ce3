"""A bundle of a policy: OPA's archive of Rego, data and compiled WebAssembly, verified by its signature before use.

The format is that of OPA's documentation, chapter "Bundles": `.signatures.json` holds a JSON Web Token, whose claim
`files` lists the digest of every other file.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ml_compliance.errors import EvaluationError, UsageError

SIGNATURES, MANIFEST, DATA, WASM = ".signatures.json", ".manifest", "data.json", "policy.wasm"
_STRUCTURED = (MANIFEST, DATA)
_HASHES = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_MOST_BYTES = 256 * 1024 * 1024
MAKE_A_KEY = "make one: openssl ecparam -name prime256v1 -genkey -noout -out key.pem"
_AGAIN = "build it again: ml-compliance policy build"


def is_bundle(path: Path) -> bool:
    """Whether `path` names a bundle, and no Rego file or folder."""
    return path.name.endswith((".tar.gz", ".tgz"))


def read_bundle(path: Path, key: Path | None) -> dict[str, bytes]:
    """The files of a bundle by name, verified with the public key in the PEM file `key`.

    Raises UsageError when the bundle is not there, or is signed and no key is named. Raises EvaluationError when it is
    broken, when `key` is named and it is not signed, and when its signature does not fit its content.
    """
    try:
        files = _unpacked(path)
    except FileNotFoundError:
        raise UsageError("there is no such bundle", where=str(path), remedy="run: ml-compliance policy build") from None
    except (OSError, EOFError, tarfile.TarError, ValueError) as error:
        raise EvaluationError(f"the bundle cannot be read: {error}", where=str(path), remedy=_AGAIN) from error
    if key is not None:
        _verify(files, key, str(path))
    elif SIGNATURES in files:
        raise UsageError("the bundle is signed, and no key to verify it is named", where=str(path),
                         remedy="name the PEM file of the public key as `rego_key` in compliance.yaml")  # fmt: skip
    return files


def _unpacked(path: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    size = 0
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            if member.isdir():
                continue
            name = PurePosixPath(member.name.lstrip("/"))
            if not member.isfile() or ".." in name.parts or str(name) in files:
                raise ValueError(f"{member.name!r} is no plain file, or is there twice")
            size += member.size
            if size > _MOST_BYTES:
                raise ValueError(f"it holds more than {_MOST_BYTES} bytes")
            content = archive.extractfile(member)
            files[str(name)] = content.read() if content else b""
    return files


def _verify(files: Mapping[str, bytes], key: Path, where: str) -> None:
    import jwt

    if SIGNATURES not in files:
        raise EvaluationError("the bundle is not signed, and `rego_key` asks that it is", where=where, remedy=_AGAIN)
    public = public_key(key)
    try:
        (token,) = json.loads(files[SIGNATURES])["signatures"]
        claims = jwt.decode(token, public, algorithms=[algorithm(public)])
        listed = {str(file["name"]): (file["algorithm"], file["hash"]) for file in claims["files"]}
    except (jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(f"the bundle's signature is not one of this key: {error}", where=where,
                              remedy=f"name the key that signed it, or {_AGAIN}") from error  # fmt: skip
    found = files.keys() - {SIGNATURES}
    if strange := sorted(found ^ listed.keys()):
        raise EvaluationError(f"the bundle was tampered with: {strange[0]} was added or taken out", where=where,
                              remedy=_AGAIN)  # fmt: skip
    for name, (kind, expected) in sorted(listed.items()):
        if kind not in _HASHES or file_hash(name, files[name], _HASHES[kind]) != expected:
            raise EvaluationError(f"the bundle was tampered with: {name} is not the file that was signed",
                                  where=where, remedy=_AGAIN)  # fmt: skip


def public_key(path: Path) -> Any:
    """The public key in a PEM file. Raises UsageError when there is none."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"this is no PEM file of a public key: {error}", where=str(path)) from error


def algorithm(key: Any) -> str:
    """The signature algorithm that belongs to a key, private or public; the bundle has no say in it.

    Raises UsageError for a key that OPA does not take.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

    if isinstance(key, RSAPrivateKey | RSAPublicKey):
        return "RS256"
    if isinstance(key, EllipticCurvePrivateKey | EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        return "ES256"
    raise UsageError("policies are signed with RSA keys and with keys on the curve P-256",
                     remedy=MAKE_A_KEY)  # fmt: skip


def file_hash(name: str, content: bytes, kind: str = "sha256") -> str:
    """The digest of one file as OPA takes it: JSON by its content, with sorted keys, and anything else by its bytes."""
    if PurePosixPath(name).name in _STRUCTURED:
        content = _structured(json.loads(content, parse_int=_Literal, parse_float=_Literal)).encode()
    return hashlib.new(kind, content).hexdigest()


class _Literal(str):
    """A number as it is written; OPA hashes 1.50 and 1.5 apart."""

    __slots__ = ()


def _structured(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_structured(key)}:{_structured(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_structured, value)) + "]"
    if isinstance(value, _Literal):
        return str(value)
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
