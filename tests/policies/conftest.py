from __future__ import annotations

from tests.decide.opa_server import opa, server, start_opa

__all__ = ["opa", "server", "start_opa"]
