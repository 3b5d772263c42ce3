"""What of the disparities chance alone could explain: the p-values in the evidence, in words."""

from __future__ import annotations

from ml_compliance.model import Evidence, Finding, Json, Measurement, Report
from ml_compliance.publish._view import mapping, mappings, measurement_of

MARK = "‡"
_TINY = 0.001


def verdict_of_chance(report: Report, finding: Finding) -> str:
    """Whether the disparity that `finding` is about lies beyond its limit by more than chance; empty if not tested."""
    measured = measurement_of(report, finding)
    if measured is None or finding.limit is None:
        return ""
    for test in mappings(measured.method.get("tests")):
        p, adjusted = _number(test.get("p")), _number(test.get("p_adjusted"))
        if _number(test.get("limit")) == finding.limit and p is not None and adjusted is not None:
            level = level_behind(report, finding)
            said = f"beyond the limit by more than chance: p {p_text(p)}, adjusted {p_text(adjusted)}"
            return said if adjusted <= level else f"not {said}"
    return ""


def note(evidence: Evidence) -> str:
    """What the mark at a group's rate means; empty when no group was tested."""
    tested = mapping(mapping(evidence.facts.get("significance")).get("groups"))
    if not tested.get("tests"):
        return ""
    return (
        f"{MARK} differs from all other groups together by more than chance: p, adjusted for {tested['tests']} tests, "
        f"is at most {level_of(evidence):g}"
    )


def differs(measurement: Measurement, level: float) -> bool:
    """Whether a group's rate differs from all other groups together by more than chance."""
    adjusted = _number(mapping(measurement.method.get("against_rest")).get("p_adjusted"))
    return adjusted is not None and adjusted <= level


def level_of(evidence: Evidence) -> float:
    """The level of significance that the measurement states; below every p-value when it states none."""
    level = _number(mapping(evidence.facts.get("significance")).get("level"))
    return -1.0 if level is None else level


def p_text(p: float) -> str:
    """`0.003`, `< 0.001`."""
    return f"< {_TINY:g}" if p < _TINY else f"{p:.2g}"


def level_behind(report: Report, finding: Finding) -> float:
    """The level of significance of the measurement module that `finding` rests on."""
    module = finding.measurement.split("/", 1)[0]
    return next((level_of(item) for item in report.evidence if item.name == module), -1.0)


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
