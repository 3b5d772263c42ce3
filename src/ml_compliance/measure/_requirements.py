"""What a model's own files say that has to be installed: pins, and all that names no single version of a package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_compliance.engine.model_description import DESCRIPTION
from ml_compliance.engine.registry import shown

REQUIREMENTS, CONDA, PYTHON = "requirements.txt", "conda.yaml", "python_env.yaml"
_INCLUDES = re.compile(r"(?:-r\s*|--requirement[\s=]\s*)(\S.*)")
_EDITABLE = re.compile(r"(?:-e\s*|--editable[\s=]\s*)(\S.*)")
_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTIONS = re.compile(r"\s--?[a-z].*$")
_CONDA_NAME = re.compile(r"[\w.-]+")
# The environment itself: MLflow always names these two as packages of conda, and of pip no single version.
_ENVIRONMENT = ("python", "pip")
# MLflow names their versions only where they were installed beside the model.
_BUILD_TOOLS = ("pip", "setuptools", "wheel")
_SEVERAL = "it allows several versions"
_ELSEWHERE = "it comes from elsewhere than an index of packages"
_LONGEST = 200
_DEEPEST = 20


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
    found = [one for name in _names(folder) for one in reader.read(name, 0)]
    pins = {(canonicalize_name(one.package), one.version): one for one in reversed(found) if isinstance(one, Pin)}
    unpinned = dict.fromkeys(one for one in found if isinstance(one, Unpinned))
    return Requirements(tuple(reader.files), tuple(pins[key] for key in sorted(pins)), tuple(unpinned))


def _names(folder: Path) -> list[str]:
    """The usual files that are there, and those that MLmodel names in their place."""
    usual = [name for name in (REQUIREMENTS, CONDA, PYTHON) if (folder / name).is_file()]
    described = _yaml(folder / DESCRIPTION)
    flavors = described.get("flavors") if isinstance(described, Mapping) else None
    function = flavors.get("python_function") if isinstance(flavors, Mapping) else None
    named = function.get("env") if isinstance(function, Mapping) else None
    written = [named] if isinstance(named, str) else list(named.values()) if isinstance(named, Mapping) else []
    return list(dict.fromkeys([*usual, *(Path(name).as_posix() for name in written if isinstance(name, str))]))


def _yaml(path: Path) -> Any:
    """The content of a YAML file; None where it is not there, or is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, RecursionError, YAMLError):
        return None


class _Reader:
    """Reads files of one model, each once; `files` are those that were there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[str] = []

    def read(self, name: str, depth: int) -> Iterator[Pin | Unpinned]:
        if name in self.files:
            return
        path = self.folder / name
        if depth > _DEEPEST or not path.resolve().is_relative_to(self.folder.resolve()) or not path.is_file():
            yield Unpinned(name[:_LONGEST], name[:_LONGEST], "there is no such file in the model")
            return
        self.files.append(name)
        if path.suffix.lower() in (".yaml", ".yml"):
            yield from self._environment(name, _yaml(path), depth)
            return
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, ValueError):
            yield Unpinned(name, name, "the file cannot be read as UTF-8")
            return
        for line in text.replace("\\\n", " ").splitlines():
            yield from self._line(line, name, depth)

    def _line(self, written: str, file: str, depth: int) -> Iterator[Pin | Unpinned]:
        line = _COMMENT.sub("", written).strip()
        if included := _INCLUDES.fullmatch(line):
            below = (Path(file).parent / included[1].strip()).as_posix()
            yield from self.read(below, depth + 1)
        elif editable := _EDITABLE.fullmatch(line):
            yield Unpinned(_said(editable[1]), file, _ELSEWHERE)
        elif line and not line.startswith("-"):
            # Other options say from where packages come, or name versions of what is required nowhere (-c).
            yield _one(_OPTIONS.sub("", line), file)

    def _environment(self, file: str, content: Any, depth: int) -> Iterator[Pin | Unpinned]:
        """conda.yaml or python_env.yaml: what they list for pip, and what conda alone would install."""
        if not isinstance(content, Mapping):
            yield Unpinned(file, file, "it is no YAML, or no mapping")
            return
        is_conda = "build_dependencies" not in content and "python" not in content
        for tool in _list(content.get("build_dependencies")):
            if str(tool).strip().lower() not in _BUILD_TOOLS:
                yield from self._line(str(tool), file, depth)
        for entry in _list(content.get("dependencies")):
            if isinstance(entry, Mapping):
                for line in (line for lines in entry.values() for line in _list(lines)):
                    yield from self._line(str(line), file, depth)
            elif not is_conda:
                yield from self._line(str(entry), file, depth)
            elif (name := _CONDA_NAME.match(str(entry))) is None or name[0].lower() not in _ENVIRONMENT:
                yield Unpinned(_said(str(entry)), file, "nothing is known of vulnerabilities in packages of conda")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _one(line: str, file: str) -> Pin | Unpinned:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.version import InvalidVersion, Version

    try:
        found = Requirement(line)
    except InvalidRequirement:
        path_or_url = "/" in line or line.endswith((".whl", ".tar.gz", ".zip"))
        return Unpinned(_said(line), file, _ELSEWHERE if path_or_url else "it cannot be read")
    if found.url:
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
