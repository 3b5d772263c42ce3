"""`python -m benchmarks`: all of them, the quick ones first."""

from benchmarks import harness

harness.main("install", "gate", "decide", "drift", "fairness", "validation")
