"""Example reports: denied, allowed, not evaluated, huge and hostile."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from ml_compliance.model import (
    Changes,
    Decision,
    Delta,
    Evidence,
    FileDigest,
    Finding,
    Interval,
    LawChange,
    LawChanges,
    Location,
    Measurement,
    Report,
    Waiver,
)
from ml_compliance.submit import submission
from tests import examples

LAW: tuple[dict[str, Any], ...] = (
    {"id": "fairness_policy_001", "type": "fairness", "metric": "demographic_parity_difference", "threshold": 0.05,
     "sensitive_attributes": ["race", ["race", "sex"]], "dataset": "validation_holdout"},
    {"id": "explainability_policy_001", "type": "explainability", "requirement": "mandatory", "technique": "SHAP",
     "report_format": "html"},
    {"id": "lineage_policy_001", "type": "data_lineage",
     "required_artifacts": ["raw_data_hash", "processing_code_commit", "feature_store_version"]},
    {"id": "performance_001", "type": "performance", "metric": "accuracy", "minimum": 0.85},
    {"id": "data_001", "type": "data_validation", "max_failed_expectations": 0, "schema_drift": "warn"},
)  # fmt: skip

DISPARITY = Finding(
    rule="fairness.limit_exceeded", policy="fairness_policy_001", severity="high",
    title="selection rate differs by race",
    message="demographic_parity_difference by race is 0.216 (0.13–0.31), limit 0.05",
    remedy="retrain with a parity constraint (fairlearn.reductions.ExponentiatedGradient) or move the cut-off, "
    "then gate again",
    measurement="fairness/demographic_parity_difference", across=("race",), value=0.2165, interval=(0.13, 0.31), n=792,
    limit=0.05, clause="A difference between groups does not exceed the limit of the law.",
    references=("EU AI Act Art. 10", "ECOA / Regulation B"), location=Location("compliance_policy.yaml", 12),
)  # fmt: skip
LINEAGE = Finding(
    rule="data_lineage.artifact_missing", policy="lineage_policy_001", severity="high",
    title="feature_store_version is missing",
    message="the law requires feature_store_version, and no run or tag records it",
    remedy='log it as a run tag: mlflow.set_tag("feature_store_version", …)',
    references=("EU AI Act Art. 12",), location=Location("compliance_policy.yaml", 31),
)  # fmt: skip
EXPECTATIONS = Finding(
    rule="data_validation.expectations_failed", policy="data_001", severity="medium",
    title="expectations on the data do not hold", message="1 of 2 expectations failed, limit 0",
    remedy="correct the rows that the report names, or the suite", measurement="data/failed_expectations",
    value=1.0, n=2, limit=0.0, location=Location("compliance_policy.yaml", 40),
)  # fmt: skip
SMALL_GROUPS = Finding(
    rule="fairness.group_too_small", policy="fairness_policy_001", severity="low",
    title="race: 1 group under 30 cases is shown, not judged", message="Asian (n 8)",
    remedy="collect more cases of these groups, or merge them",
    measurement="fairness/demographic_parity_difference", across=("race",),
    location=Location("compliance_policy.yaml", 12),
)  # fmt: skip
DRIFT = Finding(
    rule="data_validation.schema_drift", policy="data_001", severity="low",
    title="the table differs from its reference",
    message="typur: new category 9 (2 rows)", remedy="extend the reference table, or drop the rows",
    location=Location("compliance_policy.yaml", 41),
)  # fmt: skip
WAIVED = Finding(
    rule="performance.below_minimum", policy="performance_002", severity="medium",
    title="accuracy is below its minimum in race = Black",
    message="until 2027-01-15 by risk@example.org: \"new product line\"", location=Location("waivers.yaml", 3),
)  # fmt: skip


def decision(**changes: Any) -> Decision:
    start = Decision(
        verdict="denied", violations=(LINEAGE, DISPARITY, EXPECTATIONS), warnings=(DRIFT,), waived=(WAIVED,),
        insufficient=(SMALL_GROUPS,), errors=(), engine="embedded", engine_version="OPA 1.22.2 (wasm)",
        policy_digest="sha256:" + "1f" * 32, law_digest="sha256:" + "2e" * 32, input_digest="sha256:" + "3d" * 32,
        id="7f3a" * 16, time="2026-11-23T00:00:00Z",
    )  # fmt: skip
    return replace(start, **changes)


def rates(counts: dict[str, tuple[float, float, int]], attributes: tuple[str, ...] = ("race",)) -> list[Measurement]:
    """Group → (true positive rate, false positive rate, n); names of an intersection are joined by a comma."""
    found = []
    for name, (tpr, fpr, n) in counts.items():
        group = dict(zip(attributes, name.split(","), strict=True))
        for rate, value in (("true_positive_rate", tpr), ("false_positive_rate", fpr)):
            half = 0.9 / max(n, 1) ** 0.5
            found.append(
                Measurement(f"fairness/{rate}", value, slice=group, n=n, positives=n, negatives=0,
                            interval=examples.interval(max(0.0, value - half), min(1.0, value + half)))
            )  # fmt: skip
    return found


def fairness() -> Evidence:
    start = examples.fairness()
    crossed = {
        "Black,female": 0.61, "Black,male": 0.70, "Hispanic,female": 0.72, "white,female": 0.88, "white,male": 0.91,
    }  # fmt: skip
    extra = rates({"Black": (0.86, 0.41, 79), "Hispanic": (0.88, 0.47, 51), "white": (0.97, 0.68, 662)})
    extra += [
        Measurement("fairness/false_positive_rate", 0.0, slice={"race": "Asian"}, n=1, positives=0, negatives=1,
                    interval=examples.interval(0.0, 0.79)),
    ]  # fmt: skip
    extra += [
        Measurement("fairness/selection_rate", value, slice=dict(zip(("race", "sex"), name.split(","), strict=True)),
                    n=40 + 5 * place, positives=20, negatives=20,
                    interval=examples.interval(value - 0.09, min(1.0, value + 0.08)))
        for place, (name, value) in enumerate(crossed.items())
    ]  # fmt: skip
    return replace(start, measurements=(*start.measurements, *extra))


def evidence() -> tuple[Evidence, ...]:
    return examples.data(), examples.explainability(), fairness(), examples.lineage(), examples.performance()


def report(verdict: Decision, found: tuple[Evidence, ...] | None = None, **changes: Any) -> Report:
    found = evidence() if found is None else found
    document = submission("customer_credit", "validation_holdout", found, "2026-11-23T00:00:00Z")
    return replace(Report("customer_credit", "models:/loan-approval/1", verdict, found, document, LAW), **changes)


def image(text: str = "", **facts: Any) -> Evidence:
    """A scan that found two packages with vulnerabilities, one of them in two places; every text is `text`, if any."""
    entry = {"cve": "CVE-2023-4911", "package": "libc6", "installed": "2.36-9+deb12u1", "fixed": "2.36-9+deb12u3",
             "severity": "high", "title": "buffer overflow in ld.so", "target": "credit.tar (debian 12.1)"}  # fmt: skip
    found = [entry, {**entry, "target": "elsewhere"}, {**entry, "cve": "GHSA-x84v-xcm2-53pg", "fixed": "", "title": ""}]
    start: dict[str, Any] = {
        "reference": "registry.example.org:5000/credit", "digest": "sha256:" + "ab" * 32, "digest_of": "manifest",
        "os": {"family": "debian", "name": "12.1", "end_of_life": False}, "incomplete": False,
        "scanner": {"name": "trivy", "version": "0.67.2", "schema": 2}, "suppressed": [],
        "scan": {"started": "2026-11-23T00:00:00", "ended": "2026-11-23T00:00:07"}, "vulnerabilities": found,
    }  # fmt: skip
    if text:
        start |= {"reference": text, "digest": text, "os": {"family": text, "name": text}, "scanner": {"version": text},
                  "suppressed": [{"cve": text}], "vulnerabilities": [dict.fromkeys(entry, text)]}  # fmt: skip
    return Evidence("image", "measured", facts={**start, **facts}, reason=text)


def scanned(**facts: Any) -> Report:
    return report(decision(), (*evidence(), image(**facts)))


def denied() -> Report:
    return report(decision())


def allowed() -> Report:
    return report(decision(verdict="allowed", violations=(), waived=()))


def not_evaluated() -> Report:
    broken = Evidence("fairness", "error", reason="test.csv:17: column 'race' holds only nulls")
    absent = Evidence("explainability", "missing", reason="no model is configured; write `model: {uri: …}`")
    found = (examples.data(), absent, broken, examples.lineage(), examples.performance())
    missing = replace(
        DISPARITY, rule="fairness.not_measured", message="demographic parity difference is not measured",
        value=None, interval=None, n=None, remedy="mend the cause named in the errors",
    )  # fmt: skip
    errors = ("fairness: test.csv:17: column 'race' holds only nulls",)
    verdict = decision(verdict="not_evaluated", violations=(missing,), errors=errors, insufficient=(), waived=())
    return report(verdict, found)


@cache
def huge(violations: int = 5_000, groups: int = 1_000) -> Report:
    measured = []
    for place in range(groups):
        n = 30 + place * 7 % 500
        region = {"region": f"postal code {place:05d}"}
        for rate, step in (("selection_rate", 37), ("true_positive_rate", 53), ("false_positive_rate", 71)):
            value = (place * step % 100) / 100
            measured.append(
                Measurement(f"fairness/{rate}", value, slice=region, n=n, positives=n // 2, negatives=n - n // 2,
                            interval=examples.interval(value * 0.9, value))
            )  # fmt: skip
    measured.append(Measurement("fairness/demographic_parity_difference", 0.99, across=("region",), n=100_000,
                                interval=examples.interval(0.9, 1.0)))  # fmt: skip
    many = tuple(
        replace(DISPARITY, policy=f"fairness_policy_{place:05d}", across=("region",),
                location=Location("law.yaml", place + 1), severity="critical" if place == violations - 1 else "high")
        for place in range(violations)
    )  # fmt: skip
    found = (examples.data(), Evidence("fairness", "measured", tuple(measured), rows=100_000), examples.performance())
    return report(decision(violations=many), found)


HOSTILE = (
    "@everyone ::set-output name=x::y",
    "<script>alert(1)</script>",
    "a\nb\r\n::error::c\n# d",
    "x | y | z",
    "`rm -rf` ``` ~~~",
    "\u202egnp.exe\u202c \u200f",
    "[click](https://example.com) ![i](//example.com/i.png) www.example.com org/repo#1",
    "\x1b[31mred\x1b[0m ##[error]x",
    "{{ 7 * 7 }} {% raw %} ${x} $x$ :tada: *a* _b_ </details> --> &lt;",
    "--- \" ' onload=alert(1) javascript:alert(1)",
)


def hostile(*texts: str) -> Report:
    """Every text that comes from outside is one of `texts`, or all of them where there can be but one."""
    texts = texts or HOSTILE
    text = " ".join(texts)
    measured = tuple(item for one in texts for item in _measured(one))
    files = tuple(FileDigest(one, "ab" * 32, 1) for one in texts)
    significance: dict[str, Any] = {"level": 0.05, "groups": {"tests": 4}}
    found = (
        Evidence("data", "measured", facts={
            "suites": [{"name": one, "evaluated": 1, "failed": 1, "expectations": [_expectation(one)]}
                       for one in texts],
            "schema_drift": [{"kind": one, "column": one, "detail": one} for one in texts],
        }, files=files),
        Evidence("explainability", "measured",
                 tuple(Measurement("explainability/" + one, 0.1, slice={"feature": one}) for one in texts),
                 facts={"technique": text, "explainer": text, "output": text,
                        "report": {"path": text, "sha256": text}}),
        Evidence("fairness", "measured", measured, facts=significance, reason=text),
        Evidence("lineage", "measured", facts=_origin(text), files=files),
        image(text),
        Evidence("performance", "declared", (Measurement("performance/" + text, 1.0),), reason=text),
        *(Evidence(one, "error", _measured(one), facts={one: [one, {one: one}]}, reason=one) for one in texts),
    )  # fmt: skip
    findings = tuple(_finding(one) for one in texts)
    waived = tuple(replace(item, waiver=Waiver(item.title, item.title, item.title, item.title, item.title, 0.1,
                                               Location(item.title, 3))) for item in findings)  # fmt: skip
    moved = tuple(LawChange(one, one, one, one, one, "loosened") for one in texts)
    verdict = decision(
        violations=findings, warnings=findings, waived=waived, insufficient=findings, errors=texts, engine=text,
        engine_version=text, id=text, policy_digest=text, law_digest=text, input_digest=text, policy_revision=text,
        cross_checked=text, law_changes=LawChanges(text, moved),
    )  # fmt: skip
    changes = Changes(text, "allowed", (0,), 1, texts, tuple(Delta(one, (one,), 0.1, None) for one in texts), False)
    law = tuple({"id": one, "type": one, one: [one, [one]]} for one in texts)
    timings = tuple((one, 0.1) for one in texts)
    return Report(text, text, verdict, found, {"input": {"dataset": text}}, law, timings, text, changes)


def _finding(text: str) -> Finding:
    return replace(
        DISPARITY, rule=text, policy=text, title=text, message=text + " ", remedy=text, measurement="fairness/" + text,
        clause=text, across=(text,), slice={text: text}, references=(text,), location=Location(text, 1),
    )  # fmt: skip


def _measured(text: str) -> tuple[Measurement, ...]:
    """A rate of a group, a disparity between groups, and one that could not be estimated."""
    interval = Interval(0.4, 0.6, 0.95, text)
    method: dict[str, Any] = {"tests": [{"limit": 0.05, "p": 0.01, "p_adjusted": 0.01}], text: text}
    return (
        Measurement("fairness/selection_rate", 0.5, slice={"group": text}, n=50, interval=interval),
        Measurement("fairness/" + text, 0.2, slice={text: text}, across=(text,), interval=interval, method=method),
        Measurement("fairness/" + text, None, "not_estimable", slice={text: text}, reason=text),
    )


def _expectation(text: str) -> dict[str, Any]:
    return {"type": text, "column": text, "success": False, "kwargs": {text: text}, "examples": [text],
            "unexpected_count": text, "element_count": text}  # fmt: skip


def _origin(text: str) -> dict[str, Any]:
    return {
        "model": {"name": text, "version": text, "uri": text, "registered": text, "aliases": [text], "run_id": text,
                  "tags": {text: text}, "params": {text: text}},
        "artifacts": {text: {"value": text, "source": text}}, "git": {"commit": text, "dirty": text},
        "training_features": [{"name": text, "type": text}], "data_card": {"path": text, "sha256": text},
    }  # fmt: skip
