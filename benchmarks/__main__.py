"""`python -m benchmarks`: all of them, the quick ones first."""

from benchmarks import harness

harness.main("install", "gate", "drift", "fairness", "validation")
