"""Nothing that is deployed gets past Trivy, however it is written or called: one weak pod in many disguises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.measure import _workloads
from tests import project
from tests.measure.test_deployment import DOCKERFILE, WORKLOAD, answer, evidence, made
from tests.scans import violations

__all__ = ["made"]
HOST, PRIVILEGED = "AVD-KSV-0010", "AVD-KSV-0017"
POD = "hostPID: true, containers: [{name: weak, image: a, securityContext: {privileged: true}}]"
WEAK = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: weak, namespace: models}}\nspec: {{{POD}}}\n"


def kind(name: str, spec: str) -> str:
    return f"apiVersion: example.org/v1\nkind: {name}\nmetadata: {{name: weak, namespace: models}}\nspec: {spec}\n"


TEMPLATE = f"{{template: {{spec: {{{POD}}}}}}}"


DISGUISES = {
    "pod.yaml": WEAK,
    "pod.YAML": WEAK,
    "pod.json": json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ü😀"}, "spec": {
        "hostPID": True, "containers": [{"name": "a", "image": "a", "securityContext": {"privileged": True}}]}}),
    "dockerfile.yaml": WEAK,
    "dev/pod.yaml": WEAK,
    "list.yaml": f"apiVersion: v1\nkind: List\nitems: [{{kind: Pod, metadata: {{name: a}}, spec: {{{POD}}}}}]\n",
    "blank.yaml": f"{WORKLOAD}--- \n{WEAK}",
    "comment.yaml": f"{WORKLOAD}--- # more\n{WEAK}",
    "returns.yaml": f"{WORKLOAD}---\n{WEAK}".replace("\n", "\r\n"),
    "yes.yaml": WEAK.replace("hostPID: true", "hostPID: on").replace("privileged: true", "privileged: yes"),
    "y.yaml": WEAK.replace("hostPID: true", "hostPID: y").replace("privileged: true", "privileged: Y"),
    "merged.yaml": f"x: &x {{{POD}}}\n" + WEAK.replace(POD, "<<: *x"),
    "merged_at_once.yaml": WEAK.replace(POD, f"<<: [{{{POD}}}]"),
    "tagged.yaml": WEAK.replace("kind: Pod", "kind: !!binary UG9k").replace("spec: {", "spec: !own {"),
    "rollout.yaml": kind("Rollout", TEMPLATE),
    "volcano.yaml": kind("Job", f"{{tasks: [{TEMPLATE}]}}"),
    "controller.yaml": kind("ReplicationController", TEMPLATE),
    "cron.yaml": kind("CronJob", f"{{jobTemplate: {{spec: {TEMPLATE}}}}}"),
    "template.yaml": f"apiVersion: v1\nkind: PodTemplate\nmetadata: {{name: a}}\ntemplate: {{spec: {{{POD}}}}}\n",
    "served.yaml": kind("InferenceService", f"{{predictor: {{{POD}}}}}"),
    "served_model.yaml": kind(
        "InferenceService", "{predictor: {hostPID: on, model: {storageUri: a, securityContext: {privileged: yes}}}}"
    ),
    "own_list.yaml": kind("PodList", TEMPLATE) + "items: []\n",
}  # fmt: skip


def test_a_weak_pod_is_found_however_it_is_written(made: project.Project) -> None:
    (made.folder / "deploy" / "dev").mkdir()
    for name, text in DISGUISES.items():
        made.write(f"deploy/{name}", text)
    assert answer(made) == 1
    expected = {f"{check} fails in deploy/{name}" for name in DISGUISES for check in (HOST, PRIVILEGED)}
    assert expected - {title for _, title in violations(made)} == set()
    assert {f"deploy/{name}" for name in DISGUISES} <= set(evidence(made)["facts"]["checked_files"])


def test_a_finding_has_the_line_of_its_object(made: project.Project) -> None:
    made.write("deploy/both.yaml", f"{WORKLOAD}--- # more\n{WEAK}")
    assert answer(made) == 1
    lines = {one["line"] for one in evidence(made)["facts"]["misconfigurations"] if one["check"] == HOST}
    assert lines == {WORKLOAD.count("\n") + 2}


@pytest.mark.parametrize("target", ["kept/pod.yaml", "kept"])
def test_a_link_is_followed_inside_of_the_project(target: str, made: project.Project) -> None:
    (made.folder / "kept").mkdir()
    made.write("kept/pod.yaml", WEAK)
    link = made.folder / "deploy" / "link.yaml"
    link.symlink_to(made.folder / target)
    assert answer(made) == 1
    file = "deploy/link.yaml" if target.endswith("yaml") else "deploy/link.yaml/pod.yaml"
    assert f"{HOST} fails in {file}" in {title for _, title in violations(made)}
    assert file in {one["path"] for one in evidence(made)["files"]}


def test_a_link_that_leads_elsewhere_is_not_followed_but_told(made: project.Project, tmp_path_factory: Any) -> None:
    elsewhere: Path = tmp_path_factory.mktemp("elsewhere") / "pod.yaml"
    elsewhere.write_text(WEAK)
    deploy = made.folder / "deploy"
    for name, target in {
        "a": elsewhere,
        "b": elsewhere.parent,
        "c": deploy / "none",
        "d": deploy / "d",
        "e": deploy,
    }.items():
        (deploy / name).symlink_to(target)
    assert answer(made) == 1
    assert violations(made) == {("deployment.not_checked", "the deployment files were not checked")}
    unread = {one["file"] for one in evidence(made)["facts"]["unread_files"]}
    assert unread == {f"deploy/{name}" for name in "abcde"}


@pytest.mark.parametrize("text", [
    WEAK + "kind: ConfigMap\n",
    "{{- if .Values.on }}\n" + WEAK + "{{- end }}\n",
    WEAK.replace("hostPID: true", "hostPID: false, <<: {hostPID: true}"),
    json.dumps({"kind": "ConfigMap"}) + json.dumps({"kind": "Pod"}),
    WEAK.replace("hostPID: true", "hostPID: true, priority: .nan"),
])  # fmt: skip
def test_a_manifest_that_readers_could_take_for_another_one_is_not_checked(text: str, made: project.Project) -> None:
    made.write("deploy/unclear.yaml", text)
    assert answer(made) == 1
    assert "deployment.not_checked" in {rule for rule, _ in violations(made)}
    assert "deploy/unclear.yaml" not in evidence(made)["facts"]["checked_files"]


def test_other_files_beside_manifests_are_no_violation(made: project.Project) -> None:
    made.write("deploy/values.yaml", "replicas: 3\nkind: 7\n")
    made.write("deploy/template.yaml", "Resources: {Bucket: !Sub {Name: !Ref own}}\n")
    made.write("deploy/Dockerfile.dockerignore", "**/*.pyc\n")
    made.write("deploy/kustomization.yaml", "kind: Kustomization\nresources: [workload.yaml]\n")
    made.write("deploy/readme.txt", "hello\n")
    assert answer(made) == 0, violations(made)


def test_keys_and_texts_stay_what_they_are() -> None:
    found = _workloads.read("kind: ConfigMap\ndata: {on: 'yes', y: &y !!str a, z: *y, t: 2020-01-01, e: =}\n")
    ((line, one),) = found.objects
    assert (line, one["data"]) == (1, {"on": "yes", "y": "a", "z": "a", "t": "2020-01-01", "e": "="})
    assert found.whole


@pytest.mark.parametrize("user", ["ARG U=root\nUSER $U", "USER ${U:-root}", "USER 00", "USER 65532\nFROM scratch"])
def test_a_root_user_is_found_however_it_is_written(user: str, made: project.Project) -> None:
    made.write("Dockerfile", DOCKERFILE.replace("USER 65532", user))
    assert answer(made) == 1
    assert violations(made) == {("deployment.misconfiguration", "AVD-DS-0002 fails in Dockerfile")}


@pytest.mark.parametrize(("old", "new", "image"), [
    ("--from=build", "--from=python:3", "python:3"),
    ("RUN pip", "RUN --mount=type=bind,from=python:3,target=/x pip", "python:3"),
    ("FROM docker.io", "# syntax=docker/dockerfile:1\nFROM docker.io", "docker/dockerfile:1"),
])  # fmt: skip
def test_images_are_pinned_wherever_they_are_named(old: str, new: str, image: str, made: project.Project) -> None:
    made.write("Dockerfile", DOCKERFILE.replace(old, new, 1))
    assert answer(made) == 1
    assert violations(made) == {("deployment.base_image", f"Dockerfile uses {image}")}


def test_a_dockerfile_that_cannot_be_read_is_not_checked(made: project.Project) -> None:
    made.write("deploy/Containerfile.weak", "FROM scratch\nNOTHING\nUSER 65532\n")
    assert answer(made) == 1
    assert "deployment.not_checked" in {rule for rule, _ in violations(made)}
