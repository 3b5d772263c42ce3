"""Text from models, data sets, policies and repositories, made harmless for the place where it is shown."""

from __future__ import annotations

import re
import unicodedata

_JOINERS = "\u200c\u200d"  # Needed to write Persian and Indic names, and without power over direction.
_WORD = re.compile(r"[^\W\d_]{2,}")
_LIKE_LATIN = re.compile(
    # Cyrillic and Greek letters whose usual form is that of a Latin one.
    "[\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425"
    "\u0423\u0430\u0435\u0456\u0458\u043e\u0440\u0441\u0455\u0443\u0445\u04bb\u0501\u051b\u051d"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd\u03c1]"
)
_UNUSUAL = re.compile(r"[^\n -~]")
BREAK = "\u200b"
"""What nobody sees, and what keeps the signs on its sides from meaning something together."""
_MARKDOWN = re.compile(r"[\\`*\[\]<>&|~$^{]|(?<![^\W_])_|_(?![^\W_])|:(?=:)")
# What GitHub and GitLab link or replace after entities are decoded: mentions, numbers of issues and so on, addresses,
# references in brackets, emoji. Mathematics begins at a dollar behind a space, so that is broken on both sides.
_LINKED = re.compile(
    r"@|[#!~%&^](?=[\w\"])|[\[*](?=[\w\[])|:(?=//|[\w+-]+(?::|$))|(?<=mailto):|(?<=xmpp):"
    r"|(?<=www)(?=\.)|(?<=GH)(?=-\d)|(?<=GHSA)(?=-)",
    re.IGNORECASE,
)
_COMMIT = re.compile(r"(?<![^\W_])[0-9a-f]{7,40}(?![^\W_])", re.IGNORECASE)
_SHORTER_THAN_A_COMMIT = re.compile(r".{6}(?=.)")
_WORKFLOW_COMMAND = re.compile(r":(?=:)|#(?=#\[)")


def plain(text: str) -> str:
    """One line of visible text: white space becomes one space, control and direction characters `\\u202e`."""
    return visible(" ".join(text.split()))


def visible(text: str) -> str:
    """The same text with control and direction characters made visible; line feeds and spaces are kept.

    So are letters that make a word look like one in Latin letters: the Cyrillic \u0441 of ra\u0441e becomes `\\u0441`.
    """
    if not text.isascii():
        text = _WORD.sub(lambda found: _undisguised(found.group()), text)
    return _UNUSUAL.sub(lambda found: _visible(found.group()), text)


def _undisguised(word: str) -> str:
    shown = _LIKE_LATIN.sub(lambda found: f"\\u{ord(found.group()):04x}", word)
    # A word of which other letters are not Latin either looks like what it is.
    return shown if all(sign.isascii() for sign in shown) else word


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Zl", "Zp") or character in "\t\r":
        return " "
    code_point = ord(character)
    is_no_character = (
        code_point & 0xFFFE == 0xFFFE or 0xFDD0 <= code_point <= 0xFDEF
    )  # Neither HTML nor XML may hold it.
    if category in ("Cc", "Cs") or is_no_character or (category == "Cf" and character not in _JOINERS):
        return f"\\u{code_point:04x}"
    return character


def clip(text: str, length: int) -> str:
    """At most `length` characters, the last one an ellipsis when something is cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def terminal(text: str) -> str:
    """`plain`, and no workflow command: a CI runner obeys `::…` at the start and `##[…` anywhere in a line."""
    return _WORKFLOW_COMMAND.sub(lambda found: found.group() + BREAK, plain(text))


def message(text: str) -> str:
    """As `terminal`, for several lines: line feeds and spaces are kept."""
    return _WORKFLOW_COMMAND.sub(lambda found: found.group() + BREAK, visible(text))


def markdown(text: str) -> str:
    """Prose for Markdown inside a paragraph, a table cell or an HTML element; never the start of a block.

    Entities are used, since a backslash is shown as it is inside HTML. Mentions, references, addresses and emoji
    are recognised after entities are decoded, so an invisible break keeps them from being linked.
    """
    broken = _COMMIT.sub(lambda found: _SHORTER_THAN_A_COMMIT.sub(rf"\g<0>{BREAK}", found.group()), plain(text))
    broken = _LINKED.sub(lambda found: found.group() + BREAK, broken).replace("$", f"{BREAK}${BREAK}")
    return _MARKDOWN.sub(lambda found: f"&#{ord(found.group())};", broken)


def code(text: str) -> str:
    """A Markdown code span for a name, a path or a digest; prose where a code span cannot carry it."""
    line = plain(text)
    if not line or "`" in line or "|" in line or "::" in line or "##[" in line:
        return markdown(text)
    return f"`{line}`"
