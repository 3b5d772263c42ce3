"""What the policy found, as findings in words, in one order whatever engine found it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from ml_compliance.decide._messages import fill, number
from ml_compliance.errors import EvaluationError
from ml_compliance.model import Finding, Location, Severity, Waiver
from ml_compliance.resources import policies_folder

FINDINGS = ("violation", "warning", "waived", "insufficient", "error")
WITHOUT_A_REASON = Finding("policy.denied", "", "high", "the policy denies", "the policy denies without a reason",
                           remedy="let the policy say why: `violation contains \"…\" if …`")  # fmt: skip
LAW_NOT_APPLIED = Finding("policy.own", "", "medium", "the law is not applied",
                          "a policy of your own decided; compliance_policy.yaml was handed to it as data.mlpolicy.law, "
                          "and whether it is applied is up to that policy",
                          remedy="read data.mlpolicy.law in the policy, or leave out `rego`")  # fmt: skip
_REMEDY = "judge by the policy of this version of ml-compliance"
_REASON = 200
Locate = Callable[[str, str], Location | None]
_SEVERITIES: tuple[Severity, ...] = get_args(Severity)


def catalogued(locate: Locate | None) -> Callable[[Mapping[str, Any]], Finding]:
    """How a finding of the shipped policy is put into words: by the catalogue of its rules.

    The function that is returned raises EvaluationError for a finding that is not one of the catalogue's rules.
    """
    path = policies_folder() / "catalog.json"
    rules = json.loads(path.read_text(encoding="utf-8"))["rules"]

    def compose(found: Mapping[str, Any]) -> Finding:
        try:
            name = found["rule"]
            if name in rules:
                return _in_words(found, rules[name], locate)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            # A server may hold a policy of another version, whose findings have another shape.
            raise EvaluationError(f"the policy gives a finding of another shape: {found!r}", remedy=_REMEDY) from error
        raise EvaluationError(f"the policy gives a finding of the unknown rule {name!r}", remedy=_REMEDY)

    return compose


def _in_words(found: Mapping[str, Any], rule: Mapping[str, Any], locate: Locate | None) -> Finding:
    low_and_high = found.get("interval")
    low, high = low_and_high or (None, None)
    severity: Severity = _SEVERITIES[_SEVERITIES.index(found["severity"])]
    waiver = _waiver(found["waiver"]) if "waiver" in found else None
    message = fill(rule["message"], found)
    return Finding(
        rule=found["rule"],
        policy=found["policy"],
        severity=severity,
        title=fill(rule["title"], found),
        message=f"{_waived(waiver)}; {message}" if waiver else message,
        remedy=fill(rule["remedy"], found),
        measurement=found.get("measurement", ""),
        slice=dict(found.get("slice", {})),
        across=tuple(found.get("across", ())),
        value=found.get("value"),
        interval=(low, high) if low is not None and high is not None else None,
        n=found.get("n"),
        limit=found.get("limit"),
        clause=rule["description"],
        references=tuple(rule["regulations"]),
        location=_location(found, locate),
        waiver=waiver,
    )


def _location(found: Mapping[str, Any], locate: Locate | None) -> Location | None:
    """Where the waiver that a finding is about is written, or else the item of the law."""
    if "at" in found:
        return Location(**found["at"])
    return locate(found["policy"], found["key"]) if locate and found["policy"] else None


def _waiver(found: Mapping[str, Any]) -> Waiver:
    texts = {name: str(found[name]) for name in ("reason", "owner", "approver", "created", "expires")}
    return Waiver(**texts, ceiling=found.get("ceiling"), location=Location(**found["location"]))


def _waived(waiver: Waiver) -> str:
    reason = waiver.reason if len(waiver.reason) <= _REASON else waiver.reason[: _REASON - 1] + "…"
    ceiling = "" if waiver.ceiling is None else f", no worse than {number(waiver.ceiling)}"
    return (f"waived until {waiver.expires}{ceiling} by {waiver.approver}, for {waiver.owner} to put right "
            f"({waiver.location}): {reason}")  # fmt: skip


def own(found: Any) -> Finding:
    """A violation of a policy that a user wrote: a string, or an object with `msg` and, if it likes, more fields."""
    fields = {"msg": found} if isinstance(found, str) else found
    severity = fields.get("severity")
    return Finding(
        rule=_string(fields, "rule") or "policy.violation",
        policy=_string(fields, "policy"),
        severity=severity if severity in _SEVERITIES else "high",
        title=_string(fields, "title") or fields["msg"],
        message=fields["msg"],
        remedy=_string(fields, "remedy"),
    )


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The gravest first, then by policy, rule and place."""
    return tuple(sorted(findings, key=_order))


def _order(finding: Finding) -> tuple[Any, ...]:
    place = (finding.across, sorted(finding.slice.items()), finding.message)
    return _SEVERITIES.index(finding.severity), finding.policy, finding.rule, place


def _string(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
