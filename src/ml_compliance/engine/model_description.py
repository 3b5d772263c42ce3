"""What the file MLmodel says will be loaded: MLflow opens and imports what is named there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DESCRIPTION = "MLmodel"
_LOADED = ("pickled_model", "python_model", "model_path")
_ORIGIN = "uri"
"""Where an artifact came from; its copy in the folder is what is opened."""


@dataclass(frozen=True)
class Description:
    """What loading needs besides the files' contents.

    `loaded` are files that are unpickled whatever their names, `trusted` the types that skops is told to trust, as
    (module, name). `code` is whether a loader of the model's own is imported. `outside` says what is wrong: files
    outside of the folder, or a description that cannot be read.
    """

    loaded: frozenset[str] = frozenset()
    trusted: tuple[tuple[str, str], ...] = ()
    code: bool = False
    outside: tuple[str, ...] = ()


def read_description(folder: Path) -> Description:
    """The description in `folder`; empty where there is none."""
    path = folder / DESCRIPTION
    if not path.is_file():
        return Description()
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        flavors = (YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}).get("flavors")
    except (OSError, ValueError, AttributeError, YAMLError) as error:
        return Description(outside=(f"it cannot be read: {str(error)[:200]}",))
    said = [*_said(flavors, "")]
    loaders = [value for key, value in said if key == "loader_module"]
    trusted = [value.rpartition(".") for key, value in said if key == "skops_trusted_types"]
    return Description(
        loaded=frozenset(Path(value).as_posix() for key, value in said if key in _LOADED),
        trusted=tuple((module, name) for module, _, name in trusted),
        code=any(not value.startswith("mlflow.") for value in loaders),
        outside=tuple(f"it names {value!r}, which is outside of the model" for key, value in said
                      if key != _ORIGIN and _is_outside(folder, value)),
    )  # fmt: skip


def _said(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Every text in the description with the key that it stands under."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _said(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _said(inner, key)
    elif isinstance(value, str):
        yield key, value


def _is_outside(folder: Path, value: str) -> bool:
    try:
        return not (folder / value).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return True
