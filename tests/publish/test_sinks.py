"""Every sink on every example report: golden files, limits, and the order in which things are said."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rich.console import Console

from ml_compliance import plugins
from ml_compliance.model import Artifact, Evidence, Json, Measurement, Report
from ml_compliance.publish import console, document, html, markdown
from ml_compliance.publish._numbers import between, fixed, number
from tests.publish import reports

GOLDEN = Path(__file__).parents[1] / "golden"
RENDER: dict[str, Callable[[Report], Artifact]] = {
    "console": console.render,
    "markdown": markdown.render,
    "document": document.render,
    "html": html.render,
}
REPORTS: dict[str, Callable[[], Report]] = {
    "denied": reports.denied,
    "allowed": reports.allowed,
    "not_evaluated": reports.not_evaluated,
    "huge": reports.huge,
    "hostile": reports.hostile,
}


@pytest.mark.parametrize("sink", RENDER)
def test_golden(sink: str) -> None:
    artifact = RENDER[sink](reports.denied())
    path = GOLDEN / "publish" / f"denied.{artifact.name}"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text, encoding="utf-8")
    assert artifact.text == path.read_text(encoding="utf-8"), "UPDATE_GOLDEN=1 writes it anew"


def test_every_sink_is_tested_and_says_what_it_is() -> None:
    assert set(RENDER) <= set(plugins.names("publish"))
    assert all(plugins.summary("publish", name) for name in RENDER)


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("sink", RENDER)
def test_rendering_is_a_function(sink: str, name: str) -> None:
    report = REPORTS[name]()
    assert RENDER[sink](report) == RENDER[sink](report)


@pytest.mark.parametrize("sink", ["console", "markdown", "html"])
@pytest.mark.parametrize("name", ["denied", "allowed", "not_evaluated"])
def test_the_verdict_comes_first(sink: str, name: str) -> None:
    text = RENDER[sink](REPORTS[name]()).text.lower()
    body = text[text.find("<body>") :] if sink == "html" else text
    assert name.replace("_", " ") in body[:400]


@pytest.mark.parametrize("sink", ["console", "markdown", "html"])
def test_findings_are_said_with_line_and_remedy(sink: str) -> None:
    text = RENDER[sink](reports.denied()).text
    places = [text.index(f"compliance_policy.yaml:{line}") for line in (12, 31, 40)]
    assert places == sorted(places)
    assert "retrain with a parity constraint" in text
    assert "feature_store_version is missing" in text
    assert "waivers.yaml:3" in text


@pytest.mark.parametrize("sink", ["console", "markdown", "html"])
def test_the_most_severe_violation_is_first(sink: str) -> None:
    text = RENDER[sink](reports.huge(violations=100, groups=5)).text
    assert text.index("fairness_policy_00099") < text.index("fairness_policy_00000")


@pytest.mark.parametrize("sink", ["console", "markdown", "html"])
def test_a_reason_is_shown_where_there_is_no_number(sink: str) -> None:
    text = RENDER[sink](reports.not_evaluated()).text
    assert "holds only nulls" in text
    assert "no model is configured" in text
    assert "0.000" not in text


@pytest.mark.parametrize("sink", RENDER)
def test_a_new_measurement_module_appears_without_a_change(sink: str) -> None:
    odd = Evidence("carbon", "measured", (Measurement("carbon/kilograms", 12.5, n=3),), facts={"region": "north"})
    report = replace(reports.denied(), evidence=(*reports.evidence(), odd))
    text = RENDER[sink](report).text
    assert "carbon" in text
    assert "12.5" in text


@pytest.mark.parametrize("sink", RENDER)
def test_nothing_measured_at_all(sink: str) -> None:
    report = Report("p", "", reports.decision(verdict="not_evaluated", violations=(), errors=("no data",)), (), {}, ())
    assert "no data" in RENDER[sink](report).text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
FACTS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            "model",
            "git",
            "data_card",
            "artifacts",
            "training_features",
            "suites",
            "schema_drift",
            "report",
            "technique",
        ),
        JSON | st.lists(st.fixed_dictionaries({}, optional={"expectations": JSON, "kwargs": JSON, "column": JSON})),
    ),
)


@pytest.mark.parametrize("sink", RENDER)
@given(facts=FACTS)
@settings(max_examples=30, deadline=None)
def test_facts_of_any_shape_can_be_shown(sink: str, facts: dict[str, Json]) -> None:
    found = tuple(Evidence(name, "measured", facts=facts) for name in ("data", "explainability", "lineage", "own"))
    assert RENDER[sink](replace(reports.denied(), evidence=found)).text


def test_console_prints_every_violation() -> None:
    text = console.render(reports.huge()).text
    assert all(f"fairness_policy_{place:05d}" in text for place in range(5_000))


def test_console_numbers_line_up() -> None:
    lines = console.render(reports.denied()).text.splitlines()
    groups = [line for line in lines if line.strip().startswith(("Black ", "Hispanic ", "white "))]
    assert len(groups) == 3
    assert len({line.index(".") for line in groups}) == 1
    assert len({len(line) for line in groups}) == 1


def test_console_colour_only_repeats_words() -> None:
    file = io.StringIO()
    console.show(reports.denied(), Console(file=file, width=console.WIDTH, force_terminal=True, _environ={}))
    assert "\x1b[" in file.getvalue()
    silent = io.StringIO()
    console.show(
        reports.denied(), Console(file=silent, width=console.WIDTH, force_terminal=True, _environ={"NO_COLOR": "1"})
    )
    assert "\x1b[3" not in silent.getvalue()


def test_console_runs_no_workflow_command() -> None:
    for line in console.render(reports.hostile()).text.splitlines():
        assert not line.strip().startswith("::")
        assert "##[" not in line
        assert "\x1b" not in line


@pytest.mark.parametrize("name", REPORTS)
def test_document_is_valid(name: str) -> None:
    Draft202012Validator.check_schema(document.REPORT_SCHEMA)
    found = json.loads(document.render(REPORTS[name]()).text)
    if name == "hostile":  # Sinks neutralise even this id, which the schema refuses.
        found["decision"]["id"] = "0" * 64
    Draft202012Validator(document.REPORT_SCHEMA).validate(found)


@pytest.mark.parametrize("name", REPORTS)
def test_markdown_fits_into_a_comment(name: str) -> None:
    assert len(markdown.render(REPORTS[name]()).text.encode()) <= markdown.LIMIT


def test_markdown_fits_however_long_the_texts() -> None:
    long = replace(reports.DISPARITY, message="&" * 10_000, policy="`" * 10_000, remedy="\u2028é" * 10_000)
    modules = tuple(Evidence(f"m{place}" + "<" * 500, "error", reason=">" * 5_000) for place in range(300))
    verdict = reports.decision(violations=(long,) * 500, warnings=(long,) * 500, errors=("<" * 5_000,) * 300)
    report = replace(reports.report(verdict, ()), evidence=modules, project="|" * 9_000, model="|" * 9_000)
    text = markdown.render(report).text
    assert len(text.encode()) <= markdown.LIMIT
    assert "more errors in `report.html`" in text
    assert "more sections in `report.html`" in text


def test_markdown_counts_what_it_leaves_out() -> None:
    text = markdown.render(reports.huge()).text
    shown = text.count("**selection rate differs by race**")
    assert f"{5_000 - shown:,} more violations in `report.html`" in text
    assert shown > 50


def test_markdown_mentions_nobody() -> None:
    assert not re.search(r"@\w", markdown.render(reports.hostile()).text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (0.2165, "0.216"),
        (1234.0, "1,234"),
        (12345.6, "12,346"),
        (0.00001234, "1.23e-05"),
        (-0.5, "-0.5"),
        (1e300, "1e+300"),
        (float("inf"), "inf"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


def test_small_numbers_do_not_become_zero() -> None:
    assert fixed(0.00001) == "1.0e-05"
    assert fixed(0.0) == "0.000"
    assert between((-0.02, 0.1)) == "-0.020 to 0.100"


@pytest.mark.parametrize("sink", ["console", "markdown"])
def test_what_nobody_missed_is_named_in_one_line(sink: str) -> None:
    absent = tuple(Evidence(name, "missing", reason=f"no {name} is named") for name in ("champion", "image"))
    report = replace(reports.denied(), evidence=(*reports.evidence(), *absent))
    text = RENDER[sink](report).text
    assert "not measured: champion, image; report.html says why" in text
    assert "no image is named" not in text
    silent = replace(report, decision=reports.not_evaluated().decision)
    assert "no image is named" in RENDER[sink](silent).text
