"""The page: well-formed, self-contained, accessible, and honest about what it leaves out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from ml_compliance.model import Measurement, Report
from ml_compliance.publish import html
from tests import examples
from tests.publish import reports

REPORTS: dict[str, Callable[[], Report]] = {
    "denied": reports.denied,
    "allowed": reports.allowed,
    "not_evaluated": reports.not_evaluated,
    "huge": reports.huge,
    "hostile": reports.hostile,
}
CSS = (Path(html.__file__).parent / "_report.css").read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=REPORTS)
def text(request: pytest.FixtureRequest) -> str:
    return html.render(REPORTS[request.param]()).text


def parse(text: str) -> Element:
    """The tree; any parse error fails."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(text)
    assert isinstance(tree, Element)
    return tree


@pytest.fixture(scope="module")
def tree(text: str) -> Element:
    return parse(text)


def local(element: Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def test_it_is_well_formed(tree: Element) -> None:
    assert tree.get("lang") == "en"


def test_it_needs_nothing_from_outside(tree: Element, text: str) -> None:
    for element in tree.iter():
        assert local(element) not in ("script", "link", "iframe", "img", "object", "form", "base", "audio", "video")
        for name, value in element.attrib.items():
            assert not str(name).lower().startswith("on")
            assert str(name) != "style"
            if str(name).endswith(("href", "src")):
                assert re.fullmatch(r"#[\w-]+|[\w.-]+\.html", value)
    assert "@import" not in text
    assert "url(" not in text


def test_headings_descend_in_order(tree: Element) -> None:
    levels = [int(local(element)[1]) for element in tree.iter() if re.fullmatch("h[1-6]", local(element))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_landmarks_labels_and_ids(tree: Element) -> None:
    elements = list(tree.iter())
    named = [element.get("id") for element in elements if element.get("id")]
    ids = set(named)
    assert len(ids) == len(named)
    assert [local(element) for element in elements].count("main") == 1
    assert {"header", "nav", "footer"} <= {local(element) for element in elements}
    for element in elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert element.get(name) is None or element.get(name) in ids
        if local(element) == "th":
            assert element.get("scope") in ("row", "col")
        if local(element) == "table":
            assert any(local(child) == "caption" for child in element)
        if local(element) == "svg":
            assert [local(child) for child in element][:2] == ["title", "desc"]
            assert element.get("role") == "img"
        href = element.get("href")
        if href and href.startswith("#"):
            assert href[1:] in ids


def test_no_control_or_direction_character(text: str) -> None:
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)


def test_a_page_for_the_demo_is_small() -> None:
    assert len(html.render(reports.denied()).text.encode()) < 100_000


def test_a_group_without_cases_has_no_bar() -> None:
    tree = parse(html.render(reports.denied()).text)
    chart = next(
        element
        for element in tree.iter()
        if local(element) == "figure" and "True positive rate by race" in "".join(element.itertext())
    )
    bars = [element for element in chart.iter() if local(element) == "rect"]
    assert len(bars) == 3
    assert "Asian: not estimable" in "".join(chart.itertext())


def test_bars_and_intervals_are_drawn_to_scale() -> None:
    text = html.render(reports.denied()).text
    chart = text[text.index("Selection rate by race</figcaption>") :]
    widths = [float(width) for width in re.findall(r'<rect class="bar"[^>]*width="([\d.]+)"', chart)[:3]]
    assert [round(width / 312, 2) for width in widths] == [0.68, 0.76, 0.90]
    first = re.search(r'class="interval" d="M([\d.]+) [\d.]+v7m0-3.5H([\d.]+)m', chart)
    assert first is not None
    assert [round(float(end) / 312, 2) for end in first.groups()] == [0.58, 0.78]


def test_a_thousand_groups_are_cut_down_and_counted() -> None:
    text = html.render(reports.huge()).text
    assert "the lowest, the highest and the largest 12 of 1,000 groups" in text
    assert "788 further groups are not listed here" in text
    assert text.count("<article") == 200 + 3
    assert text.count("law.yaml:") == 5_000


def test_a_rate_without_any_value_is_said_once() -> None:
    unscored = tuple(
        Measurement("performance/brier", None, "not_estimable", slice={"race": group}, reason="no score column")
        for group in ("Black", "white")
    )
    performance = replace(examples.performance(), measurements=(*examples.performance().measurements, *unscored))
    found = tuple(performance if item.name == "performance" else item for item in reports.evidence())
    text = html.render(replace(reports.denied(), evidence=found)).text
    assert "Without a value: brier (no score column)" in text
    assert text.count("no score column") == 1


def test_groups_that_were_not_compared_are_hollow_and_said_to_be() -> None:
    method: dict[str, Any] = {"excluded": [{"slice": {"race": "Black"}, "n": 79}]}
    fairness = reports.fairness()
    changed = tuple(replace(item, method=method) if item.across else item for item in fairness.measurements)
    found = tuple(
        replace(fairness, measurements=changed) if item.name == "fairness" else item for item in reports.evidence()
    )
    text = html.render(replace(reports.denied(), evidence=found)).text
    assert text.count('class="hollow"') == 3
    assert "n 79, not compared" in text
    assert "<bdi>Hispanic</bdi> 0.765 · " in text
    assert "<bdi>Black</bdi>" not in text


def test_only_a_plain_file_name_is_linked() -> None:
    assert html._page_beside({"report": {"path": "explainability.html"}}) == "explainability.html"
    for path in ("javascript:alert(1).html", "//example.com/x.html", "../x.html", "http://example.com/x.html", 3, None):
        assert html._page_beside({"report": {"path": path}}) == ""


def luminance(colour: str) -> float:
    digits = colour * 2 if len(colour) == 3 else colour
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio of two hexadecimal colours."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", re.findall(r":root \{([^}]*)\}", CSS))
def test_contrast(theme: str) -> None:
    colours = dict(re.findall(r"--(\w+): #([0-9a-f]+)", theme))
    for name in ("ink", "soft", "denied", "allowed", "not_evaluated", "link"):
        assert contrast(colours[name], colours["paper"]) >= 4.5, name
        assert contrast(colours[name], colours["tint"]) >= 4.5, name
    assert contrast(colours["bar"], colours["paper"]) >= 3
    assert contrast(colours["bar"], colours["ink"]) >= 3
