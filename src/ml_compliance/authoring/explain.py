"""`decide --explain`: which rule read which value of a submission.

Of the shipped policy the rules' annotations say what they read; of any other its syntax tree does, which tells what a
rule can read, and not what it came to read of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_compliance.authoring.changes import Path as Place
from ml_compliance.authoring.changes import written
from ml_compliance.authoring.reads import ANY, Reference, reads_of
from ml_compliance.decide._policy import rego_files
from ml_compliance.law import catalog
from ml_compliance.model import Decision, Finding

_STEP = re.compile(r"\.(\w+)|(\[\])")
_MISSING = "nothing is there"


@dataclass(frozen=True)
class Explained:
    """A rule, the item of the law that it was applied to, how that ended, and path → value of what it read."""

    rule: str
    policy: str
    outcome: str
    source: str
    limit: float | None
    read: Mapping[str, Any]


def explained(decision: Decision, submission: Mapping[str, Any], law: Iterable[Mapping[str, Any]]) -> list[Explained]:
    """Every finding of the shipped policy, then every rule of a family that found nothing against an item of the law.

    `submission` is the document `{"input": …}`, `law` the items of the law.
    """
    rules, found = catalog()["rules"], list[Explained]()
    named = {"violation": decision.violations, "warning": decision.warnings, "waived": decision.waived,
             "insufficient": decision.insufficient}  # fmt: skip
    for outcome, findings in named.items():
        found += [_of_finding(each, outcome, rules[each.rule], submission) for each in findings if each.rule in rules]
    against = {(each.policy, each.rule) for each in found}
    for item in law:
        for name, rule in rules.items():
            if rule["family"] == item["type"] and (item["id"], name) not in against:
                read = _values(rule["reads"], submission, _asked(item))
                found.append(Explained(name, str(item["id"]), "nothing found", rule["source"], None, read))
    return found


def explained_own(rego: Path, submission: Mapping[str, Any]) -> list[Explained]:
    """What each rule of a policy of the user's own can read.

    Raises EvaluationError when `opa`, which parses the policy, is missing.
    """
    root = rego if rego.is_dir() else rego.parent
    return [
        Explained(rule.name, "", "can read", f"{rule.file}:{rule.line}", None, dict(_read(rule.reads, submission)))
        for rule in reads_of(rego_files(rego), root).rules
        if rule.reads
    ]


def _of_finding(finding: Finding, outcome: str, rule: Mapping[str, Any], submission: Mapping[str, Any]) -> Explained:
    def meant(measurement: Mapping[str, Any]) -> bool:
        about = (measurement.get("name"), dict(measurement.get("slice", {})), tuple(measurement.get("across", ())))
        return not finding.measurement or about == (finding.measurement, dict(finding.slice), finding.across)

    read = _values(rule["reads"], submission, meant)
    return Explained(finding.rule, finding.policy, outcome, rule["source"], finding.limit, read)


def _asked(item: Mapping[str, Any]) -> Any:
    """Whether a measurement is one of those that the item is about, as far as its name tells."""
    metric = item.get("metric")
    return lambda measurement: metric is None or str(measurement.get("name")).split("/")[-1].startswith(str(metric))


def _values(reads: Iterable[str], submission: Mapping[str, Any], meant: Any) -> dict[str, Any]:
    under_input = [each for each in reads if each.startswith("input")]
    references = [tuple(name or ANY for name, _ in _STEP.findall(each)) for each in under_input]
    found = dict(_read(references, submission, meant))
    return found or dict.fromkeys(under_input, _MISSING)


def _read(references: Iterable[Reference], submission: Mapping[str, Any], meant: Any = None) -> Iterator[Any]:
    for reference in references:
        places = list(_places(submission.get("input"), reference, (), meant))
        yield from ((written(place), value) for place, value in places)


def _places(value: Any, reference: Reference, start: Place, meant: Any) -> Iterator[tuple[Place, Any]]:
    if start[-2:-1] == ("measurements",) and isinstance(value, Mapping) and meant and not meant(value):
        return
    if not reference:
        yield start, value
        return
    step, rest = reference[0], reference[1:]
    items = dict(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    for key, inner in items.items():
        if step is ANY or key == step:
            yield from _places(inner, rest, (*start, key), meant)
