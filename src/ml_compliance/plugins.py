"""Plugins are the modules of a folder: file name = plugin name = config key = command-line value."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType

from ml_compliance.errors import UsageError

_ROOT = Path(__file__).parent


def names(room: str) -> tuple[str, ...]:
    """The plugin names of `room` (a sub-package such as `measure`), sorted; nothing is imported."""
    folder = _ROOT / room
    return tuple(sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")))


def load(room: str, name: str) -> ModuleType:
    """Import one plugin. Raises UsageError with the names that exist when there is none called `name`."""
    known = names(room)
    if name not in known:
        raise UsageError(f"there is no {room} plugin called {name!r}", remedy=f"choose from: {', '.join(known)}")
    return importlib.import_module(f"ml_compliance.{room}.{name}")


def summary(room: str, name: str) -> str:
    """The first line of the plugin's docstring, read without importing it."""
    text = (_ROOT / room / f"{name}.py").read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    return docstring.split("\n", 1)[0]
