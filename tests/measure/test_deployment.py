"""Dockerfiles, Kubernetes and Terraform, checked by the real Trivy with the checks that are built into it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.measure import _dockerfile, _workloads
from tests import project
from tests.programs import required
from tests.scans import judge, violations

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
VOLUME = 'resource "aws_ebs_volume" "data" {\n  availability_zone = "eu-west-1a"\n  size = 8\n}\n'
ENCRYPTION = """\
resource "aws_kms_key" "own" {
  enable_key_rotation = true
}
resource "aws_s3_bucket_server_side_encryption_configuration" "evidence" {
  bucket = aws_s3_bucket.evidence.id
  rule {
    apply_server_side_encryption_by_default {
      kms_master_key_id = aws_kms_key.own.arn
      sse_algorithm     = "aws:kms"
    }
  }
}
"""
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


def test_terraform_without_encryption_is_denied_and_with_it_allowed(made: project.Project) -> None:
    """Only what the law names is asked for: a bucket by a key of one's own, a volume by any."""
    item = "{id: d, type: deployment, severities: [unknown], checks: [AVD-AWS-0132, AVD-AWS-0026]}"
    made.write("compliance_policy.yaml", f"project: loans\npolicies:\n  - {item}\n")
    made.write("deploy/main.tf", BUCKET + VOLUME)
    assert answer(made) == 1
    assert violations(made) == {
        ("deployment.misconfiguration", "AVD-AWS-0132 fails in deploy/main.tf"),
        ("deployment.misconfiguration", "AVD-AWS-0026 fails in deploy/main.tf"),
    }
    made.write("deploy/main.tf", BUCKET + ENCRYPTION + VOLUME.replace("size = 8", "size = 8\n  encrypted = true"))
    assert answer(made) == 0, violations(made)


def labelled(made: project.Project, labels: str = "[compliance-tier]") -> set[tuple[str, str]]:
    """What is wrong where the law asks for these labels alone."""
    asked = f"severities: [unknown], checks: [AVD-NIF-0001], pinned_base: false, labels: {labels}"
    item = f"{{id: d, type: deployment, {asked}}}"
    made.write("compliance_policy.yaml", f"project: loans\npolicies:\n  - {item}\n")
    code = answer(made)
    found = violations(made)
    assert code == bool(found)
    return found


def test_labels_of_images_and_workloads(made: project.Project) -> None:
    assert labelled(made) == {
        ("deployment.label", "image of Dockerfile has no label compliance-tier"),
        ("deployment.label", "Deployment credit has no label compliance-tier"),
    }
    made.write("Dockerfile", DOCKERFILE + 'LABEL compliance-tier="high" owner=risk\n')
    made.write("deploy/workload.yaml", WORKLOAD.replace("labels: {app: credit}}", "labels: {compliance-tier: high}}"))
    assert labelled(made) == set()


CRON = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, labels: {compliance-tier: high}}
spec:
  schedule: "0 3 * * *"
  jobTemplate: {spec: {template: {metadata: {labels: {%s}}, spec: {containers: [{name: a, image: a}]}}}}
"""
LIST = """\
apiVersion: v1
kind: List
items:
  - {kind: Pod, metadata: {name: one, labels: {%s}}, spec: {containers: [{name: a, image: a}]}}
  - {kind: ConfigMap, metadata: {name: notes}, data: {text: "{{ not a template }}"}}
"""
ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: blue}
spec: {template: {metadata: {labels: {%s}}, spec: {containers: [{name: a, image: a}]}}}
"""
SERVED = "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: credit, labels: {%s}}\n"


@pytest.mark.parametrize(("manifest", "workload"), [
    (CRON, "CronJob nightly"), (LIST, "Pod one"), (ROLLOUT, "Rollout blue"), (SERVED, "InferenceService credit"),
    (f"---\nkind: Service\n---\n{LIST}", "Pod one"),
])  # fmt: skip
def test_labels_are_found_wherever_pods_are_described(manifest: str, workload: str) -> None:
    for none in ("", 'tier: ""', 'tier: "{{ .Values.tier }}"', "tier: 7", "tier: null"):
        assert _workloads.read(manifest % none).workloads == (_workloads.Workload(workload, ()),)
    assert _workloads.read(manifest % "tier: high").workloads == (_workloads.Workload(workload, ("tier",)),)


def test_one_template_for_two_workloads_counts_for_both() -> None:
    pod = "spec: &pod {template: {metadata: {labels: {tier: high}}, spec: {containers: []}}}"
    text = f"kind: List\nitems:\n- {{kind: Job, {pod}}}\n- {{kind: Deployment, spec: *pod}}\n"
    assert [one.workload for one in _workloads.read(text).workloads] == ["Job", "Deployment"]


@pytest.mark.parametrize("manifest", [
    "kind: Deployment\nmetadata:\n  labels:\n    {{- include \"labels\" . | nindent 4 }}\n",
    "{{- if .Values.on }}\nkind: Pod\n{{- end }}\n", "kind: Deployment\nmetadata: {name: empty}\n", "a: !!set {b}\n",
    "kind: Pod\nkind: Pod\n", "kind: Deployment\nspec: {template: {spec: {containers: none}}}\n",
    "&a [*a, *b]\n", "kind: Job\nspec: " + "{a: " * 150 + "}" * 150 + "\n",
])  # fmt: skip
def test_what_cannot_be_read_is_told(manifest: str) -> None:
    with pytest.raises(ValueError, match=r"it is no plain YAML|has no pod template|nested too deep"):
        _workloads.read(manifest)


def test_what_cannot_be_read_has_unknown_labels(made: project.Project) -> None:
    made.write("Dockerfile", DOCKERFILE + 'LABEL a="b\n')
    made.write("deploy/workload.yaml", "{{- if .Values.on }}\nkind: Pod\n{{- end }}\n")
    assert labelled(made) == {
        ("deployment.labels_not_read", f"it is not known which labels {what} has")
        for what in ("Dockerfile", "deploy/workload.yaml", "what is deployed")
    } | {("deployment.not_checked", "the deployment files were not checked")}


def test_where_nothing_is_deployed_no_label_is_known(made: project.Project) -> None:
    made.write("deploy/main.tf", BUCKET)
    made.write("compliance.yaml", f"{project.FACTS}deployment: {{files: [deploy/main.tf]}}\n")
    assert {rule for rule, _ in labelled(made)} == {"deployment.labels_not_read"}


@pytest.mark.parametrize(("text", "labels"), [
    ("FROM a\nLABEL x=1 \"y z\"='2 3'\n", ("x", "y z")),
    ("FROM a\nLABEL x=1 \\\n  # and\n  y=2\n", ("x", "y")),
    ("# escape=`\nFROM a\nlabel x=1 `\n y=2\n", ("x", "y")),
    ("FROM a\nLABEL x many words\n", ("x",)),
    ("FROM a\nLABEL x=1 y=\nLABEL x=\"\"\n", ()),
    ("FROM a AS one\nLABEL x=1\nFROM b\n", ()),
    ("FROM a AS one\nLABEL x=1\nFROM one\nLABEL y=1\n", ("x", "y")),
    ("FROM a\nRUN cat <<END > b\nLABEL x=1\nEND\n", ()),
    ("FROM a\nRUN echo $((1 <<2)) <<END\nLABEL x=1\n", ()),  # it may be inside of what is fed
    ("", ()),
])  # fmt: skip
def test_labels_of_a_dockerfile(text: str, labels: tuple[str, ...]) -> None:
    assert _dockerfile.labels(text) == labels


def test_a_comment_does_not_hide_a_finding(made: project.Project) -> None:
    made.write("Dockerfile", "#trivy:ignore:AVD-DS-0002\n" + DOCKERFILE.replace("USER 65532\n", ""))
    assert answer(made) == 1
    assert "deployment.ignored_check" in {rule for rule, _ in violations(made)}


def test_base_images_are_pinned_and_approved(made: project.Project) -> None:
    made.write("Dockerfile", DOCKERFILE.replace(f"python:3.12-slim{DIGEST} AS", "python:3.12-slim AS"))
    assert answer(made) == 1
    assert violations(made) == {("deployment.base_image", "Dockerfile uses docker.io/library/python:3.12-slim")}
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
    assert ("deployment.base_image", "Dockerfile uses ${RUNTIME_IMAGE}") in violations(made)


def test_files_of_no_known_kind_are_no_evidence(made: project.Project) -> None:
    made.write("notes.txt", "hello\n")
    made.write("compliance.yaml", f"{project.FACTS}deployment: {{files: [notes.txt]}}\n")
    assert answer(made) == 1
    assert {rule for rule, _ in violations(made)} == {"deployment.not_checked"}


def test_a_file_that_is_not_there_is_a_mistake(made: project.Project) -> None:
    made.write("compliance.yaml", f"{project.FACTS}deployment: {{files: [none]}}\n")
    result = made.run("measure", "deployment")
    assert (result.code, "none: there is no such file" in result.err) == (2, True)
