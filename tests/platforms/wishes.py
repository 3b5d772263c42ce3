"""What is to be published, in tests."""

from __future__ import annotations

from typing import Any

from ml_compliance.platforms import Wish


def wish(name: str = "loans", **changes: Any) -> Wish:
    return Wish(name, **changes)
