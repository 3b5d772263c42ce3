"""What chance could explain is said where it was tested, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ml_compliance.model import Measurement
from ml_compliance.publish._chance import differs, level_of, note, p_text, verdict_of_chance
from tests import examples
from tests.publish import reports


def _tested(**test: Any) -> Any:
    fairness = reports.fairness()
    measured = tuple(
        replace(item, method={**item.method, "tests": [{"limit": 0.05, **test}]})
        if item.name == reports.DISPARITY.measurement else item
        for item in fairness.measurements
    )  # fmt: skip
    return reports.report(reports.decision(), (replace(fairness, measurements=measured),))


def test_a_finding_says_whether_it_is_more_than_chance() -> None:
    assert verdict_of_chance(_tested(p=0.003, p_adjusted=0.0123), reports.DISPARITY) == (
        "beyond the limit by more than chance: p 0.003, adjusted 0.012"
    )
    assert verdict_of_chance(_tested(p=0.03, p_adjusted=0.06), reports.DISPARITY) == (
        "not beyond the limit by more than chance: p 0.03, adjusted 0.06"
    )


@pytest.mark.parametrize("test", [{}, {"p": 0.01}, {"p": "0.01", "p_adjusted": "0.01"}, {"p": True, "p_adjusted": 0.1}])
def test_what_was_not_tested_is_not_spoken_of(test: Any) -> None:
    assert verdict_of_chance(_tested(**test), reports.DISPARITY) == ""


def test_another_limit_is_another_test() -> None:
    assert verdict_of_chance(_tested(p=0.01, p_adjusted=0.01), replace(reports.DISPARITY, limit=0.04)) == ""
    assert verdict_of_chance(_tested(p=0.01, p_adjusted=0.01), reports.LINEAGE) == ""


def test_only_what_is_at_most_the_level_differs() -> None:
    def rate(p: Any) -> Measurement:
        return Measurement(
            "fairness/selection_rate", 0.5, slice={"race": "a"}, method={"against_rest": {"p_adjusted": p}}
        )

    level = level_of(examples.fairness())
    assert [differs(rate(p), level) for p in (0.01, 0.05, 0.051, "0.01", None)] == [True, True, False, False, False]
    assert not differs(rate(0.0), level_of(examples.performance()))
    assert note(examples.performance()) == ""
    assert "adjusted for 4 tests" in note(examples.fairness())


@pytest.mark.parametrize(("p", "text"), [(0.00099, "< 0.001"), (0.001, "0.001"), (0.0361, "0.036"), (1.0, "1")])
def test_a_p_value_is_shown_to_two_digits(p: float, text: str) -> None:
    assert p_text(p) == text
