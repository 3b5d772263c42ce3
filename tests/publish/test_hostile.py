"""Whatever a model, a feature or a policy is called, no sink says it in a way that somebody obeys."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ml_compliance import plugins
from ml_compliance.model import Report
from ml_compliance.publish import (
    check_run,
    codequality,
    console,
    container_scanning,
    html,
    junit,
    markdown,
    sarif,
    snapshot,
    summary,
)
from ml_compliance.publish._text import plain
from tests.publish import hostile, reports

MIXED = st.lists(st.sampled_from([text for text in hostile.STRINGS if len(text) < 100]), min_size=1, max_size=5)
SEPARATORS = st.sampled_from(["", " ", "\n", "|", "`", "\\", "&", "*", "_", "a", "1", "(", "/"])

# Tags that the Markdown sinks write, or that a paragraph, a list and a table of theirs become.
OURS = {
    "html", "head", "body", "h3", "p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "br", "b",
    "code", "details", "summary",
}  # fmt: skip
# Written from https://docs.github.com/get-started/writing-on-github and https://docs.gitlab.com/user/markdown/: what is
# made of the text of a rendered page, outside of code.
REFERENCES = {
    "mention": r"@[A-Za-z0-9]",
    "number": r"(?:#|\bGH-)\d",
    "GitLab reference": r"(?:[!$%&~]|\^alert\#)(?:\d|\w|\")",
    "reference in brackets": r"\[[a-z_]+:|\[\[|\*iteration:",
    "commit": r"\b[0-9a-fA-F]{7,40}\b",
    "advisory": r"\bGHSA-\w",
    "address": r"(?i)\b(?:https?|ftp|javascript|data|vbscript|mailto|xmpp)://|\bwww\.\w",
    "e-mail": r"[\w.+-]+@[\w-]+\.\w",
    "emoji": r":[\w+-]+:",
    "mathematics": r"(?:^|\s)\$+\S.*?\S?\$|\$`",
    "footnote": r"\[\^\w+\]:",
}


@cache
def parser() -> MarkdownIt:
    """GitHub's Markdown with addresses made links; bare words like `report.html`, which GitHub leaves alone, are none.

    E-mail addresses are left to `REFERENCES`: this parser, unlike GitHub's, takes the invisible break for a letter.
    """
    made = MarkdownIt("gfm-like", {"html": True, "linkify": True})
    assert made.linkify is not None
    made.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    made.linkify.add("//", None)
    return made


def unusual(text: str) -> list[str]:
    """Control, direction and half characters; the line feed and the break that is ours are none."""
    return [
        one for one in text if one not in "\n\u200b\u200c\u200d" and unicodedata.category(one) in ("Cc", "Cf", "Cs")
    ]


def outside_code(element: Any, inside: bool = False) -> Iterator[str]:
    """The pieces of text of a page that a platform looks for references in."""
    inside = inside or element.tag == "code"
    if not inside:
        yield "".join(part for part in (element.text,) if part)
    for child in element:
        yield from outside_code(child, inside)
        if not inside and child.tail:
            yield child.tail


def live_in_markdown(text: str) -> list[str]:
    """What a reader's platform would make of a Markdown report beyond text, tables and folds."""
    page = html5lib.parse(parser().render(text), namespaceHTMLElements=False)
    found = [str(element.tag) for element in page.iter() if element.tag not in OURS]
    found += [f"{element.tag} {name}" for element in page.iter() for name in element.attrib if name != "style"]
    found += [f"style={value}" for element in page.iter() for value in element.attrib.values()
              if not re.fullmatch("text-align:(left|right)", value)]  # fmt: skip
    for piece in outside_code(page):
        found += [f"{kind}: {piece[:80]!r}" for kind, pattern in REFERENCES.items() if re.search(pattern, piece)]
    found += [f"quick action: {line[:40]}" for line in text.splitlines() if re.match(r"\s*/\w", line)]
    return found + unusual(text)


def shape(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Elements and names of attributes of a page, sorted since names are; any parse error fails."""
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    return sorted((str(element.tag), tuple(sorted(map(str, element.attrib)))) for element in page.iter())


def is_a_log(text: str) -> None:
    """What a runner prints: no command of GitHub, no section of GitLab, no escape sequence."""
    assert "::" not in text
    assert "##[" not in text
    assert unusual(text) == []


def strings(value: Any) -> Iterator[str]:
    """Every text in a JSON document, names of members too."""
    if isinstance(value, dict):
        yield from (text for pair in value.items() for one in pair for text in strings(one))
    elif isinstance(value, list):
        yield from (text for one in value for text in strings(one))
    elif isinstance(value, str):
        yield value


def test_there_are_more_than_two_hundred() -> None:
    assert len(set(hostile.STRINGS)) == len(hostile.STRINGS) > 200


@pytest.mark.parametrize(
    "text",
    ["@octocat", "see #1", "GH-1", "a@b.example", hostile.SHA, ":tada:", "www.evil.example", "$x$", "~bug", "[[home]]",
     "https://evil.example", "<b onclick=x>", "<img>", "[a](b)", "![a](b)", "*a*", "\u202ex", "/close", "[issue:1]"],
)  # fmt: skip
def test_the_reader_sees_what_is_live(text: str) -> None:
    assert live_in_markdown(text)


def test_the_reader_lets_harmless_reports_pass() -> None:
    for report in (reports.denied(), reports.allowed(), reports.not_evaluated()):
        assert live_in_markdown(markdown.render(report).text) == []


def check_markdown(report: Report) -> None:
    text = markdown.render(report).text
    assert live_in_markdown(text) == []
    run = json.loads(check_run.render(report).text)
    for longer in (summary.render(report).text, run["summary"]):
        assert longer == text or live_in_markdown(longer) == []
    for item in (run["title"], *(text for note in run["annotations"] for text in strings(note))):
        assert unusual(item) == []


def check_logs(report: Report) -> None:
    is_a_log(console.render(report).text)
    is_a_log(junit.render(report).text)
    for case in ET.fromstring(junit.render(report).text).iter():  # noqa: S314  what we wrote ourselves
        assert case.tag in {"testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out"}
        for text in (*case.attrib.values(), case.text or ""):
            is_a_log(text)


def check_json(report: Report) -> None:
    run = json.loads(sarif.render(report).text)["runs"][0]
    for text in strings(run):
        assert unusual(text) == []
        assert not re.search(r"\]\(|\{\d+\}", text)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"/?(?:[\w.~-]|%[0-9A-F]{2})*(?:/(?:[\w.~-]|%[0-9A-F]{2})+)*/?", uri)
    for issue in json.loads(codequality.render(report).text):
        for text in (issue["description"], issue["check_name"]):
            assert live_in_markdown(f"issue: {text}") == []
        is_a_log(issue["location"]["path"])
    scan = container_scanning.render(report)
    assert scan is not None
    for vulnerability in json.loads(scan.text)["vulnerabilities"]:
        for text in (vulnerability["description"], vulnerability.get("solution", "")):
            assert live_in_markdown(f"about: {text}") == []
    for text in strings(json.loads(scan.text)):
        assert unusual(text) == []
    before = json.loads(snapshot.render(report).text)
    assert len(before["violations"]) + before["violations_omitted"] == len(report.decision.violations)


@pytest.mark.parametrize("check", [check_markdown, check_logs, check_json])
@pytest.mark.parametrize("kind", ["GITHUB", "GITLAB", "MARKDOWN", "MARKUP", "COMMANDS", "UNICODE", "LONG"])
def test_nothing_is_live(kind: str, check: Any) -> None:
    for text in getattr(hostile, kind):
        try:
            check(reports.hostile(text))
        except AssertionError as error:
            error.add_note(f"when everything is called {text[:80]!r}")
            raise


@pytest.mark.parametrize("kind", ["GITHUB", "GITLAB", "MARKDOWN", "MARKUP", "COMMANDS", "UNICODE", "LONG"])
def test_a_page_has_the_shape_of_a_harmless_one(kind: str) -> None:
    texts = getattr(hostile, kind)
    page = html.render(reports.hostile(*texts)).text
    assert unusual(page) == []
    assert shape(page) == shape(html.render(reports.hostile(*(f"word{place}" for place in range(len(texts))))).text)


def test_every_file_can_be_written() -> None:
    for text in hostile.STRINGS:
        for name in plugins.names("publish"):
            assert plugins.load("publish", name).render(reports.hostile(text)).text.encode()


@settings(max_examples=25, deadline=None)
@given(MIXED, SEPARATORS)
def test_nothing_is_live_however_it_is_mixed(texts: list[str], separator: str) -> None:
    report = reports.hostile(separator.join(texts))
    check_markdown(report)
    check_logs(report)
    check_json(report)


def test_what_is_said_is_still_what_was_written() -> None:
    """Breaks are not seen: who reads a report reads the names of the model and of the policy."""
    for text in hostile.STRINGS:
        if len(text) < 100 and not unusual(text) and "\u200b" not in text and text == plain(text):
            finding = replace(reports.DISPARITY, title=text, policy="p")
            said = markdown.render(reports.report(reports.decision(violations=(finding,)))).text
            page = html5lib.parse(parser().render(said), namespaceHTMLElements=False)
            shown = "".join(page.itertext()).replace("\u200b", "")
            assert text in shown
