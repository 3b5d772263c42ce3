"""Text from outside stays text: properties of the neutralisation."""

from __future__ import annotations

import html as stdlib_html
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ml_compliance.publish._text import clip, code, markdown, message, plain, terminal
from tests.publish.reports import HOSTILE

TEXT = st.one_of(
    st.text(),
    st.text(alphabet="@#!~%$&:/w.|`*_[]()<>\\\"' \n\rab1-=+{}^", max_size=40),
    st.lists(st.sampled_from(HOSTILE), max_size=3).map("".join),
)
COMMONMARK = MarkdownIt("gfm-like", {"html": True, "linkify": False})


def flat(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *flat(token.children or []))]


def visible(tokens: list[Token]) -> str:
    return "".join(token.content for token in flat(tokens) if token.type in ("text", "text_special", "code_inline"))


@given(TEXT)
@example("\u202egnp.exe")
@example("\ud800")
def test_plain_is_one_visible_line(text: str) -> None:
    line = plain(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in line)
    assert not re.search("[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]", line)
    assert plain(line) == line


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_plain_keeps_letters_numbers_and_signs(text: str) -> None:
    assert plain(text) == text


@given(st.text(), st.integers(1, 50))
def test_clip(text: str, length: int) -> None:
    assert len(clip(text, length)) <= length
    assert clip(text, len(text) + 1) == text


@given(TEXT)
def test_no_workflow_command_in_a_terminal_line(text: str) -> None:
    line = terminal(text)
    assert "\n" not in line
    for shown in (line, message(text)):
        assert "::" not in shown
        assert "##[" not in shown
        assert "\x1b" not in shown


def test_a_message_keeps_its_lines() -> None:
    assert message("a.csv: no\n  → see b.csv:2:1") == "a.csv: no\n  → see b.csv:2:1"


@given(TEXT)
def test_markdown_prose_is_text_and_nothing_else(text: str) -> None:
    tokens = COMMONMARK.parse(f"x {markdown(text)} y")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {token.type for token in tokens[1].children or []} <= {"text", "text_special"}
    shown = visible(tokens).replace("\u200b", "")
    assert shown == f"x {plain(text)} y".replace("\u200b", "")


@given(TEXT)
def test_markdown_prose_stays_in_its_table_cell(text: str) -> None:
    tokens = COMMONMARK.parse(f"| a | b |\n| - | - |\n| x {markdown(text)} | {code(text)} |\n")
    assert sum(token.type == "td_open" for token in tokens) == 2
    assert sum(token.type == "tr_open" for token in tokens) == 2
    assert not {token.type for token in flat(tokens)} & {"link_open", "image", "html_inline", "html_block", "em_open"}


@given(TEXT)
def test_markdown_prose_links_and_mentions_nothing(text: str) -> None:
    shown = stdlib_html.unescape(markdown(text))
    assert not re.search(r"@[\w\"]", shown)
    assert not re.search(r"[#!~%$&][\w\"]", shown)
    assert "://" not in shown
    assert not re.search(r"www\.", shown, re.IGNORECASE)
    assert "::" not in markdown(text)


@given(TEXT)
def test_markdown_is_harmless_inside_html(text: str) -> None:
    assert not re.search(r"[<>]", markdown(text))


@pytest.mark.parametrize("text", ["fairness_policy_001", "models:/loan-approval/1", "compliance_policy.yaml:12"])
def test_names_become_code_spans(text: str) -> None:
    assert code(text) == f"`{text}`"


def test_identifiers_stay_readable_in_prose() -> None:
    assert markdown("demographic_parity_difference is 0.216 (0.13–0.31), limit 0.05") == (
        "demographic_parity_difference is 0.216 (0.13–0.31), limit 0.05"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("r\u0430\u0441e", r"r\u0430\u0441e"),  # two letters of it are Cyrillic
        ("\u0440\u0430\u0441\u0435 = 1", r"\u0440\u0430\u0441\u0435 = 1"),  # all of them are
        ("\u039f\u039a", r"\u039f\u039a"),  # Greek
        ("\u041c\u043e\u0441\u043a\u0432\u0430", "\u041c\u043e\u0441\u043a\u0432\u0430"),  # Moscow, and nothing else
        ("\u0394x, \u03c7\u00b2, caf\u00e9, \u03bf", "\u0394x, \u03c7\u00b2, caf\u00e9, \u03bf"),
    ],
)
def test_a_word_that_looks_like_a_latin_one_is_shown_for_what_it_is(text: str, shown: str) -> None:
    assert plain(text) == terminal(text) == shown
