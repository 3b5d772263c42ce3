"""Rego and CEL admit and deny alike, whatever a workload says: many of them, of values right, wrong and missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.deploy import workloads
from tests.deploy.manifests import ENGINES, POLICIES, judged
from tests.deploy.workloads import Document

MISSING = object()
SECURITY: dict[str, tuple[Any, ...]] = {
    "runAsNonRoot": (True, True, True, False, MISSING, "true", 1, None),
    "runAsUser": (MISSING, MISSING, 65532, 1, 0, -1, "1", True, None),
    "allowPrivilegeEscalation": (False, False, False, True, MISSING, "false", None),
    "privileged": (MISSING, MISSING, False, True, "false", None),
    "readOnlyRootFilesystem": (True, True, True, False, MISSING, 1, None),
    "capabilities": ({"drop": ["ALL"]}, {"drop": ["ALL"]}, {"drop": ["ALL"], "add": []}, {"drop": "ALL"}, MISSING, {},
                     {"drop": ["ALL"], "add": ["X"]}, {"drop": ["x"]}, {"drop": []}, {"drop": {"ALL": 1}}, [], None),
}  # fmt: skip
LIMITS: tuple[Any, ...] = ("1", "500m", "1Gi", 1, 0.5, "0", 0, "", MISSING, [], "1 Gi", None)
IMAGES = (workloads.IMAGE, workloads.IMAGE, workloads.IMAGE, workloads.OTHER, "credit:1", "", MISSING, 5, None)
TIERS = ("high-risk", "high-risk", "limited-risk", "secret", "", MISSING, 5, None)
LISTS = ("containers", "initContainers", "ephemeralContainers")
WRONG_LISTS: tuple[Any, ...] = ("x", {}, {"a": {}}, [], ["x"], 5, None)
RIGHT = 0.97  # of the values, so that some workloads are right as a whole


class Maker:
    """Makes up workloads, always the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def pick(self, values: Sequence[Any]) -> Any:
        """Mostly the first, which is right."""
        return values[0] if self.random.random() < RIGHT else values[int(self.random.integers(len(values)))]

    def security(self) -> Any:
        found = {key: self.pick(values) for key, values in SECURITY.items()}
        return self.pick((without_missing(found), {}, MISSING, "x", [], None))

    def container(self, name: str) -> Any:
        limits = without_missing({key: self.pick(LIMITS) for key in ("cpu", "memory")})
        made = {
            "name": self.pick((name, MISSING, 5, None)), "image": self.pick(IMAGES), "securityContext": self.security(),
            "resources": self.pick(({"limits": limits}, {}, MISSING, "x", None)),
        }  # fmt: skip
        return self.pick((without_missing(made), "x", None))

    def containers(self, key: str) -> Any:
        count = int(self.random.integers(key == "containers", 3))
        found = [self.container(f"{key}-{place}".lower()) for place in range(count)]
        return self.pick((found or MISSING, *WRONG_LISTS))

    def mounted(self) -> list[Any]:
        image = self.pick((without_missing({"reference": self.pick(IMAGES)}), {}, workloads.IMAGE, 5, [], None))
        made = {"name": self.pick(("weights", MISSING, 5, None)), "image": image}
        return [without_missing(made)] if self.random.random() < 0.5 else []

    def workload(self, name: str) -> Document:
        spec = {key: self.containers(key) for key in LISTS}
        spec |= {key: self.pick((MISSING, False, True, "x", None)) for key in ("hostNetwork", "hostPID", "hostIPC")}
        spec["securityContext"] = self.pick((MISSING, {"runAsUser": 0}, {"runAsNonRoot": True}, "x", [], None))
        spec["volumes"] = self.pick(
            ([{"name": "tmp", "emptyDir": {}}, *self.mounted()], [{"name": "h", "hostPath": {}}], *WRONG_LISTS)
        )
        kind = str(self.random.choice(list(workloads.KINDS)))
        tier = self.pick(TIERS)
        made = workloads.workload(kind, without_missing(spec), None if tier is MISSING else tier)
        return workloads.case(name, made).workload


def without_missing(found: Document) -> Document:
    return {key: value for key, value in found.items() if value is not MISSING}


@pytest.mark.parametrize("policy", POLICIES)
def test_engines_agree(policy: str, tmp_path: Path) -> None:
    made = Maker(20)
    found = [made.workload(f"w{place}") for place in range(1500)]
    admitted = {
        engine: {name for name, said in judged(tmp_path, policies(policy, workloads.LIST), found).items() if not said}
        for engine, policies in ENGINES.items()
    }
    assert admitted["rego"] == admitted["cel"]
    assert 300 < len(admitted["cel"]) < 1200
