"""The results of several gates as one: parts of a matrix or of a monorepo, each of which has to be there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from ml_compliance.decisions import read_decision
from ml_compliance.documents import digest, validate
from ml_compliance.errors import ComplianceError, UsageError
from ml_compliance.model import Decision, Finding, Json, LawChanges, Location, Part, Report, Verdict
from ml_compliance.platforms._untrusted import read_strict
from ml_compliance.publish._text import clip, terminal
from ml_compliance.publish._view import from_root, headline, place
from ml_compliance.publish.document import REPORT_SCHEMA
from ml_compliance.submit import created

REPORT_FILE = "report.json"
_COMMIT = re.compile("[0-9a-f]{40,64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_REMEDY = "write NAME=FOLDER; a name has letters, digits, dots, dashes and underscores"
_LONG = 500
Parts = Mapping[str, Report]


def read_parts(given: Iterable[str], out: Path) -> dict[str, Path]:
    """The folders of the parts by name, from `NAME=FOLDER`.

    Raises UsageError for what is no such pair, for a name or folder that is given twice, and for `out` among them.
    """
    found: dict[str, Path] = {}
    for text in given:
        name, _, folder = text.partition("=")
        if not _NAME.fullmatch(name) or not folder:
            raise UsageError(f"{clip(terminal(text), _LONG)!r} is no part", where="--part", remedy=_REMEDY)
        if name in found:
            raise UsageError(f"{name} is given twice", where="--part", remedy="give every part a name of its own")
        if Path(folder).resolve() in {path.resolve() for path in (out, *found.values())}:
            raise UsageError(f"the folder of {name} is that of another part, or --out", where="--part",
                             remedy="give every part a folder of its own, and --out another one")  # fmt: skip
        found[name] = Path(folder)
    return found


def collect(name: str, folders: Mapping[str, Path], commits: frozenset[str] = frozenset()) -> Report:
    """One report of the parts in `folders`. It is allowed only when every part is there and allowed.

    A part without a result that can be read, or that was not evaluated, makes the whole `not_evaluated`; so do parts
    that are not all of one commit, or not of one of `commits`: those that the run is about, none for any.
    """
    there: dict[str, Report] = {}
    parts, errors = [], []
    for part, folder in folders.items():
        try:
            document = read_strict(folder / REPORT_FILE)
            report = _report(document)
            for other, known in there.items():
                if known.decision.id == report.decision.id:
                    raise UsageError(f"it is the result of part {other}, not one of its own")
            there[part] = report
        except ComplianceError as error:
            reason = clip(terminal(f"{folder}: {error.message}"), _LONG)
            parts.append(Part(part, "not_evaluated", reason=reason))
            errors.append(f"part {part}: {reason}")
            continue
        decision = report.decision
        parts.append(Part(part, decision.verdict, report.model, len(decision.violations), commit=_commit(document),
                          decision=decision.id, digest=digest(document)))  # fmt: skip
        told = decision.errors or (("no reason was given",) if decision.verdict == "not_evaluated" else ())
        errors += [f"part {part}: {error}" for error in told]
    torn = (*_torn(parts), *_of_others(parts, commits))
    verdict = "not_evaluated" if torn else _verdict(parts)
    return Report(
        project=name,
        model="1 part" if len(parts) == 1 else f"{len(parts)} parts",
        decision=_decision(verdict, parts, there, (*torn, *errors)),
        evidence=(),
        submission={},
        law=tuple({**item, "id": f"{part}/{item.get('id')}"} for part, report in there.items() for item in report.law),
        parts=tuple(parts),
    )


def _report(document: dict[str, Any]) -> Report:
    """The report of a part, without its evidence. Raises ComplianceError when it is not valid."""
    validate(document, REPORT_SCHEMA, REPORT_FILE)
    return Report(
        project=document["project"],
        model=document["model"],
        decision=read_decision(document["decision"], REPORT_FILE),
        evidence=(),
        submission={},
        law=tuple(document["law"]),
        folder=document["folder"],
    )


def _commit(document: dict[str, Any]) -> str:
    """The commit that the lineage in a part's report names; empty for none."""
    git = next((item["facts"].get("git") for item in document["evidence"] if item["name"] == "lineage"), None)
    commit = git.get("commit") if isinstance(git, dict) else None
    return commit if isinstance(commit, str) and _COMMIT.fullmatch(commit) else ""


def _torn(parts: Iterable[Part]) -> tuple[str, ...]:
    """What to say where results are not all of one commit; one that names none is not shown to be of the others'."""
    by_commit: dict[str, list[str]] = {}
    for part in parts:
        if part.digest:
            by_commit.setdefault(part.commit, []).append(part.name)
    if len(by_commit) <= 1:
        return ()
    told = "; ".join(f"{', '.join(names)}: {commit or 'none is named'}" for commit, names in by_commit.items())
    return (clip(f"the parts are not of one commit: {told}", _LONG),)


def _of_others(parts: Iterable[Part], commits: frozenset[str]) -> Iterator[str]:
    """What to say of each result that is of no commit of the run, such as one that was left by an earlier run."""
    about = " or ".join(sorted(commits))
    for part in parts:
        if commits and part.digest and part.commit not in commits:
            named = f"the commit {part.commit}" if part.commit else "no commit"
            yield f"part {part.name}: its lineage names {named}, and this run is about {about}"


def _verdict(parts: Sequence[Part]) -> Verdict:
    verdicts = {part.verdict for part in parts}
    if verdicts == {"allowed"}:
        return "allowed"
    return "denied" if verdicts and verdicts <= {"allowed", "denied"} else "not_evaluated"


def _decision(verdict: Verdict, parts: Sequence[Part], there: Parts, errors: Sequence[str]) -> Decision:
    decisions = {part: report.decision for part, report in there.items()}
    grounds: dict[str, Json] = {"parts": {part.name: part.digest for part in parts}, "errors": list(errors)}

    def of(kind: str) -> tuple[Finding, ...]:
        return tuple(_of_part(part, report, item) for part, report in there.items()
                     for item in getattr(report.decision, kind))  # fmt: skip

    every = decisions.values()
    return Decision(
        verdict=verdict,
        violations=of("violations"),
        warnings=of("warnings"),
        waived=of("waived"),
        insufficient=of("insufficient"),
        errors=tuple(errors),
        engine=_joined(item.engine for item in every),
        engine_version=_joined(item.engine_version for item in every),
        policy_digest=_digest({part: item.policy_digest for part, item in decisions.items()}),
        law_digest=_digest({part: item.law_digest for part, item in decisions.items()}),
        input_digest=digest({part: item.input_digest for part, item in decisions.items()}),
        id=digest(grounds).removeprefix("sha256:"),
        time=max((item.time for item in every), default=created()),
        law_changes=_law_changes(there),
    )


def _of_part(part: str, report: Report, finding: Finding) -> Finding:
    """A finding that says which part it is of, at its place from the root of the repository."""
    waiver = finding.waiver
    return replace(
        finding,
        policy=f"{part}/{finding.policy or finding.rule}",
        title=f"{part}: {headline(finding)}",
        location=place(report, finding),
        waiver=waiver and replace(waiver, location=_placed(report, waiver.location)),
    )


def _placed(report: Report, at: Location) -> Location:
    return replace(at, file=from_root(report, at.file))


def _law_changes(there: Parts) -> LawChanges:
    """Every change of the rules that a part has seen, once; where one was not compared, that is no `unchanged`."""
    found = {part: report.decision.law_changes for part, report in there.items()}
    moved = dict.fromkeys(chain.from_iterable(
        (replace(change, file=from_root(there[part], change.file)) for change in item.changes)
        for part, item in found.items()
    ))  # fmt: skip
    lacking = [f"part {part}: {item.reason}" for part, item in found.items() if not item.base]
    base = next((item.base for item in found.values() if item.base), "")
    if not base or (lacking and not moved):
        return LawChanges(reason=lacking[0] if lacking else "no part is there")
    return LawChanges(base, tuple(moved), "")


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(sorted(set(texts)))


def _digest(digests: Mapping[str, Json]) -> str:
    """The digest that all parts have, or one of theirs together."""
    alike = set(digests.values())
    return str(alike.pop()) if len(alike) == 1 else digest(digests)
