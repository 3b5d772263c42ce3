"""The deletion test: whatever is taken out of a submission, or is there in another kind, opens no closed gate.

A denied submission: no lack may allow it. In an allowed one there is nothing to open, so it is first made denied, by
another value of the same kind in one place. Where that denies, the verdict rests on this value, and no lack may allow
the submission again: neither of that value, nor of what holds it, nor of anything else, such as the status that makes
a rule look at it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ml_compliance.authoring.changes import (
    GONE,
    LACKS,
    Edit,
    Path,
    at,
    changed,
    described,
    lacks,
    others,
    paths,
    pattern,
    written,
)
from ml_compliance.authoring.judges import Edits, Judge, Outcome

NOT_ASKED = "allow"


@dataclass(frozen=True)
class Scope:
    """What is tried of a policy.

    `touches`: whether the policy reads what is at a place. `constants`: numbers and texts that it compares with.
    `blame`: the rule that reads a place, where findings do not name theirs. `meant`: whether a denial is looked at.
    `elsewhere`: the lacks that are tried in a submission which one other value denies, where they are not about it.
    """

    touches: Callable[[Path], bool] = lambda _: True
    constants: Sequence[Any] = ()
    blame: Callable[[Path], str] = lambda _: NOT_ASKED
    meant: Callable[[Outcome], bool] = lambda _: True
    elsewhere: tuple[Any, ...] = LACKS


@dataclass(frozen=True, order=True)
class Opened:
    """A lack that turns deny into allow: the rule that it gets past, where, and what it is.

    `when` is the value that the submission was denied for, and empty if it was denied as it is.
    """

    rule: str
    path: str
    change: str
    when: str = ""


@dataclass(frozen=True)
class Closed:
    """A denied submission: `base` after `edits`, and the rules that deny it."""

    base: Any
    edits: Edits
    outcome: Outcome


@dataclass(frozen=True)
class Swept:
    """How many lacks were tried, and those that opened."""

    tried: int
    opened: tuple[Opened, ...]


def resting(base: Any, judge: Judge, scope: Scope) -> list[Closed]:
    """What makes the allowed submission `base` denied: for each value that the verdict rests on, one other value.

    Of values that stand at like places in arrays and are denied for the same reasons, the first stands for all. Denials
    that are not meant are left to others.
    """
    leaves = [path for path in paths(base) if scope.touches(path) and not isinstance(at(base, path), dict | list)]
    tries: list[Edits] = [((path, other),) for path in leaves for other in others(at(base, path), scope.constants)]
    found: dict[Any, Closed] = {}
    for edits, outcome in zip(tries, judge(base, tries), strict=True):
        if not outcome.allowed and scope.meant(outcome):
            found.setdefault((pattern(edits[0][0]), outcome.reasons), Closed(base, edits, outcome))
    return list(found.values())


def sweep(closed: Closed, judge: Judge, scope: Scope) -> Swept:
    """Try every lack on a denied submission."""
    document = changed(closed.base, closed.edits)
    lacking: list[Edit] = [((), wrong) for wrong in lacks(document) if wrong is not GONE]
    for path in filter(scope.touches, paths(document)):
        about = not closed.edits or any(place[: len(path)] == path for place, _ in closed.edits)
        tried = lacks(at(document, path))
        lacking += [(path, wrong) for wrong in tried if about or wrong in scope.elsewhere]
    outcomes = judge(document, [(edit,) for edit in lacking])
    named = ", ".join(sorted(closed.outcome.reasons - {""}))
    when = ", ".join(f"{written(path)} is {described(value)}" for path, value in closed.edits)
    opened = tuple(
        Opened(named or scope.blame(path), written(path), described(wrong), when)
        for (path, wrong), outcome in zip(lacking, outcomes, strict=True)
        if outcome.allowed
    )
    return Swept(len(lacking), opened)


def whole(base: Any, judge: Judge) -> Swept:
    """The lack of everything, tried on an allowed submission: it may not be allowed too."""
    lacking = [wrong for wrong in lacks(base) if wrong is not GONE]
    outcomes = judge(base, [(((), wrong),) for wrong in lacking])
    opened = tuple(Opened(NOT_ASKED, written(()), described(wrong))
                   for wrong, outcome in zip(lacking, outcomes, strict=True) if outcome.allowed)  # fmt: skip
    return Swept(len(lacking), opened)
