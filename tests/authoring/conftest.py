from __future__ import annotations

from tests.decide.opa_server import opa

__all__ = ["opa"]
