"""Judge whether the data of production have drifted from the reference."""

from ml_compliance.entry_points import monitor

monitor()
