"""The verdict and the numbers that stand for all rows, for GitLab's metrics report: `metrics.txt`, as OpenMetrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ml_compliance.model import Artifact, Measurement, Report, Severity
from ml_compliance.publish._text import clip, terminal

_LONG = 200
_SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
_KINDS = ("violations", "warnings", "waived", "insufficient")


def render(report: Report) -> Artifact:
    """`metrics.txt`: gauges, of which a merge request shows those that differ from the target branch.

    Groups are left out: a table of every slice is in the report, and every name here is a line in a merge request.
    """
    decision = report.decision
    lines = [
        *_family("ml_compliance_allowed", "1 when the policy allows the model, else 0."),
        _sample("ml_compliance_allowed", {}, int(decision.allow)),
        *_family("ml_compliance_findings", "Findings of the policy."),
    ]
    for kind in _KINDS:
        found = [finding.severity for finding in getattr(decision, kind)]
        lines += [
            _sample("ml_compliance_findings", {"kind": kind, "severity": severity}, found.count(severity))
            for severity in _SEVERITIES
        ]
    lines += [
        *_family("ml_compliance_errors", "What kept the policy from judging."),
        _sample("ml_compliance_errors", {}, len(decision.errors)),
        *_family("ml_compliance_measurement", "What was measured over all rows."),
        *_measurements(item for evidence in report.evidence for item in evidence.measurements),
    ]
    return Artifact("metrics.txt", "\n".join((*lines, "# EOF")) + "\n")


def _measurements(measurements: Iterable[Measurement]) -> list[str]:
    """One sample for each name and attributes that have a value; the first where hostile names become alike."""
    samples: dict[str, float] = {}
    for item in measurements:
        if item.value is not None and not item.slice:
            labels = {"name": item.name, "across": " × ".join(item.across)}
            samples.setdefault(_series("ml_compliance_measurement", labels), item.value)
    return [f"{series} {value!r}" for series, value in sorted(samples.items())]


def _family(name: str, told: str) -> tuple[str, str]:
    return f"# TYPE {name} gauge", f"# HELP {name} {told}"


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    return f"{_series(name, labels)} {value}"


def _series(name: str, labels: Mapping[str, str]) -> str:
    """GitLab takes the name of a series for its key, so a label without a value is left out."""
    written = ",".join(f'{label}="{_label(text)}"' for label, text in labels.items() if text)
    return f"{name}{{{written}}}" if written else name


def _label(text: str) -> str:
    return clip(terminal(text), _LONG).replace("\\", "\\\\").replace('"', '\\"')
