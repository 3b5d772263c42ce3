"""The manifests and Terraform under deploy/: valid, clean, and what the policies themselves admit."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from tests.deploy import workloads
from tests.deploy.manifests import (
    DEPLOY,
    POLICIES,
    Document,
    admission_policy,
    constraint,
    documents,
    in_rego,
    judged,
    template,
)
from tests.programs import required

DOCUMENTS = (DEPLOY.parent / "docs" / "deploy.md").read_text(encoding="utf-8")
MANIFESTS = sorted(path for folder in ("cluster", "admission-policy", "kubernetes")
                   for path in (DEPLOY / folder).glob("*.yaml") if path.name != "kustomization.yaml")  # fmt: skip
# The version in which admission policies became stable, and the newest that the schemas know.
VERSIONS = ("1.30", kubernetes_validate.latest_version().rpartition(".")[0])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_kubernetes_takes_it(path: Path, version: str) -> None:
    for document in documents(path):
        kubernetes_validate.validate(document, version, strict=True)


def test_the_kustomization_names_every_file_beside_it() -> None:
    named = documents(DEPLOY / "kubernetes" / "kustomization.yaml")[0]["resources"]
    found = {path.name for path in (DEPLOY / "kubernetes").iterdir()} - {"kustomization.yaml"}
    assert sorted(named) == sorted(found)


def test_the_model_server_is_admitted_once_its_image_is(tmp_path: Path) -> None:
    (found,) = documents(DEPLOY / "kubernetes" / "deployment.yaml")
    assert found["spec"]["template"]["spec"]["containers"][0]["image"].endswith("@sha256:" + "0" * 64)
    assert judged(tmp_path, in_rego("pod-security", workloads.LIST), [found]) == {"credit": []}
    unfilled = judged(tmp_path, in_rego("admitted-images", workloads.LIST), [found])
    assert unfilled == {"credit": [workloads.UNADMITTED.format("model")]}
    found["spec"]["template"]["spec"]["containers"][0]["image"] = workloads.IMAGE
    assert judged(tmp_path, in_rego("admitted-images", workloads.LIST), [found]) == {"credit": []}


def test_both_twins_match_the_same_workloads_in_the_same_namespace() -> None:
    for policy in POLICIES:
        found, binding = admission_policy(policy)
        match = constraint(policy)["spec"]["match"]
        kinds = {f"{kind.lower()}s" for one in match["kinds"] for kind in one["kinds"]}
        rules = found["spec"]["matchConstraints"]["resourceRules"]
        assert {name for rule in rules for name in rule["resources"] if "/" not in name} == kinds
        assert kinds == {f"{kind.lower()}s" for kind in workloads.KINDS}
        assert [rule["apiGroups"] for rule in rules] == [one["apiGroups"] for one in match["kinds"]]
        assert all(rule["operations"] == ["CREATE", "UPDATE"] for rule in rules)
        assert {"pods/ephemeralcontainers", "pods/resize"} <= {name for rule in rules for name in rule["resources"]}
        (namespace,) = match["namespaces"]
        selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
        assert binding["spec"]["matchResources"] == {"namespaceSelector": selector}


def test_nothing_fails_open() -> None:
    for policy in POLICIES:
        found, binding = admission_policy(policy)
        assert found["spec"]["failurePolicy"] == "Fail"
        assert (binding["spec"]["policyName"], binding["spec"]["validationActions"]) == (f"ml-{policy}", ["Deny"])
        assert constraint(policy)["spec"]["enforcementAction"] == "deny"
    assert admission_policy("admitted-images")[1]["spec"]["paramRef"] == {
        "name": "admitted-images", "namespace": "ml-compliance", "parameterNotFoundAction": "Deny",
    }  # fmt: skip


def _code(policy: str) -> dict[str, Any]:
    (code,) = template(policy)["spec"]["targets"][0]["code"]
    source: dict[str, Any] = code["source"]
    return source


def _variables(policy: str) -> dict[str, str]:
    return {one["name"]: one["expression"] for one in admission_policy(policy)[0]["spec"]["variables"]}


def test_what_the_policies_share_is_the_same() -> None:
    assert len({_code(policy)["libs"][0] for policy in POLICIES}) == 1
    assert {_code(policy)["version"] for policy in POLICIES} == {"v1"}
    first, second = map(_variables, POLICIES)
    shared = first.keys() & second.keys()
    assert {"templates", "pod", "unchanged", "containers", "wellFormed"} <= shared
    assert {name: first[name] for name in shared} == {name: second[name] for name in shared}
    assert first["tiers"] == str(constraint("pod-security")["spec"]["parameters"]["tiers"])


def test_the_list_can_be_written_by_its_role_alone_and_starts_empty() -> None:
    found: dict[str, Document] = {one["kind"]: one for one in documents(DEPLOY / "cluster" / "admitted-images.yaml")}
    listed = found["ConfigMap"]
    assert (listed["metadata"]["name"], listed["metadata"]["namespace"]) == ("admitted-images", "ml-compliance")
    assert "data" not in listed
    assert found["Role"]["rules"] == [{"apiGroups": [""], "resources": ["configmaps"],
                                       "resourceNames": ["admitted-images"], "verbs": ["get", "patch"]}]  # fmt: skip


def findings(folder: Path, cache: Path) -> list[tuple[str, str]]:
    """File and check of everything that Trivy finds, of any severity."""
    done = subprocess.run(
        [required("trivy"), "config", "--skip-check-update", "--skip-version-check", "--format", "json",
         "--cache-dir", str(cache), str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    results = json.loads(done.stdout)["Results"]
    assert {"kubernetes", "terraform"} <= {result["Type"] for result in results}
    return sorted((result["Target"], found["AVDID"]) for result in results
                  for found in result.get("Misconfigurations") or ())  # fmt: skip


def test_trivy_finds_only_what_is_explained(tmp_path: Path) -> None:
    found = findings(DEPLOY, tmp_path)
    assert found == [("cluster/admitted-images.yaml", "AVD-KSV-0049")]
    assert all(check in DOCUMENTS for _, check in found)


@pytest.mark.parametrize(("file", "old", "new", "check"), [
    ("kubernetes/deployment.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "AVD-KSV-0014"),
    ("kubernetes/deployment.yaml", "@sha256:" + "0" * 64, ":latest", "AVD-KSV-0013"),
    ("terraform/main.tf", "restrict_public_buckets = true", "restrict_public_buckets = false", "AVD-AWS-0093"),
    ("terraform/main.tf", 'status = "Enabled"', 'status = "Suspended"', "AVD-AWS-0090"),
    ("terraform/main.tf", "kms_master_key_id = aws_kms_key.evidence.arn", "", "AVD-AWS-0132"),
    ("terraform/main.tf", 'resource "aws_s3_bucket_logging"', 'resource "aws_s3_bucket_metric"', "AVD-AWS-0089"),
    ("terraform/main.tf", "enable_key_rotation     = true", "enable_key_rotation = false", "AVD-AWS-0065"),
])  # fmt: skip
def test_trivy_would_find_it(file: str, old: str, new: str, check: str, tmp_path: Path) -> None:
    copy = tmp_path / "deploy"
    shutil.copytree(DEPLOY, copy)
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new), encoding="utf-8")
    assert check in {found for _, found in findings(copy, tmp_path / "cache")}


def test_gatekeeper_is_told_to_read_what_its_templates_need() -> None:
    folder, asked = DEPLOY / "gatekeeper", [required("gator"), "sync", "test", "--force-omit-gvk-manifest"]
    done = subprocess.run([*asked, "--filename", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    without = ["--filename", str(folder / "admitted-images.template.yaml")]
    done = subprocess.run([*asked, *without], capture_output=True, text=True, check=False)
    assert (done.returncode, "ConfigMap" in done.stderr) == (1, True)
