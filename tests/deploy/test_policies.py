"""Gatekeeper's Rego and the API server's CEL admit the same workloads, and deny the others in the same words."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.deploy import workloads
from tests.deploy.manifests import ENGINES, admission_policy, in_rego, judged, updated
from tests.deploy.workloads import Case

CASES: dict[str, tuple[Case, ...]] = {
    "pod-security": (*workloads.ALLOWED, *workloads.ALONE, workloads.EVERY_RULE, *workloads.WRONG_TYPES),
    "admitted-images": (*workloads.ADMITTED_IMAGES, *workloads.UNADMITTED_IMAGES),
}
EVERY = [(policy, case) for policy, cases in CASES.items() for case in cases]


@cache
def answers(engine: str, policy: str) -> dict[str, list[str]]:
    """gator's answers to all cases of a policy, asked once."""
    with TemporaryDirectory() as folder:
        policies = ENGINES[engine](policy, workloads.LIST)
        return judged(Path(folder), policies, (case.workload for case in CASES[policy]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("policy", "case"), EVERY, ids=lambda value: getattr(value, "name", value))
def test_a_workload_is_judged(policy: str, case: Case, engine: str) -> None:
    said = answers(engine, policy)[case.name]
    if case.said is None:
        assert said
    else:
        assert said == sorted(case.said)


def test_each_rule_is_broken_alone_and_each_kind_is_both_allowed_and_denied() -> None:
    rules = {one["messageExpression"].split(": ' +")[0].lstrip("'").replace("\\'", "'") for policy in CASES
             for one in admission_policy(policy)[0]["spec"]["validations"] if "messageExpression" in one}  # fmt: skip
    broken = {case.said[0] for _, case in EVERY if case.said and len(case.said) == 1}
    assert len(rules) == 11
    assert {rule for rule in rules if any(said.startswith(f"{rule}: ") for said in broken)} == rules
    for cases in CASES.values():
        for allowed in (True, False):
            found = [case.workload["kind"] for case in cases if (case.said == ()) is allowed]
            assert set(found) == set(workloads.KINDS)
            assert len(found) >= (20 if cases == CASES["pod-security"] or not allowed else 10)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("policy", CASES)
def test_what_is_matched_and_not_known_is_denied(policy: str, engine: str, tmp_path: Path) -> None:
    made, bound, *rest = ENGINES[engine](policy, workloads.LIST)
    bound["spec"]["match"]["kinds"] = [{"apiGroups": ["*"], "kinds": ["*"]}]
    said = judged(tmp_path, [made, bound, *rest], (case.workload for case in workloads.UNKNOWN_KINDS))
    assert all(workloads.MALFORMED in said[case.name] for case in workloads.UNKNOWN_KINDS)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("data", [
    {}, {f"sha256.{workloads.ADMITTED}": ""}, {f"sha256.{workloads.ADMITTED}": "yes"},
    {f"sha256.{workloads.ADMITTED}": workloads.DECISION + "0"}, {f"sha256.{workloads.UNKNOWN}": workloads.DECISION},
    {workloads.ADMITTED: workloads.DECISION}, {f"sha256.{workloads.ADMITTED}": 5}, {"": workloads.DECISION},
    None, "x", [workloads.DECISION],
])  # fmt: skip
def test_a_list_without_a_decision_admits_nothing(data: Any, engine: str, tmp_path: Path) -> None:
    policies = ENGINES[engine]("admitted-images", data)
    assert all(judged(tmp_path, policies, (case.workload for case in workloads.ADMITTED_IMAGES)).values())


def test_another_configmap_or_none_admits_nothing(tmp_path: Path) -> None:
    made, bound, listed = in_rego("admitted-images", workloads.LIST)
    for others in ([], [{**listed, "metadata": {**listed["metadata"], "name": "other"}}],
                   [{**listed, "metadata": {**listed["metadata"], "namespace": "ml-production"}}]):  # fmt: skip
        said = judged(tmp_path, [made, bound, *others], (case.workload for case in workloads.ADMITTED_IMAGES))
        assert all(said.values())


def test_without_tiers_nothing_is_admitted(tmp_path: Path) -> None:
    made, bound, *rest = in_rego("pod-security", workloads.LIST)
    made["spec"]["crd"]["spec"].pop("validation")
    bound["spec"].pop("parameters")
    assert all(judged(tmp_path, [made, bound, *rest], (case.workload for case in workloads.ALLOWED)).values())


WRONG = {
    "pod-security": workloads.case("a", workloads.ALL_WRONG).workload,
    "admitted-images": workloads.case("a", workloads.deployment(workloads.container(image=workloads.OTHER))).workload,
}
FINALIZER = {"metadata": {"name": "a", "namespace": "ml-production", "finalizers": ["example.org/wait"]}}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("policy", CASES)
def test_an_update_is_judged_where_it_changes_what_runs(policy: str, engine: str, tmp_path: Path) -> None:
    policies, wrong = ENGINES[engine](policy, workloads.LIST), WRONG[policy]
    spec = wrong["spec"]["template"]["spec"]
    right = workloads.case("a", workloads.deployment()).workload
    other = workloads.case("a", workloads.deployment(*spec["containers"], workloads.container("second"))).workload
    retiered = workloads.case("a", workloads.workload("Deployment", spec, "other")).workload
    unknown, bare = {**wrong, "spec": {}}, {key: wrong[key] for key in ("apiVersion", "kind", "metadata")}
    assert updated(tmp_path, policies, wrong, {**wrong, **FINALIZER})
    assert updated(tmp_path, policies, wrong, right)
    for before, after in ((right, wrong), (wrong, other), (wrong, retiered), (None, wrong),
                          (unknown, unknown), (unknown, wrong), (bare, wrong), (bare, bare)):  # fmt: skip
        assert not updated(tmp_path, policies, before, after)
