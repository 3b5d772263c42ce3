"""The report as one self-contained page: `report.html`, without scripts and without the network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_compliance.model import Artifact, Decision, Evidence, Json, Measurement, Report
from ml_compliance.publish import _chance, _charts, _facts
from ml_compliance.publish._groups import CHARTED, groups_behind, sets_by_module
from ml_compliance.publish._numbers import NONE, between, counted, fixed, number, percent
from ml_compliance.publish._text import clip, visible
from ml_compliance.publish._view import (
    NEW,
    VERDICTS,
    about,
    are_new,
    changes,
    counts,
    dataset,
    detail,
    finding_value,
    glance,
    headline,
    law_changes,
    mapping,
    measurement_of,
    ordered,
    parts,
    short_name,
    subject,
    value_text,
)

if TYPE_CHECKING:
    from jinja2 import Environment

_SHIPPED = ("fairness", "performance", "explainability", "data", "lineage")
_FEATURES_CHARTED = 15
_LISTED = 200
_IN_FULL = 200
_ROWS = 5_000
"""Rows of one table: with 50,000, a browser needs seconds for every scroll."""
_LONG = 4_000
"""Characters of one text; `report.json` has it whole."""
_PAGE_BESIDE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.html")


def render(report: Report) -> Artifact:
    """`report.html`: verdict, violations, what was not judged, then all evidence and its origin."""
    found = {item.name: item for item in report.evidence}
    page = _environment().get_template("_report.html.j2")
    sets = sets_by_module(report)
    performance = found.get("performance")
    sections = {
        "sets": sets,
        "fairness": sets.get("fairness", ()),
        "performance": tuple(item for item in performance.measurements if not item.slice) if performance else (),
        "performance_by_group": sets.get("performance", ()),
        "shap": _shap(found.get("explainability")),
        "others": tuple(item for item in report.evidence if item.name not in _SHIPPED),
        "law": _law(report),
    }
    text = page.render(
        report=report,
        decision=report.decision,
        parts=parts(report),
        changes=changes(report),
        new=are_new(report),
        law_changes=law_changes(report.decision),
        violations=ordered(report.decision.violations),
        in_full=_IN_FULL,
        rows=_ROWS,
        dataset=dataset(report),
        evidence=found,
        listed=_LISTED,
        **sections,
    )
    return Artifact("report.html", re.sub(r"\n\s*\n", "\n", visible(text)).strip() + "\n")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_bounded,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        VERDICTS=VERDICTS, NEW=NEW,
        NONE=NONE, CHARTED=CHARTED, facts=_facts, chance=_chance, about=about, counts=counts,
        detail=detail, glance=glance, headline=headline, subject=subject, ordered=ordered,
        measurement_of=measurement_of, groups_behind=groups_behind, page_beside=_page_beside,
        rate_chart=_charts.rate_chart, strip=_charts.strip, chart_width=_charts.WIDTH,
    )  # fmt: skip
    filters: dict[str, Any] = {
        "between": between, "counted": counted, "fixed": fixed, "number": number, "percent": percent,
        "short_name": short_name, "value_text": value_text, "finding_value": finding_value,
        "coordinate": _coordinate, "inside": _inside,
    }  # fmt: skip
    environment.filters.update(filters)
    return environment


def _bounded(value: object) -> object:
    """What the template is given as text, cut; what it has made itself is Markup, and whole."""
    return value if hasattr(value, "__html__") else clip(str(value), _LONG)


def _coordinate(value: float) -> str:
    return f"{value:.4g}"


def _inside(value: float, half: float = 44) -> str:
    """Where a centred label of about 88 units stays inside the drawing."""
    return _coordinate(min(max(value, half), _charts.WIDTH - half))


def _shap(evidence: Evidence | None) -> tuple[_charts.BarChart | None, tuple[Measurement, ...]]:
    """The chart of the most important features, and every feature by importance."""
    measured = [] if evidence is None else [item for item in evidence.measurements if "feature" in item.slice]
    ranked = sorted(measured, key=lambda item: (-(item.value or 0.0), item.slice["feature"]))
    rows = [(item.slice["feature"], item.value, item.interval) for item in ranked if item.value is not None]
    chart = _charts.value_chart("Mean absolute SHAP value by feature", rows[:_FEATURES_CHARTED]) if rows else None
    return chart, tuple(ranked)


def _page_beside(facts: Mapping[str, Json]) -> str:
    """The file name of the explainability page when it lies beside the report; else empty, and nothing is linked."""
    path = mapping(facts.get("report")).get("path")
    return path if isinstance(path, str) and _PAGE_BESIDE.fullmatch(path) else ""


def _law(report: Report) -> Sequence[tuple[Mapping[str, Json], str]]:
    """Each item of the law with what came of it."""
    decision = report.decision
    every = (decision.violations, decision.insufficient, decision.warnings, decision.waived)
    by_policy = [Counter(finding.policy for finding in findings) for findings in every]
    return [
        (item, _outcome(decision, [found[str(item.get("id") or "")] for found in by_policy]))
        for item in report.law[:_ROWS]
    ]


def _outcome(decision: Decision, found: Sequence[int]) -> str:
    """In words; `found` counts violations, lacks of evidence, warnings and what is waived."""
    violations, insufficient, warnings, waived = found
    kinds = (
        (violations, "violation", ""),
        (insufficient, "not enough evidence", "not enough evidence"),
        (warnings, "warning", ""),
        (waived, "waived", "waived"),
    )
    said = [counted(count, noun, plural) for count, noun, plural in kinds if count]
    if decision.verdict == "not_evaluated" and not said:
        return "not evaluated"
    return ", ".join(([] if violations or waived or decision.verdict == "not_evaluated" else ["satisfied"]) + said)
