"""`python -m benchmarks`: all of them, the quick ones first."""

from benchmarks import harness

harness.main("install", "gate", "action", "decide", "drift", "fairness", "validation")
