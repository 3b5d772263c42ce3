"""What waivers cost grows with the violations, and not with their square."""

from __future__ import annotations

import copy
import resource
import time
from collections.abc import Callable
from typing import Any

import pytest

from ml_compliance.decide import Request, binary, embedded
from tests.policies import cases

WAIVERS = 10


def _request(violations: int) -> Request:
    """That many groups below the limit, each with a number of its own, and waivers of which each covers them all."""
    submission = copy.deepcopy(cases.ALLOWED)
    evidence = submission["input"]["evidence"]["performance"]
    evidence["measurements"] += [
        {"name": "performance/accuracy", "status": "measured", "value": 0.1 + place / 1e6,
         "slice": {"race": f"group {place}"}, "n": 100, "positives": 50, "negatives": 50}
        for place in range(violations)
    ]  # fmt: skip
    evidence["coverage"]["measurements"] = len(evidence["measurements"])
    anything = {"slice": "any", "across": "any", "coverage": {"slice": "any", "across": "any"}, "ceiling": 0.05}
    waiver = {**cases.WAIVER, "rule": "performance.too_low", "policy": "good", **anything}
    submission["input"]["waivers"] = [waiver] * WAIVERS
    return Request(submission, cases.law(cases.POLICIES[2], waivers={}))


def _seconds(engine: Any, violations: int, clock: Callable[[], float]) -> float:
    request = _request(violations)
    found = list[float]()
    for _ in range(3):
        start = clock()
        answer = engine.evaluate(request)
        found.append(clock() - start)
        assert answer.result["allow"]
        assert len(answer.result["waived"]) == violations
    return min(found)


def _children() -> float:
    """Seconds of the processor that programs started from here have taken."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime


@pytest.mark.parametrize(("engine", "clock"), [(embedded, time.process_time), (binary, _children)])
def test_eight_times_as_many_violations_do_not_take_twenty_times_as_long(
    engine: Any, clock: Callable[[], float], opa: str
) -> None:
    """A square would be 64 times, a line 8."""
    assert _seconds(engine, 1600, clock) < 20 * _seconds(engine, 200, clock)
