"""What a model's own files say that has to be installed: pins, and all that names no single version of a package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ml_compliance.engine.model_description import DESCRIPTION
from ml_compliance.engine.registry import shown
from ml_compliance.measure._requirement_lines import Kind, Line, entries, lines

REQUIREMENTS = "requirements.txt"
# A scheme, as of https: or file:, which pip downloads.
_ADDRESS = re.compile(r"[\w+.-]*:")
_ARCHIVE = re.compile(r"\.(whl|zip|tgz|tar|tar\.\w+|tbz|txz|tlz)\s*(;.*)?$", re.IGNORECASE)
# The environment itself: MLflow always names these two as packages of conda, and of pip no single version. Neither a
# channel before the name nor the brackets after it, which may hold another name.
_ENVIRONMENT = re.compile(r"\s*(?:python|pip)\s*([=<>!~][\w.*=<>!~,| +-]*)?", re.IGNORECASE)
# MLflow names their versions only where they were installed beside the model.
_BUILD_TOOLS = ("pip", "setuptools", "wheel")
_SEVERAL = "it allows several versions"
_ELSEWHERE = "it comes from elsewhere than an index of packages"
_UNREADABLE = "it cannot be read"
_LONGEST = 200
_DEEPEST = 20


class Role(StrEnum):
    """What a file is read as; the environments are named as MLmodel names them."""

    PIP = "pip"
    CONSTRAINTS = "constraints"
    CONDA = "conda"
    VIRTUALENV = "virtualenv"


_USUAL = {REQUIREMENTS: Role.PIP, "conda.yaml": Role.CONDA, "python_env.yaml": Role.VIRTUALENV}


@dataclass(frozen=True)
class Pin:
    """A package in one version, and the file that says so."""

    package: str
    version: str
    file: str


@dataclass(frozen=True)
class Unpinned:
    """What cannot be judged: a requirement as it is written, its file, and why not."""

    requirement: str
    file: str
    why: str


@dataclass(frozen=True)
class Requirements:
    """`files` are those that were read, from the model's folder on; each pin is there once, with its first file."""

    files: tuple[str, ...]
    pins: tuple[Pin, ...]
    unpinned: tuple[Unpinned, ...]


def requirements(folder: Path) -> Requirements:
    """The requirements in requirements.txt, conda.yaml and python_env.yaml of a model, and what these include."""
    from packaging.utils import canonicalize_name

    reader = _Reader(folder)
    found = [one for name, role in _names(folder) for one in reader.read(name, role, 0)]
    pins = {(canonicalize_name(one.package), one.version): one for one in reversed(found) if isinstance(one, Pin)}
    unpinned = dict.fromkeys(one for one in found if isinstance(one, Unpinned))
    return Requirements(tuple(reader.files), tuple(pins[key] for key in sorted(pins)), tuple(unpinned))


def _names(folder: Path) -> list[tuple[str, Role]]:
    """The usual files that are there, and those that MLmodel names in their place, each with what it is read as."""
    usual = [(name, role) for name, role in _USUAL.items() if (folder / name).is_file()]
    described = _yaml(folder / DESCRIPTION)
    flavors = described.get("flavors") if isinstance(described, Mapping) else None
    function = flavors.get("python_function") if isinstance(flavors, Mapping) else None
    named = function.get("env") if isinstance(function, Mapping) else None
    roles = named if isinstance(named, Mapping) else {Role.CONDA: named}
    written = [(Path(name).as_posix(), key) for key, name in roles.items() if isinstance(name, str)]
    return list(dict.fromkeys([*usual, *((name, _role(key, name)) for name, key in written)]))


def _role(key: Any, name: str) -> Role:
    """What MLmodel calls a file, else what its name says."""
    return Role(key) if key in (Role.CONDA, Role.VIRTUALENV) else _USUAL.get(name, Role.PIP)


def _yaml(path: Path) -> Any:
    """The content of a YAML file; None where it is not there, or is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, RecursionError, YAMLError):
        return None


class _Reader:
    """Reads files of one model, each once in a role; `files` are those that were there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, None] = {}
        self._read: set[tuple[str, Role]] = set()

    def read(self, name: str, role: Role, depth: int) -> Iterator[Pin | Unpinned]:
        if (name, role) in self._read:
            return
        if depth > _DEEPEST or not self._is_there(name):
            yield Unpinned(_said(name), _said(name), "there is no such file in the model")
            return
        self._read.add((name, role))
        self.files[name] = None
        try:
            if role in (Role.CONDA, Role.VIRTUALENV):
                yield from self._environment(name, _yaml(self.folder / name), role, depth)
            else:
                text = (self.folder / name).read_bytes().decode("utf-8-sig")
                yield from self._found(lines(text), name, role, depth)
        except (OSError, ValueError):
            yield Unpinned(name, name, "the file cannot be read as UTF-8")

    def _is_there(self, name: str) -> bool:
        try:
            path = (self.folder / name).resolve()
            return path.is_relative_to(self.folder.resolve()) and path.is_file()
        except (OSError, ValueError, RuntimeError):  # No name that a file can have, or links that lead in a circle.
            return False

    def _found(self, read: Iterator[Line], file: str, role: Role, depth: int) -> Iterator[Pin | Unpinned]:
        for line in read:
            if line.kind in (Kind.INCLUDE, Kind.CONSTRAINT) and not _ADDRESS.match(line.text):
                # What a file of constraints includes is installed.
                into = Role.PIP if line.kind is Kind.INCLUDE else Role.CONSTRAINTS
                yield from self.read((Path(file).parent / line.text).as_posix(), into, depth + 1)
            elif line.kind is Kind.UNREADABLE:
                yield Unpinned(_said(line.text), file, _UNREADABLE)
            elif line.kind is not Kind.REQUIREMENT:
                yield Unpinned(_said(line.text), file, _ELSEWHERE)
            else:
                found = _one(line.text, file)
                # Constraints name versions of what is required elsewhere, if at all; but also from where it comes.
                if role is not Role.CONSTRAINTS or (isinstance(found, Unpinned) and found.why != _SEVERAL):
                    yield found

    def _environment(self, file: str, content: Any, role: Role, depth: int) -> Iterator[Pin | Unpinned]:
        """conda.yaml or python_env.yaml: what they list for pip, and what conda alone would install."""
        if not isinstance(content, Mapping):
            yield Unpinned(file, file, "it is no YAML, or no mapping")
            return
        tools = _list(content.get("build_dependencies"))
        for_pip = [[tool for tool in tools if str(tool).strip().lower() not in _BUILD_TOOLS]]
        dependencies = _list(content.get("dependencies"))
        if role is Role.VIRTUALENV:
            for_pip.append(dependencies)
        else:
            by_tool = [entry for entry in dependencies if isinstance(entry, Mapping)]
            for_pip += [_list(listed) for entry in by_tool for listed in entry.values()]
            for entry in dependencies:
                if not isinstance(entry, Mapping) and not _ENVIRONMENT.fullmatch(str(entry)):
                    yield Unpinned(_said(str(entry)), file, "nothing is known of vulnerabilities in packages of conda")
        for listed in for_pip:
            yield from self._found(entries([str(entry) for entry in listed]), file, role, depth)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _one(line: str, file: str) -> Pin | Unpinned:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.version import InvalidVersion, Version

    try:
        found = Requirement(line)
    except InvalidRequirement:
        return Unpinned(_said(line), file, _ELSEWHERE if "/" in line or _ARCHIVE.search(line) else _UNREADABLE)
    # A file of the model may be called a==1+b.zip, and is what pip installs then.
    if found.url or _ARCHIVE.search(line):
        return Unpinned(_said(line), file, _ELSEWHERE)
    versions = [one.version for one in found.specifier if one.operator in ("==", "===")]
    if len(versions) != 1 or versions[0].endswith("*"):
        return Unpinned(_said(line), file, _SEVERAL)
    try:
        Version(versions[0])
    except InvalidVersion:
        return Unpinned(_said(line), file, "its version is none by PEP 440")
    return Pin(found.name, versions[0], file)


def _said(line: str) -> str:
    return shown(line)[:_LONGEST]
