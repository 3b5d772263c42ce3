"""The user that a Dockerfile's image runs as, by its text: Trivy reads neither ARG nor ENV, nor stage by stage."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ml_compliance.measure._dockerfile import FROM, VARIABLE, assignments, instructions

_SETS = re.compile(r"\s*(ARG|ENV)\s+(.*)", re.IGNORECASE | re.DOTALL)
_USER = re.compile(r"\s*USER\s+(.*)", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9_][\w.@-]*\$?", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True)
class User:
    """What a USER says, with variables in their places as far as they are known, and its line; none is empty."""

    name: str = ""
    line: int = 0

    @property
    def may_be_root(self) -> bool:
        """Also where it cannot be told: a variable without a value is no user, which is root."""
        user = self.name.partition(":")[0]
        if not _NAME.fullmatch(user) or user == "root":
            return True
        return bool(_NUMBER.fullmatch(user)) and int(user) == 0


@dataclass
class _Stage:
    """A variable that may have another value than it seems has None; those that ENV sets are no more set by ARG."""

    user: User = field(default_factory=User)
    values: dict[str, str | None] = field(default_factory=dict)
    by_env: set[str] = field(default_factory=set)
    known: bool = True

    def child(self) -> _Stage:
        return replace(self, values={key: self.values.get(key) for key in self.by_env}, by_env=set(self.by_env))

    def set(self, kind: str, words: str, certain: bool, outside: Mapping[str, str | None]) -> None:
        """Take in an ARG or ENV; an ARG without a value has that of before the first FROM."""
        try:
            assigned = assignments(words, older=kind == "ENV")
        except ValueError:
            self.known = False
            return
        for name, value in assigned:
            if kind == "ENV":
                self.by_env.add(name)
            elif name in self.by_env:
                continue
            given = outside.get(name, "") if value is None else self.resolved(value)
            self.values[name] = given if certain else None

    def resolved(self, written: str) -> str:
        """`written` with the values of $NAME, ${NAME} and ${NAME:-default}; what is not known stays as it is."""

        def value(found: re.Match[str]) -> str:
            held = self.values.get(found[1] or found[2], "") if self.known else None
            return found[0] if held is None else held or found[3] or found[0]

        return VARIABLE.sub(value, written)


def user(text: str) -> User:
    """The user of the last stage, or of the stages that it starts from.

    A line that may be none (in a here-document, or continuing another one) makes a user root, and never another one.
    """
    outside, stages = _Stage(), dict[str, _Stage]()
    current = outside
    for line, written, certain in instructions(text):
        if found := FROM.match(written):
            if certain:
                current = stages[found[1].lower()].child() if found[1].lower() in stages else _Stage()
            else:
                current.known, current.user = False, User(line=line)
            if found[2] and certain:
                stages[found[2].lower()] = current
        elif found := _SETS.match(written):
            current.set(found[1].upper(), found[2], certain, {} if current is outside else outside.values)
        elif found := _USER.match(written):
            named = User(_named(current, found[1]), line)
            if certain or named.may_be_root:
                current.user = named
    return current.user


def _named(stage: _Stage, written: str) -> str:
    try:
        words = shlex.split(written)
    except ValueError:  # a quote without its end
        return ""
    return stage.resolved(words[0]) if len(words) == 1 else ""
