"""What a model is made of: the format of each file and what loading it would import, found without loading it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ml_compliance.engine.model_description import DESCRIPTION, Description, read_description
from ml_compliance.engine.pickles import UNKNOWN, Global, UnreadableError, imports, is_name
from ml_compliance.errors import EvaluationError
from ml_compliance.law import Law, catalog, items_of

_DEPTH = 4
_LIMIT = 8 * 2**30
"""Bytes that a compressed file may unpack to."""
_PIECE = 2**20
_PICKLED = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".dill", ".cloudpickle")
_CODE = {
    ".py": "python code",
    ".pyc": "python code",
    ".so": "native code",
    ".pyd": "native code",
    ".dll": "native code",
}
_NAMED = {".safetensors": "safetensors", ".onnx": "onnx", ".skops": "skops", ".h5": "hdf5", ".keras": "keras"}
_MAGIC = (
    (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"), (b"\x93NUMPY", "npy"), (b"PK\x03\x04", "zip"),
    (b"\x89HDF", "hdf5"), (b"\x04\x22\x4d\x18", "lz4"), (b"7z\xbc\xaf", "7z"), (b"]\x00\x00", "xz"),
    (b"x\x01", "zlib"), (b"x\x5e", "zlib"), (b"x\x9c", "zlib"), (b"x\xda", "zlib"),
)  # fmt: skip
_CLOSED = ("lz4", "7z")
# What a model that names a file as the one to load may have there: pickles are followed, the others run nothing.
_WHOLE = ("pickle", "skops", "torch", "zip", "tar", "gzip", "bzip2", "xz", "zlib", "npy", "hdf5")
_BROKEN = (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error, lzma.LZMAError,
           zipfile.BadZipFile, tarfile.TarError, UnreadableError)  # fmt: skip


@dataclass(frozen=True)
class ModelFile:
    """A file of a model. `imports` are what pickles in it import, `dangerous` those that a scanner knows to be so.

    `unreadable` says why not all of it could be looked at; empty when it was.
    """

    path: str
    format: str
    size: int
    imports: tuple[str, ...] = ()
    dangerous: tuple[str, ...] = ()
    unreadable: str = ""


def model_files(folder: Path) -> tuple[ModelFile, ...]:
    """Every file below `folder`, by name. Raises EvaluationError when one cannot be read."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    said = read_description(folder)
    return tuple(_looked_at(path, path.relative_to(folder).as_posix(), said) for path in paths)


@dataclass(frozen=True)
class Admission:
    """What the law lets a model import: what is on each of `lists`; `code` is whether it may bring code along.

    Without lists, everything is but what is known to be dangerous.
    """

    lists: tuple[tuple[str, ...], ...] = ()
    code: bool = True


NO_LISTS = Admission()


def admission(law: Law | None) -> Admission:
    """What the law's items of the type model_files let models import, all of them together."""
    items = items_of(law, "model_files")
    if not items:
        return NO_LISTS
    usual = catalog()["types"]["model_files"]["parameters"]["properties"]["allowed"]["default"]
    lists = tuple(tuple(item.get("allowed", usual)) for item in items)
    return Admission(lists, all(item.get("code") == "warn" for item in items))


def refused(files: Sequence[ModelFile], admission: Admission) -> tuple[str, ...]:
    """Why a model of these files must not be loaded: what it imports, what could not be looked at, and code."""
    found = []
    for file in files:
        found += [
            f"{file.path} imports {name}"
            for name in file.imports
            if not _admitted(name, admission.lists, dangerous=name in file.dangerous)
        ]
        found += [f"{file.path}: {file.unreadable}"] if file.unreadable else []
        found += [f"{file.path} is {file.format}"] if file.format.endswith(" code") and not admission.code else []
    return tuple(found)


def _admitted(name: str, lists: Sequence[Sequence[str]], *, dangerous: bool) -> bool:
    """As policies/rules/model_files.rego has it: what is dangerous has to be named in full."""
    if not lists:
        return not dangerous
    return all(
        name in entries or (not dangerous and any(name.startswith(f"{entry}.") for entry in entries))
        for entries in lists
    )


def _looked_at(path: Path, name: str, said: Description) -> ModelFile:
    try:
        with path.open("rb") as file:
            suffix = path.suffix.lower()
            kind, found, why = _inside(file, suffix, 0)
            if name in said.loaded and kind not in _WHOLE and not kind.endswith(" code") and not why:
                why = "the model loads it, and it is nothing that can be followed"
            if name == DESCRIPTION:
                found, why = found | set(said.trusted), "; ".join(part for part in (why, *said.outside) if part)
                kind = "python code" if said.code else kind
            size = path.stat().st_size
    except OSError as error:
        raise EvaluationError(f"the file cannot be read: {error.strerror or error}", where=name,
                              remedy="make it readable for this job") from error  # fmt: skip
    listed = tuple(sorted({".".join(one) for one in found}))
    # An attribute of an attribute (`sklearn.datasets._base`, `os.system`) leads anywhere, whatever it begins with.
    dotted = {one for one in found if "." in one[1]}
    dangerous = tuple(sorted({".".join(one) for one in _dangerous(found) | dotted}))
    return ModelFile(name, kind, size, listed, dangerous, why)


def _inside(file: IO[bytes], suffix: str, depth: int) -> tuple[str, set[Global], str]:
    """Format, imports, and why not all could be looked at."""
    start = file.read(8)
    file.seek(0)
    kind = next((kind for magic, kind in _MAGIC if start.startswith(magic)), "")
    if depth > _DEPTH or kind in _CLOSED:
        return kind or "archive", set(), f"it is packed in a way that is not looked into ({kind or 'too deep'})"
    try:
        if kind == "zip":
            return _zip(file, suffix, depth)
        if kind in ("gzip", "bzip2", "xz", "zlib"):
            with _unpacked(file, kind) as inner:
                _, found, why = _inside(inner, suffix, depth + 1)
            return kind, found, why
        if kind == "npy":
            return kind, _array(file), ""
        plain = _plain(file, start, suffix, kind)
        return plain if kind else _with_archive(plain, file, suffix, depth)
    except _BROKEN as error:
        found = error.args[1] if isinstance(error, UnreadableError) else set()
        said = str(error.args[0] if error.args else error)[:200]
        return kind or "archive", found, f"it cannot be looked into: {said}"


def _with_archive(
    plain: tuple[str, set[Global], str], file: IO[bytes], suffix: str, depth: int
) -> tuple[str, set[Global], str]:
    """A zip archive may have anything in front of it, and a tar archive begins with a name: both can be pickles too."""
    file.seek(0)
    packed = None
    if zipfile.is_zipfile(file):
        packed = _zip(file, suffix, depth)
    else:
        file.seek(0)
        if tarfile.is_tarfile(file):
            packed = _tar(file, depth)
    if packed is None:
        return plain
    reasons = "; ".join(why for why in (plain[2], packed[2]) if why)
    return plain[0] if plain[0] == "pickle" else packed[0], plain[1] | packed[1], reasons


def _plain(file: IO[bytes], start: bytes, suffix: str, kind: str) -> tuple[str, set[Global], str]:
    """A file that is not packed: a pickle, if it can be followed as one, whatever its name."""
    named = _CODE.get(suffix) or _NAMED.get(suffix) or kind
    pickled = start[:1] == b"\x80" or suffix in _PICKLED
    try:
        found = imports(file)
    except UnreadableError as error:
        reached = {one for one in error.args[1] if is_name(one)}
        if not reached and not (pickled and not named):
            return named or _text_or_data(start), set(), ""
        return "pickle", reached, f"it is a pickle that cannot be followed: {error.args[0][:200]}"
    if not found and not pickled:
        return named or _text_or_data(start), set(), ""
    return "pickle", found, ""


def _text_or_data(start: bytes) -> str:
    return "data" if b"\0" in start else "text"


def _zip(file: IO[bytes], suffix: str, depth: int) -> tuple[str, set[Global], str]:
    found, reasons, names, code = set[Global](), [], [], ""
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            names.append(entry.filename)
            if entry.is_dir():
                continue
            with archive.open(entry) as packed, _copied(packed) as inner:
                within, own, why = _inside(inner, Path(entry.filename).suffix.lower(), depth + 1)
            code = within if within.endswith(" code") else code
            found |= own
            reasons += [f"{entry.filename}: {why}"] if why else []
    kind = _NAMED.get(suffix, "zip")
    if "schema.json" in names:
        kind = "skops"
    elif any(name.endswith("/data.pkl") for name in names):
        kind = "torch"
    return code or kind, found, "; ".join(reasons)


def _tar(file: IO[bytes], depth: int) -> tuple[str, set[Global], str]:
    found, reasons, code = set[Global](), [], ""
    file.seek(0)
    with tarfile.open(fileobj=file) as archive:
        for entry in archive:
            packed = archive.extractfile(entry) if entry.isfile() else None
            if packed is not None:
                with packed, _copied(packed) as inner:
                    within, own, why = _inside(inner, Path(entry.name).suffix.lower(), depth + 1)
                code = within if within.endswith(" code") else code
                found |= own
                reasons += [f"{entry.name}: {why}"] if why else []
    return code or "tar", found, "; ".join(reasons)


def _array(file: IO[bytes]) -> set[Global]:
    """An array of NumPy is a pickle after its header, if it holds objects."""
    from numpy.lib import format as npy

    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    _, _, kind = read(file)
    return imports(file) if kind.hasobject else set()


@contextmanager
def _unpacked(file: IO[bytes], kind: str) -> Iterator[IO[bytes]]:
    if kind == "zlib":
        with tempfile.TemporaryFile() as target:
            stream = zlib.decompressobj()
            while piece := stream.unconsumed_tail or file.read(_PIECE):
                target.write(stream.decompress(piece, _PIECE))
                _checked(target)
            target.seek(0)
            yield target
        return
    opened: Any = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}[kind]
    with opened(file, "rb") as packed, _copied(packed) as inner:
        yield inner


@contextmanager
def _copied(packed: IO[bytes]) -> Iterator[IO[bytes]]:
    """What is packed, as a file in which one can go back."""
    with tempfile.SpooledTemporaryFile(max_size=64 * _PIECE) as target:
        while piece := packed.read(_PIECE):
            target.write(piece)
            _checked(target)
        target.seek(0)
        yield target


def _checked(target: Any) -> None:
    if target.tell() > _LIMIT:
        raise ValueError(f"it unpacks to more than {_LIMIT // 2**30} GiB")


def _dangerous(found: set[Global]) -> set[Global]:
    """Those that picklescan calls dangerous. It is handed what was listed here: it cannot look into every container."""
    known = sorted(one for one in found if one[0] != UNKNOWN and is_name(one))
    if not known:
        return set()
    from picklescan.scanner import SafetyLevel, scan_pickle_bytes

    listed = b"".join(b"c%s\n%s\n0" % (module.encode(), name.encode()) for module, name in known)
    result = scan_pickle_bytes(io.BytesIO(listed + b"N."), "the imports")
    return {(one.module, one.name) for one in result.globals if one.safety is SafetyLevel.Dangerous}
