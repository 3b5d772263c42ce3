"""A submission with evidence of every kind that good policies allow, and a law with items of every type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ml_compliance.documents import digest

_FOLDER = Path(__file__).parent


def submission() -> dict[str, Any]:
    """The submission, `{"input": …}`."""
    return _read("submission")


def law() -> dict[str, Any]:
    """The document `data.mlpolicy.law`, which the shipped policy finds satisfied by the submission."""
    content = _read("law")
    return {**content, "digest": digest(content)}


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found
