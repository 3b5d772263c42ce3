"""The action of each task, one after the other in a job, and one without the set-up before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.actions import projects, rig

ACTIONS = "org/ml-compliance/actions"
CHAIN = rig.workflow(
    {"uses": f"{ACTIONS}/validate-data@v1", "id": "data",
     "with": {"working-directory": "predictions", "fail-on": "never", "out": "of data"}},
    {"uses": f"{ACTIONS}/setup@v1", "id": "setup"},
    {"run": '"$PROGRAM" --version', "env": {"PROGRAM": "${{ steps.setup.outputs.program }}"}},
    {"uses": f"{ACTIONS}/validate-model@v1", "id": "model", "continue-on-error": True,
     "with": {"working-directory": "predictions", "min-accuracy": "0.999", "require-explainability": "true",
              "post": "thresholds"}},
    {"uses": f"{ACTIONS}/build-submission@v1", "id": "submission", "with": {"working-directory": "predictions"}},
    {"uses": f"{ACTIONS}/query-opa@v1", "id": "decision",
     "with": {"working-directory": "predictions", "cross-check": "maybe"}},
)  # fmt: skip


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> rig.Run:
    scratch = tmp_path_factory.mktemp("tasks")
    projects.write(scratch / "repository")
    rig.repository(scratch / "repository", CHAIN)
    return rig.act(scratch / "repository", rig.checkout(scratch / "ours"), scratch, pulls=[])


def test_each_ends_with_the_exit_code_of_its_task(chain: rig.Run) -> None:
    codes = {step: chain.outputs(step)["exit-code"] for step in ("data", "model", "submission")}
    assert codes == {"data": "1", "model": "1", "submission": "0"}
    assert (chain.result("data"), chain.result("model")) == ("success", "failure")


def test_they_share_what_the_first_has_installed(chain: rig.Run) -> None:
    assert chain.text.count("ml-compliance: set up in") == 1
    assert "ml-compliance, version " in chain.text


def test_their_inputs_are_thresholds_of_the_law(chain: rig.Run) -> None:
    assert "--min-accuracy" in chain.text
    assert "--require-explainability" in chain.text


def test_what_was_judged_by_thresholds_is_published_by_them(chain: rig.Run) -> None:
    (check,) = chain.github["checks"]
    assert (check["name"], check["conclusion"]) == ("thresholds", "failure")
    assert "--min-accuracy" in check["output"]["summary"]
    assert chain.github["problems"] == []


def test_the_output_folder_is_named(chain: rig.Run) -> None:
    assert Path(chain.outputs("data")["folder"]).name == "of data"


def test_a_switch_that_is_neither_true_nor_false_is_refused(chain: rig.Run) -> None:
    assert chain.code == 1
    assert chain.annotations("error")[-1]["message"] == "the input cross-check is true or false"
    assert chain.outputs("decision")["exit-code"] == ""
