"""Dockerfiles, Kubernetes and Terraform, checked by the real Trivy with the checks that are built into it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests import project
from tests.measure.test_image import judge, violations
from tests.programs import required

DIGEST = "@sha256:" + "a" * 64
DOCKERFILE = f"""\
FROM docker.io/library/python:3.12-slim{DIGEST} AS build
RUN pip install --no-cache-dir --target /app mlflow
FROM docker.io/library/python:3.12-slim{DIGEST}
COPY --from=build /app /app
USER 65532
HEALTHCHECK CMD ["python", "-c", "pass"]
ENTRYPOINT ["python", "-m", "app"]
"""
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: credit, namespace: models}
spec:
  selector: {matchLabels: {app: credit}}
  template:
    metadata: {labels: {app: credit}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: credit
          image: registry.example.org/credit@sha256:SHA
          resources: {limits: {cpu: "1", memory: 1Gi}, requests: {cpu: "1", memory: 1Gi}}
          securityContext:
            {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true,
             capabilities: {drop: [ALL]}}
""".replace("SHA", "a" * 64)
BUCKET = 'resource "aws_s3_bucket" "evidence" {\n  bucket = "evidence"\n}\n'


@pytest.fixture
def made(tmp_path: Path) -> project.Project:
    """A project with a Dockerfile and a workload that nothing is wrong with."""
    required("trivy")
    made = project.make(tmp_path)
    (tmp_path / "deploy").mkdir()
    made.write("Dockerfile", DOCKERFILE)
    made.write("deploy/workload.yaml", WORKLOAD)
    made.write("compliance.yaml", f"{project.FACTS}deployment: {{files: [Dockerfile, deploy]}}\n"
               f"scanner: {{cache: {tmp_path / 'cache'}, offline: true}}\n")  # fmt: skip
    made.write("compliance_policy.yaml", "project: loans\npolicies:\n  - {id: deployed, type: deployment}\n")
    return made


def evidence(made: project.Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made.out / "evidence" / "deployment.json").read_text())
    return found


def answer(made: project.Project) -> int:
    return judge(made, "deployment").code


def test_files_that_nothing_is_wrong_with_are_allowed(made: project.Project) -> None:
    assert answer(made) == 0, violations(made)
    facts = evidence(made)["facts"]
    assert facts["checked_files"] == ["Dockerfile", "deploy/workload.yaml"]
    assert {(one["pinned"], one["line"]) for one in facts["base_images"]} == {(True, 1), (True, 3)}
    assert {file["path"] for file in evidence(made)["files"]} == {"Dockerfile", "deploy/workload.yaml"}


@pytest.mark.parametrize(("file", "old", "new", "check"), [
    ("Dockerfile", "USER 65532\n", "", "AVD-DS-0002"),
    ("Dockerfile", f":3.12-slim{DIGEST}\nCOPY", ":latest\nCOPY", "AVD-DS-0001"),
    ("deploy/workload.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "AVD-KSV-0012"),
    ("deploy/workload.yaml", 'limits: {cpu: "1", memory: 1Gi}, ', "", "AVD-KSV-0018"),
    ("deploy/workload.yaml", f"credit@sha256:{'a' * 64}", "credit:latest", "AVD-KSV-0013"),
    ("deploy/workload.yaml", "readOnlyRootFilesystem: true, ", "", "AVD-KSV-0014"),
])  # fmt: skip
def test_each_weakness_is_found(file: str, old: str, new: str, check: str, made: project.Project) -> None:
    text = (made.folder / file).read_text()
    assert old in text
    made.write(file, text.replace(old, new))
    assert answer(made) == 1
    assert f"{check} fails in {file}" in {title for _, title in violations(made)}


def test_terraform_without_encryption_is_denied(made: project.Project) -> None:
    made.write("deploy/main.tf", BUCKET)
    assert answer(made) == 1
    assert ("deployment.misconfiguration", "AVD-AWS-0132 fails in deploy/main.tf") in violations(made)


def test_a_comment_does_not_hide_a_finding(made: project.Project) -> None:
    made.write("Dockerfile", "#trivy:ignore:AVD-DS-0002\n" + DOCKERFILE.replace("USER 65532\n", ""))
    assert answer(made) == 1
    assert "deployment.ignored_check" in {rule for rule, _ in violations(made)}


def test_base_images_are_pinned_and_approved(made: project.Project) -> None:
    made.write("Dockerfile", DOCKERFILE.replace(f"python:3.12-slim{DIGEST} AS", "python:3.12-slim AS"))
    assert answer(made) == 1
    assert violations(made) == {("deployment.base_image", "Dockerfile starts from docker.io/library/python:3.12-slim")}
    item = "{id: d, type: deployment, pinned_base: false, base_images: [docker.io/library/]}"
    law = f"project: loans\npolicies:\n  - {item}\n"
    made.write("compliance_policy.yaml", law)
    assert answer(made) == 0
    made.write("compliance_policy.yaml", law.replace("docker.io/", "registry.example.org/"))
    assert answer(made) == 1


def test_our_own_dockerfile_is_allowed_by_the_digests_of_its_args(made: project.Project) -> None:
    ours = (Path(__file__).parents[2] / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    made.write("Dockerfile", ours)
    facts = (made.folder / "compliance.yaml").read_text()
    made.write("compliance.yaml", facts.replace("Dockerfile, deploy", "Dockerfile"))
    asked = "severities: [critical, high, medium, low, unknown], base_images: [docker.io/library/, gcr.io/distroless/]"
    made.write("compliance_policy.yaml", f"project: loans\npolicies:\n  - {{id: d, type: deployment, {asked}}}\n")
    assert answer(made) == 0, violations(made)
    bases = evidence(made)["facts"]["base_images"]
    assert [(one["image"].partition("@")[0], one["pinned"]) for one in bases] == [
        ("docker.io/library/python:3.11-slim-bookworm", True), ("gcr.io/distroless/python3-debian12:nonroot", True),
    ]  # fmt: skip
    without = re.sub("^ARG RUNTIME_IMAGE=.*", "ARG RUNTIME_IMAGE", ours, flags=re.MULTILINE)
    assert without != ours
    made.write("Dockerfile", without)
    assert answer(made) == 1
    assert ("deployment.base_image", "Dockerfile starts from ${RUNTIME_IMAGE}") in violations(made)


def test_files_of_no_known_kind_are_no_evidence(made: project.Project) -> None:
    made.write("notes.txt", "hello\n")
    made.write("compliance.yaml", f"{project.FACTS}deployment: {{files: [notes.txt]}}\n")
    assert answer(made) == 1
    assert {rule for rule, _ in violations(made)} == {"deployment.not_checked"}


def test_a_file_that_is_not_there_is_a_mistake(made: project.Project) -> None:
    made.write("compliance.yaml", f"{project.FACTS}deployment: {{files: [none]}}\n")
    result = made.run("measure", "deployment")
    assert (result.code, "none: there is no such file" in result.err) == (2, True)
