"""From the gate to the door: an image is judged, its digest written down, and the cluster runs it and no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests import images
from tests.deploy import workloads
from tests.deploy.manifests import ENGINES, judged
from tests.project import Project
from tests.registry import Registry, serving
from tests.scans import gate_on, judge

LAW = "  - {id: scanned, type: image}\n"


def patched(listed: dict[str, str], path: Path) -> dict[str, str]:
    """The list after `kubectl patch --type merge`, which is RFC 7386: null takes a key out."""
    patch: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    assert list(patch) == ["data"]
    return {key: value for key, value in {**listed, **patch["data"]}.items() if value is not None}


def gated(made: Project) -> tuple[int, Path]:
    code = judge(made).code
    assert made.run("publish").code == 0
    return code, made.out / "admission.json"


def test_what_the_gate_allows_is_admitted_until_it_is_denied(tmp_path: Path) -> None:
    good, bad = images.image(images.CLEAN), images.image(images.WOLFI)
    with serving(Registry({"credit:1": good, "credit:2": bad})) as registry:
        name = f"{registry.host}/credit"
        found = [
            workloads.case(label, workloads.deployment(workloads.container(image=f"{name}@{made.manifest}"))).workload
            for label, made in (("good", good), ("bad", bad))
        ]

        def admitted(listed: dict[str, str]) -> set[str]:
            answers = [judged(tmp_path, policies("admitted-images", listed), found) for policies in ENGINES.values()]
            assert answers[0] == answers[1]
            return {one for one, messages in answers[0].items() if not messages}

        assert admitted({}) == set()
        made = gate_on(tmp_path, f"{{name: '{name}:1'}}", LAW)
        code, path = gated(made)
        assert code == 0
        listed = patched({}, path)
        decision = json.loads((made.out / "decision.json").read_text(encoding="utf-8"))
        assert listed == {good.manifest.replace(":", "."): decision["id"]}
        assert admitted(listed) == {"good"}

        made = gate_on(tmp_path, f"{{name: '{name}@{bad.manifest}'}}", LAW)
        code, path = gated(made)
        assert code == 1
        assert patched(listed, path) == listed
        earlier = {**listed, bad.manifest.replace(":", "."): decision["id"]}
        assert admitted(earlier) == {"good", "bad"}
        assert patched(earlier, path) == listed
