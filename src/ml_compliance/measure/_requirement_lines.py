"""The lines of requirements as pip reads them. What pip could read in another way than here is never passed over."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

# pip takes the encoding from the first two lines, as Python does: https://peps.python.org/pep-0263/
_CODING = re.compile(r"coding[:=]\s*([-\w.]+)", re.ASCII)
_COMMENT = re.compile(r"(^|\s)#.*$")
# Where the line is read, the variable may have any value, with blanks and options in it.
_VARIABLE = re.compile(r"\$\{")
# An option is one word of its own, in full: pip also takes --req for --requirement, several options on a line, and
# quotes as a shell does.
_VALUE = r"([^\s\"'\\-][^\s\"'\\]*)"
_INCLUDES = re.compile(rf"(?:-r[ \t]*|--requirement(?:=|[ \t]+)){_VALUE}")
_CONSTRAINS = re.compile(rf"(?:-c[ \t]*|--constraint(?:=|[ \t]+)){_VALUE}")
_EDITABLE = re.compile(r"(?:-e\s*|--editable[\s=]\s*)(\S.*)")
_HARMLESS = re.compile(
    r"--(?:no-index|pre|prefer-binary|require-hashes)|"
    r"(?:-[if][ \t]+|--(?:index-url|extra-index-url|find-links|trusted-host|only-binary|no-binary)(?:=|[ \t]+))"
    + _VALUE
)  # fmt: skip
# Options of one requirement, from the first word that begins with a dash.
_OPTIONS = re.compile(r" -.*$")


class Kind(StrEnum):
    """What a line asks of pip."""

    REQUIREMENT = "requirement"
    INCLUDE = "include"
    CONSTRAINT = "constraint"
    EDITABLE = "editable"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Line:
    """A line that installs something or names a file: its kind, and the requirement, the file, or the whole line."""

    kind: Kind
    text: str


def lines(text: str) -> Iterator[Line]:
    """What a requirements file says, without comments and options that install nothing.

    Raises ValueError where the first lines name an encoding other than UTF-8.
    """
    _refuse_encodings(text)
    return (found for line in _joined(text) if (found := _read(line)) is not None)


def entries(texts: list[str]) -> Iterator[Line]:
    """The same of a list in YAML, whose entries become the lines of a file: each has to be one line."""
    _refuse_encodings("\n".join(texts))
    for text in texts:
        if len(text.splitlines()) > 1 or text.endswith("\\"):
            yield Line(Kind.UNREADABLE, text)
        else:
            yield from lines(text)


def _refuse_encodings(text: str) -> None:
    for line in text.split("\n")[:2]:
        named = _CODING.search(line) if line.startswith("#") else None
        try:
            if named and codecs.lookup(named[1]).name != "utf-8":
                raise ValueError(f"its encoding is {named[1]}")
        except LookupError as error:
            raise ValueError(str(error)) from error


def _joined(text: str) -> Iterator[str]:
    """Lines that end in a backslash are joined with the next one, except comments, which then end the line."""
    parts: list[str] = []
    for line in text.splitlines():
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            parts.append(line.strip("\\"))
            continue
        yield "".join((*parts, " " if is_comment else "", line))
        parts.clear()
    yield "".join(parts)


def _read(joined: str) -> Line | None:
    line = _COMMENT.sub("", joined).strip()
    if not line:
        return None
    if _VARIABLE.search(line):
        return Line(Kind.UNREADABLE, line)
    if not line.startswith("-"):
        return Line(Kind.REQUIREMENT, _OPTIONS.sub("", line))
    for kind, pattern in ((Kind.INCLUDE, _INCLUDES), (Kind.CONSTRAINT, _CONSTRAINS), (Kind.EDITABLE, _EDITABLE)):
        if found := pattern.fullmatch(line):
            return Line(kind, found[1])
    return None if _HARMLESS.fullmatch(line) else Line(Kind.UNREADABLE, line)
