"""Dockerfiles: their instructions, the images that they start from, and the labels of what they build."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_PINNED = re.compile(r"@sha256:[0-9a-f]{64}$")
_HEREDOC = re.compile(r"(?:^|\s)\d*<<-?[\"']?([A-Za-z_]\w*)[\"']?(?=\s|$)")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*([`\\])\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Base:
    """An image that a stage starts from; `pinned` is whether it is named by its digest."""

    image: str
    pinned: bool
    line: int


def is_dockerfile(name: str) -> bool:
    """Whether a file of this name is one."""
    return "dockerfile" in name.lower() or "containerfile" in name.lower()


def bases(text: str) -> Iterator[Base]:
    """The images that its stages start from, but for its own stages and the empty one."""
    stages = {"scratch"}
    for line, name, rest in _instructions(text):
        found = _FROM.match(rest) if name == "FROM" else None
        if found is None:
            continue
        if found[1].lower() not in stages:
            yield Base(found[1], bool(_PINNED.search(found[1])), line)
        if found[2]:
            stages.add(found[2].lower())


def labels(text: str) -> tuple[str, ...]:
    """The labels with a value of the last stage, which is the one that is built, and of the stages that it starts from.

    Raises ValueError when an instruction cannot be read.
    """
    stages: dict[str, set[str]] = {}
    current = set[str]()
    for line, name, rest in _instructions(text):
        if name == "FROM" and (found := _FROM.match(rest)):
            current = set(stages.get(found[1].lower(), ()))
            if found[2]:
                stages[found[2].lower()] = current
        elif name == "LABEL":
            try:
                words = shlex.split(rest)
            except ValueError as error:
                raise ValueError(f"line {line}: {error}") from error
            if words and "=" not in words[0]:
                words = [f"{words[0]}={' '.join(words[1:])}"]
            for word in words:
                key, _, value = word.partition("=")
                (current.add if value.strip() else current.discard)(key)
    return tuple(sorted(current))


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, name and arguments of each; lines that go on are joined, comments and what is fed to programs left out."""
    lines = [line.strip() for line in text.splitlines()]
    said = _ESCAPE.match(lines[0]) if lines else None
    escape = said[1] if said else "\\"
    at = 0
    while at < len(lines):
        start, whole = at, lines[at]
        at += 1
        if not whole or whole.startswith("#"):
            continue
        while whole.endswith(escape):
            more = lines[at] if at < len(lines) else ""
            at += 1
            whole = whole if more.startswith("#") else f"{whole[:-1]} {more}"
        name, rest = (*whole.split(maxsplit=1), "")[:2]
        name = name.upper()
        if name in ("RUN", "COPY", "ADD"):
            at = _after_documents(lines, at, rest)
        yield start + 1, name, rest


def _after_documents(lines: list[str], at: int, arguments: str) -> int:
    """Where the lines end that are fed to a program (`<<EOF`); one without an end is none."""
    for word in _HEREDOC.findall(arguments):
        at = lines.index(word, at) + 1 if word in lines[at:] else at
    return at
