"""The shipped policy: its own tests, their coverage, and what is built from it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.decide import Request, decide, embedded
from ml_compliance.decide._build import build
from ml_compliance.decide._policy import rego_files
from ml_compliance.resources import policies_folder
from tests.policies import corpus

FOLDER = policies_folder()
CATALOG: dict[str, Any] = json.loads((FOLDER / "catalog.json").read_text(encoding="utf-8"))
_SPOKEN = ("violation", "warning", "insufficient", "error")
PLACEHOLDERS = {"value", "limit", "interval", "measured", "n", "slice", "across", "extremes", "values"}


def _opa(program: str, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, cwd=FOLDER)  # noqa: PLW1510
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_policy_is_strict_and_formatted(opa: str) -> None:
    _opa(opa, "check", "--strict", ".")
    assert _opa(opa, "fmt", "--list", ".") == ""


def test_policy_passes_its_own_tests_which_cover_all_of_it(opa: str) -> None:
    report = json.loads(_opa(opa, "test", "--coverage", "--format", "json", "."))
    shipped = {str(path.relative_to(FOLDER)) for path in rego_files()}
    lines = {name: lines["not_covered"] for name, lines in report["files"].items() if "not_covered" in lines}
    assert {name: lines[name] for name in shipped & lines.keys()} == {}
    assert shipped <= report["files"].keys()


def test_what_is_committed_is_what_is_built(opa: str, tmp_path: Path) -> None:
    build(tmp_path)
    for name in ("policy.wasm", "catalog.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), f"{name}: build it again"


def test_every_rule_that_the_policy_names_is_in_the_catalogue() -> None:
    named = set()
    for path in rego_files():
        text = path.read_text(encoding="utf-8")
        named |= set(re.findall(r'law\.finding\("([\w.]+)"', text))
        if path.parent.name == "integrity":
            named |= {f"{path.stem}.{name}" for name in re.findall(r'contains rule\("(\w+)"', text)}
    assert named == CATALOG["rules"].keys()


def test_every_rule_is_named_by_a_rego_test_of_its_family() -> None:
    """Which case breaks it is then held by that test; that each also has one that keeps it, by the corpus below."""
    for rule, entry in CATALOG["rules"].items():
        source = FOLDER / entry["source"].split(":")[0]
        tests = [source.with_name(f"{source.stem}_test.rego"), FOLDER / "deploy_test.rego"]
        assert any(f'"{rule}"' in file.read_text(encoding="utf-8") for file in tests), rule


@pytest.mark.parametrize("rule", CATALOG["rules"])
def test_templates_use_known_placeholders(rule: str) -> None:
    entry = CATALOG["rules"][rule]
    for template in (entry["title"], entry["message"], entry["remedy"]):
        assert set(re.findall(r"{(\w+)", template)) <= PLACEHOLDERS
    assert entry["severity"] in ("critical", "high", "medium", "low")
    assert all(entry[field] for field in ("title", "message", "remedy", "description", "reads"))


@pytest.mark.parametrize("kind", CATALOG["types"])
def test_parameters_of_the_catalogue_are_those_that_the_policy_knows(kind: str) -> None:
    """The annotation is for editors and the loader, the Rego decides: they name the same keys."""
    text = (FOLDER / "rules" / f"{kind}.rego").read_text(encoding="utf-8")
    known = re.search(r"law\.wrong_keys\(item, {([^}]*)}\)", text)
    assert known is not None
    assert set(re.findall(r'"(\w+)"', known.group(1))) == CATALOG["types"][kind]["parameters"]["properties"].keys()


def test_every_message_is_filled() -> None:
    """No case of the corpus leaves a placeholder without its value, but where the submission has none."""
    for name, (submission, law) in corpus.cases().items():
        if "." in name or not isinstance(submission["input"], dict) or "created" not in submission["input"]:
            continue
        if "digest" not in law or not isinstance(law["digest"], str) or not isinstance(law.get("policies"), list):
            continue
        found = decide(Request(submission, law), "embedded")
        for finding in (*found.violations, *found.warnings, *found.insufficient):
            assert "{" not in finding.title + finding.message + finding.remedy, name
            assert "(none)" not in finding.title + finding.remedy, (name, finding)


def test_every_rule_has_a_case_that_breaks_it_and_one_that_keeps_it() -> None:
    """Over the corpus, by the compiled policy: a rule that never speaks, or never is silent, is tried on nothing."""
    instance = embedded.shipped()
    broken: set[str] = set()
    kept: set[str] = set()
    for submission, law in corpus.cases().values():
        data = {"mlpolicy": {"law": law}}
        answer = instance.evaluate(submission["input"], data)
        spoken = {found["rule"] for name in _SPOKEN for found in answer[name]}
        policies = law.get("policies")
        items = [item for item in policies if isinstance(item, dict)] if isinstance(policies, list) else []
        types = {item["type"] for item in items if item.get("id") in answer["judged"]}
        broken |= spoken
        kept |= {
            name for name, rule in CATALOG["rules"].items()
            if name not in spoken and (rule["family"] in types or rule["family"] in ("law", "submission", "waivers"))
        }  # fmt: skip
    assert broken == CATALOG["rules"].keys()
    assert kept == CATALOG["rules"].keys()


def test_a_number_that_violates_a_limit_can_be_waived_up_to_a_ceiling() -> None:
    """It says in which direction it becomes worse. How something was measured is a number too, and cannot be waived."""
    how = {"fairness.minimum_too_low", "calibration.too_few_bins", "business_rules.undetermined"}
    instance = embedded.shipped()
    told: dict[str, set[str]] = {}
    for name, (submission, law) in corpus.cases().items():
        if "." in name:
            continue
        for found in instance.evaluate(submission["input"], {"mlpolicy": {"law": law}})["violation"]:
            if isinstance(found.get("limit"), int | float) and isinstance(found.get("value"), int | float):
                told.setdefault(found["rule"], set()).add(found.get("worse", "unstated"))
    assert {rule for rule, directions in told.items() if "unstated" in directions} <= how
    assert len(told) > len(how) + 10


def test_article_is_judged_as_written() -> None:
    submission, law = corpus.cases()["article"]
    decision = decide(Request(submission, law), "embedded")
    assert decision.verdict == "denied"
    assert [(finding.policy, finding.rule, finding.title) for finding in decision.violations] == [
        ("fairness_policy_001", "fairness.not_measured", "selection rate by postal_code_region was not measured"),
        ("lineage_policy_001", "data_lineage.missing_artifact", "feature_store_version is missing"),
    ]
