"""What every test relies on."""

from __future__ import annotations

import os

# No test may speak to anyone outside this machine.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
