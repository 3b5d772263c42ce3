"""The files under deploy/, and gator with them: Gatekeeper's own test program, which has the API server's CEL too."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.programs import required

DEPLOY = Path(__file__).parents[2] / "deploy"
POLICIES = ("pod-security", "admitted-images")
LIST = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "admitted-images", "namespace": "ml-compliance"}}

Document = dict[str, Any]


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def documents(path: Path) -> list[Document]:
    """The documents of a YAML file, made anew at every call."""
    return list(YAML(typ="safe").load_all(_text(path)))


def template(policy: str) -> Document:
    return documents(DEPLOY / "gatekeeper" / f"{policy}.template.yaml")[0]


def constraint(policy: str) -> Document:
    return documents(DEPLOY / "gatekeeper" / f"{policy}.constraint.yaml")[0]


def admission_policy(policy: str) -> tuple[Document, Document]:
    """The ValidatingAdmissionPolicy and its binding."""
    found, binding = documents(DEPLOY / "admission-policy" / f"{policy}.yaml")
    return found, binding


def in_rego(policy: str, admitted: Document) -> list[Document]:
    """What Gatekeeper has: template and constraint as committed, and the ConfigMap that it reads by sync."""
    return [template(policy), constraint(policy), {**LIST, "data": admitted}]


def in_cel(policy: str, admitted: Document) -> list[Document]:
    """The admission policy's very expressions, in a template for the API server's CEL.

    There `params` is the constraint and no ConfigMap, so the one that reads it reads the constraint's parameters.
    """
    spec = admission_policy(policy)[0]["spec"]
    source = {key: spec[key] for key in ("failurePolicy", "variables", "validations")}
    made, bound = template(policy), constraint(policy)
    if "paramKind" in spec:
        (reading,) = (one for one in source["variables"] if "params" in one["expression"])
        reading["expression"] = reading["expression"].replace("params", "variables.params")
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        made["spec"]["crd"]["spec"]["validation"] = {"openAPIV3Schema": schema}
        bound["spec"]["parameters"] = {"data": admitted}
    made["spec"]["targets"][0]["code"] = [{"engine": "K8sNativeValidation", "source": source}]
    return [made, bound]


ENGINES = {"rego": in_rego, "cel": in_cel}


def written(path: Path, found: Iterable[Document]) -> Path:
    """The documents as one file; JSON is YAML."""
    path.write_text("".join(f"---\n{json.dumps(one)}\n" for one in found), encoding="utf-8")
    return path


def judged(folder: Path, policies: Sequence[Document], objects: Iterable[Document]) -> dict[str, list[str]]:
    """What is said against each object, by its name; nothing against those that are admitted."""
    objects = list(objects)
    path = written(folder / "all.yaml", [*policies, *objects])
    done = subprocess.run(
        [required("gator"), "test", "--filename", str(path), "--output", "json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    said: dict[str, list[str]] = {one["metadata"]["name"]: [] for one in objects}
    for result in json.loads(done.stdout) or ():
        assert result["enforcementAction"] == "deny"
        said[result["violatingObject"]["metadata"]["name"]].append(result["msg"])
    assert len(said) == len(objects), "names are used twice"
    return {name: sorted(messages) for name, messages in said.items()}


def updated(folder: Path, policies: Sequence[Document], before: Document | None, after: Document) -> bool:
    """Whether a change of a workload, as the API server asks about it, is admitted; `before` is None for a new one."""
    group, _, version = after["apiVersion"].rpartition("/")
    request = {
        "uid": "1", "kind": {"group": group, "version": version, "kind": after["kind"]},
        "resource": {"group": group, "version": version, "resource": f"{after['kind'].lower()}s"},
        "name": after["metadata"]["name"], "namespace": after["metadata"]["namespace"], "operation": "UPDATE",
        "userInfo": {"username": "somebody"}, "object": after,
    }  # fmt: skip
    if before is not None:
        request["oldObject"] = before
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    made, bound, *inventory = policies
    for name, content in (("template", [made]), ("constraint", [bound]), ("review", [review]), ("data", inventory)):
        written(folder / f"{name}.yaml", content)
    asked = {
        "name": "asked", "object": "review.yaml", "assertions": [{"violations": "no"}],
        "inventory": ["data.yaml"] if inventory else [],
    }  # fmt: skip
    suite = {
        "apiVersion": "test.gatekeeper.sh/v1alpha1", "kind": "Suite", "metadata": {"name": "suite"},
        "tests": [{"name": "test", "template": "template.yaml", "constraint": "constraint.yaml", "cases": [asked]}],
    }  # fmt: skip
    path = written(folder / "suite.yaml", [suite])
    done = subprocess.run([required("gator"), "verify", str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        assert "unexpected number of violations" in done.stdout, done.stdout + done.stderr
    return done.returncode == 0
