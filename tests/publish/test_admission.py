"""What a cluster is told: an allowed image's digest with its decision, a denied one's taken back, and else nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ml_compliance.model import Decision, Evidence
from ml_compliance.publish import admission
from tests.publish import reports

HEX, ID = "c" * 64, "7f3a" * 16
ALLOWED = reports.decision(verdict="allowed", violations=(), waived=(), id=ID)
DENIED = reports.decision(id=ID)
NOT_EVALUATED = reports.decision(verdict="not_evaluated", violations=(), errors=("no engine",), id=ID)


def image(status: Any = "measured", **facts: Any) -> Evidence:
    return Evidence("image", status, facts={"digest": f"sha256:{HEX}", "digest_of": "manifest", **facts})


def patch(decision: Decision, *found: Evidence) -> object:
    artifact = admission.render(reports.report(decision, (*reports.evidence(), *found)))
    assert artifact.name == "admission.json"
    return json.loads(artifact.text)


@pytest.mark.parametrize(("decision", "written"), [
    (ALLOWED, {f"sha256.{HEX}": ID}), (DENIED, {f"sha256.{HEX}": None}), (NOT_EVALUATED, {}),
])  # fmt: skip
def test_the_verdict_decides(decision: Decision, written: dict[str, Any]) -> None:
    assert patch(decision, image()) == {"data": written}


@pytest.mark.parametrize("decision", [ALLOWED, DENIED, NOT_EVALUATED])
@pytest.mark.parametrize("found", [
    (), (image("declared"),), (image("error"),), (image("missing"),), (image(digest_of="configuration"),),
    (image(digest_of=None),), (Evidence("image", "measured"),), (replace(image(), name="deployment"),),
    *((image(digest=digest),) for digest in (None, 5, "", HEX, f"sha256:{HEX}0", f"sha256:{HEX.upper()}",
                                             f"sha256:{HEX}\n", f"sha512:{HEX}", "sha256:../x", [f"sha256:{HEX}"])),
])  # fmt: skip
def test_what_is_no_measured_manifest_changes_nothing(found: tuple[Evidence, ...], decision: Decision) -> None:
    assert patch(decision, *found) == {"data": {}}
