"""What every test relies on."""

from __future__ import annotations

import os

from hypothesis import settings

# How long an example takes says nothing on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# What is installed on this machine is not what a test has put on PATH: here is no folder, and none can be made.
os.environ["ML_COMPLIANCE_TOOLS"] = f"{os.devnull}/tools"

# No test may speak to anyone outside this machine.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
