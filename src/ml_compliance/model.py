"""The types that pass from room to room: measure → submit → decide → publish → record.

All are frozen. None of them is published as it is: `documents.py` writes the versioned JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

Status = Literal["measured", "not_estimable", "declared", "missing", "error"]
"""Only `measured` and `declared` carry something that a policy may rely on."""

Verdict = Literal["allowed", "denied", "not_evaluated"]
Severity = Literal["critical", "high", "medium", "low"]

STRICT = {"extra": "forbid", "use_attribute_docstrings": True}
"""How pydantic reads what people write: no unknown keys, and each key is explained by the text below it."""

MISSING_GROUP = "(missing)"
"""The group of the rows whose sensitive value is null: visible, compared, never dropped."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval; `confidence` is a probability such as 0.95, `method` names the formula."""

    low: float
    high: float
    confidence: float
    method: str


@dataclass(frozen=True)
class Measurement:
    """One number, with all that is needed to believe it and to repeat it.

    `slice` is the group it is about (attribute → value; empty means every row). `across` names the
    attributes whose groups a disparity compares. `value` is None unless `status` is `measured`.
    """

    name: str
    value: float | None
    status: Status = "measured"
    slice: Mapping[str, str] = field(default_factory=dict)
    across: tuple[str, ...] = ()
    interval: Interval | None = None
    n: int | None = None
    positives: int | None = None
    negatives: int | None = None
    reason: str = ""
    method: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class FileDigest:
    """A file that evidence rests on: path as the project writes it, sha256 in hex, size in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Evidence:
    """What one measurement module found. It judges nothing; `reason` says why when it is not measured."""

    name: str
    status: Status
    measurements: tuple[Measurement, ...] = ()
    facts: Mapping[str, Json] = field(default_factory=dict)
    files: tuple[FileDigest, ...] = ()
    rows: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Location:
    """A place in a file that people edit; `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Waiver:
    """A waiver that counted: who answers for it, its days in UTC (YYYY-MM-DD), and the worst value that it covers."""

    reason: str
    owner: str
    approver: str
    created: str
    expires: str
    ceiling: float | None
    location: Location


@dataclass(frozen=True)
class Finding:
    """One thing the policy says: a violation, a warning, a waived violation or a lack of evidence.

    `rule` is the id in the rule catalogue, `policy` the id of the item of the law that was applied. `waiver` is what
    set it aside, if it is waived.
    """

    rule: str
    policy: str
    severity: Severity
    title: str
    message: str
    remedy: str = ""
    measurement: str = ""
    slice: Mapping[str, str] = field(default_factory=dict)
    across: tuple[str, ...] = ()
    value: float | None = None
    interval: tuple[float, float] | None = None
    n: int | None = None
    limit: float | None = None
    clause: str = ""
    references: tuple[str, ...] = ()
    location: Location | None = None
    waiver: Waiver | None = None


@dataclass(frozen=True)
class LawChange:
    """One thing in the rules that the change set of the model changes too; values as JSON, empty for none.

    `policy` is the id of an item of the law, `key` one of its keys; both are empty where a file differs as a whole.
    """

    file: str
    policy: str
    key: str
    old: str
    new: str
    effect: Literal["loosened", "tightened", "changed"]


@dataclass(frozen=True)
class LawChanges:
    """What differs from the rules at the commit `base`; `reason` says why it is empty when nothing was compared."""

    base: str = ""
    changes: tuple[LawChange, ...] = ()
    reason: str = "no base is named"


@dataclass(frozen=True)
class Decision:
    """The verdict and every reason for it. `allow` is true only when the policy engine said so.

    `policy_revision` is what the bundle that judged calls itself, empty where the policy comes from no bundle;
    `cross_checked` is the second engine that gave the same answer, empty where none was asked.
    """

    verdict: Verdict
    violations: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    waived: tuple[Finding, ...]
    insufficient: tuple[Finding, ...]
    errors: tuple[str, ...]
    engine: str
    engine_version: str
    policy_digest: str
    law_digest: str
    input_digest: str
    id: str
    time: str
    policy_revision: str = ""
    cross_checked: str = ""
    law_changes: LawChanges = LawChanges()

    @property
    def allow(self) -> bool:
        return self.verdict == "allowed"


@dataclass(frozen=True)
class Delta:
    """A number that is now another than in the base; None on the side where it was not measured."""

    name: str
    across: tuple[str, ...]
    before: float | None
    now: float | None


@dataclass(frozen=True)
class Changes:
    """What a change does to the verdict of the branch that it will be merged into, which is called `base`.

    `new` are places in the violations as the sinks order them, `unchanged` counts those that the base has too, and
    `fixed` are titles, since a violation that is gone is in no finding of this report. Where `same_rules` is false, the
    base was judged by another law or policy. `reason` says what could not be compared, and why.
    """

    base: str
    verdict: str = ""
    new: tuple[int, ...] = ()
    unchanged: int = 0
    fixed: tuple[str, ...] = ()
    deltas: tuple[Delta, ...] = ()
    same_rules: bool = True
    reason: str = ""


@dataclass(frozen=True)
class Part:
    """One of several gates whose results are shown as one; `reason` says why it has no result.

    `commit` is what its lineage names, `decision` the id of its decision, and `digest` that of its whole report: they
    prove which result was taken. All are empty where there is none.
    """

    name: str
    verdict: Verdict
    model: str = ""
    violations: int = 0
    reason: str = ""
    commit: str = ""
    decision: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Report:
    """All that is shown to people; every sink is a pure function of it.

    `timings` are seconds per room in the order they ran, empty unless asked for. `folder` is where the locations of
    findings start, from the root of the repository; empty for the root itself. `changes` is None where no base was
    asked for. `parts` are the gates that this is the report of, empty where it is one gate's own.
    """

    project: str
    model: str
    decision: Decision
    evidence: tuple[Evidence, ...]
    submission: Mapping[str, Json]
    law: tuple[Mapping[str, Json], ...]
    timings: tuple[tuple[str, float], ...] = ()
    folder: str = ""
    changes: Changes | None = None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Artifact:
    """What a sink renders: a file name relative to the output folder, and its text."""

    name: str
    text: str
