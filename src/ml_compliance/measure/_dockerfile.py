"""Dockerfiles: the images that they use, and the labels of what they build, by their text alone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_CONTINUES = ("\\", "`")
_BEGINS = re.compile(r"\s*(FROM|ARG|LABEL|ENV|USER|COPY|ADD|RUN|ONBUILD)\b", re.IGNORECASE)
FROM = re.compile(r"\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_ARG = re.compile(r"\s*ARG\s+(.*)", re.IGNORECASE)
_LABEL = re.compile(r"\s*LABEL\s+(.*)", re.IGNORECASE | re.DOTALL)
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::-([^{}$]*))?\})")
_HEREDOC = re.compile(r"""<<(-?)((?:"[^"]*"|'[^']*'|\\.|[^\s<])+)""")
_TAKES = re.compile(r"\s*(?:ONBUILD\s+)?(?:COPY|ADD|RUN)\s+(--.*)", re.IGNORECASE | re.DOTALL)
_SYNTAX = re.compile(r"\s*(?:#|//)\s*syntax\s*=\s*(\S+)", re.IGNORECASE)
_PINNED = re.compile(r"[^$]*@sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Base:
    """An image that a build uses; `image` has the defaults of ARGs in their places."""

    image: str
    line: int

    @property
    def pinned(self) -> bool:
        """Whether a digest says which image it is. An ARG that has no default says nothing."""
        return _PINNED.fullmatch(self.image) is not None


def is_dockerfile(name: str) -> bool:
    """Whether a file of this name may be one."""
    return "dockerfile" in name.lower() or "containerfile" in name.lower()


def builds(text: str) -> bool:
    """Whether an image can be built of this text: without a FROM, only a frontend of its own could."""
    return any(FROM.match(written) for _, written, _ in instructions(text)) or any(_frontends(text))


def bases(text: str) -> Iterator[Base]:
    """The images of all FROMs, and those that files are taken from or that read the file (`# syntax=`).

    The file's own stages and the empty image are none.
    Every line that could be a FROM counts as one; names of stages and defaults of ARGs count where no other reading is
    possible. So nothing that a build starts from is missing, however the file is written.
    """
    yield from _frontends(text)
    stages, defaults = {"scratch"}, dict[str, str]()
    started = False
    for line, written, certain in instructions(text):
        found, arg = FROM.match(written), _ARG.match(written)
        if not started and (found or arg):
            started = found is not None or not certain
            if not certain:
                defaults.clear()
            elif arg:
                _declare(arg[1], defaults)
        if found:
            image = resolved(found[1], defaults)
            if image.lower() not in stages:
                yield Base(image, line)
            if found[2] and certain:
                stages.add(found[2].lower())
        for image in _taken_from(written):
            if image.lower() not in stages and not image.isdecimal():
                yield Base(image, line)


def _frontends(text: str) -> Iterator[Base]:
    """The images that the comments at the top say the file is to be read by."""
    for line, written in enumerate(text.splitlines(), 1):
        if written.strip() and not written.lstrip().startswith(("#", "//")):
            return
        if found := _SYNTAX.match(written):
            yield Base(found[1], line)


def _taken_from(written: str) -> Iterator[str]:
    """What `COPY --from=` and `RUN --mount=from=` name. No variable is resolved: what one names is not pinned."""
    found = _TAKES.match(written)
    words = shlex.shlex(found[1] if found else "", posix=True, punctuation_chars=False)
    words.whitespace_split, words.commenters = True, ""
    while (word := _next(words)).startswith("--"):
        flag, _, value = word.partition("=")
        if flag.lower() == "--from":
            yield value
        elif flag.lower() == "--mount":
            parts = (part.partition("=") for part in value.split(","))
            yield from (image for key, _, image in parts if key.strip().lower() == "from")


def _next(words: shlex.shlex) -> str:
    """The next word; a quote without its end is in what follows the flags."""
    try:
        return words.get_token() or ""
    except ValueError:
        return ""


def labels(text: str) -> tuple[str, ...]:
    """The labels with a value of the last stage, which is the one that is built, and of the stages that it starts from.

    Only what is certainly a LABEL counts, and every line that could be a FROM begins anew. Raises ValueError when a
    LABEL cannot be read.
    """
    stages: dict[str, set[str]] = {}
    current = set[str]()
    for line, written, certain in instructions(text):
        if found := FROM.match(written):
            current = set(stages.get(found[1].lower(), ())) if certain else set()
            if found[2] and certain:
                stages[found[2].lower()] = current
        elif certain and (found := _LABEL.match(written)):
            try:
                given = assignments(found[1], older=True)
            except ValueError as error:
                raise ValueError(f"line {line}: {error}") from error
            for key, value in given:
                (current.add if value and value.strip() else current.discard)(key)
    return tuple(sorted(current))


def assignments(arguments: str, *, older: bool) -> list[tuple[str, str | None]]:
    """Name and value of each `name=value`, None where it has none; if `older`, `name value` is one, too.

    Raises ValueError for a quote without its end.
    """
    words = shlex.split(arguments)
    if older and words and "=" not in words[0]:
        return [(words[0], " ".join(words[1:]))]
    parts = [word.partition("=") for word in words]
    return [(name, value if given else None) for name, given, value in parts]


def _declare(words: str, defaults: dict[str, str]) -> None:
    """Take in what an ARG before the first FROM says; without a default, an earlier one is gone, too."""
    try:
        declared = assignments(words, older=False)
    except ValueError:  # no value is known
        declared = [(name, None) for name in re.findall(r"\w+", words)]
    for name, value in declared:
        defaults.pop(name, None)
        if value is not None:
            defaults[name] = resolved(value, defaults)


def resolved(written: str, defaults: Mapping[str, str]) -> str:
    """`written` with the values of $NAME, ${NAME} and ${NAME:-default}; what has none stays as it is."""
    return VARIABLE.sub(lambda found: defaults.get(found[1] or found[2]) or found[3] or found[0], written)


def instructions(text: str) -> Iterator[tuple[int, str, bool]]:
    """Each line that reads like an instruction of interest: its number, the text, and whether it certainly is one.

    One that is has in its text what continues it. One that may be none could continue the line before, or be inside
    a here-document. What continues a line is a backslash, or a backtick in files that say so; here both do.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    continued, open_documents = False, list[tuple[str, str | None]]()
    for index, line in enumerate(lines):
        certain = not continued and not open_documents
        written = _joined(lines, index)
        if _BEGINS.match(written):
            yield index + 1, written, certain
        if open_documents:
            tabs, end = open_documents[0]
            if (line.lstrip("\t") if tabs else line) == end:
                del open_documents[0]
        if line.strip() and not line.lstrip().startswith("#"):
            continued = line.rstrip().endswith(_CONTINUES)
            open_documents += [(tabs, _delimiter(word)) for tabs, word in _HEREDOC.findall(line)]


def _delimiter(word: str) -> str | None:
    """The line that ends a here-document; None, which no line is, where readers could differ about it."""
    try:
        found = shlex.split(word)
    except ValueError:  # a quote without its end
        return None
    return found[0] if len(found) == 1 and "$" not in word else None


def _joined(lines: list[str], index: int) -> str:
    """The line, with those that continue it."""
    parts = [lines[index].rstrip()]
    while parts[-1].endswith(_CONTINUES) and index + 1 < len(lines):
        index += 1
        if lines[index].strip() and not lines[index].lstrip().startswith("#"):
            parts[-1] = parts[-1][:-1]
            parts.append(lines[index].rstrip())
    return "".join(parts)
