"""Actions, command line and documentation agree: no input without its option, none forgotten, none read twice."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from ml_compliance import entry_points
from ml_compliance.cli import main
from ml_compliance.yaml_file import read_yaml
from tests.actions import rig

DOCUMENT = (rig.ROOT / "docs" / "github.md").read_text(encoding="utf-8")
# What an action runs, by its folder.
COMMANDS: dict[str, click.Command] = {
    "": main.commands["gate"],
    "build-submission": entry_points.build_submission,
    "monitor": entry_points.monitor,
    "post-results": main.commands["post"],
    "query-opa": main.commands["decide"],
    "scan-image": entry_points.scan_image,
    "validate-data": entry_points.validate_data,
    "validate-model": entry_points.validate_model,
}
# What is of no use in a job, or belongs to the action alone.
NO_INPUT = {"--json", "--timings", "--explain"}
_TASK = {"working-directory", "fail-on", "python", "tools"}
OWN = {
    "": {*_TASK, "artifact", "sarif", "token", "name", "comment", "check", "dry-run"},
    "post-from-fork": {"config", "policy", "name", "dry-run", "artifact", "token", "working-directory", "python"},
    "post-results": {"token", "working-directory", "python"},
    "setup": {"python", "tools"},
    **dict.fromkeys(("build-submission", "query-opa"), _TASK),
    **{name: {*_TASK, "post", "token"} for name in ("monitor", "scan-image", "validate-data", "validate-model")},
}
TASKS = [(rig.ROOT / folder if not folder else rig.ROOT / "actions" / folder, command)
         for folder, command in COMMANDS.items()]  # fmt: skip


def action(folder: Path) -> dict[str, Any]:
    return dict(read_yaml(folder / "action.yml", "action.yml").data)


def folder_of(path: Path) -> str:
    return "" if path.parent == rig.ROOT else path.parent.name


def options(command: click.Command) -> dict[str, click.Option]:
    """Options by their long name, without the dashes."""
    names = {item.name for item in command.params}
    # An action judges first, and then publishes; where, is for post-results to choose.
    channels = {"--post", "--comment", "--check"} if "post" in names else set()
    found = [item for item in command.params
             if isinstance(item, click.Option) and item.opts[0] not in NO_INPUT | channels]  # fmt: skip
    return {item.opts[0].removeprefix("--"): item for item in found}


def test_every_action_is_known_here() -> None:
    assert {folder_of(path) for path in rig.ACTIONS} == set(OWN)


@pytest.mark.parametrize(("folder", "command"), TASKS, ids=lambda item: getattr(item, "name", ""))
def test_inputs_are_the_options_of_the_command(folder: Path, command: click.Command) -> None:
    inputs = action(folder)["inputs"]
    expected = options(command)
    assert set(inputs) == set(expected) | OWN[folder_of(folder / "action.yml")]
    for name, option in expected.items():
        assert inputs[name]["description"] == option.help
        switch = "true" if option.default is True else "false"
        default = switch if option.is_flag else option.default if isinstance(option.default, str) else ""
        assert inputs[name]["default"] == default, name


def reached(step: dict[str, Any]) -> set[str]:
    """The options that a step passes on, each with the input of its name."""
    words = step["run"].split()[2:]
    for word in words:
        name = word.removesuffix("=")
        assert step["env"][f"INPUT_{name.upper().replace('-', '_')}"] == f"${{{{ inputs.{name} }}}}"
    assert len(set(words)) == len(words)
    return set(words)


@pytest.mark.parametrize(("folder", "command"), TASKS, ids=lambda item: getattr(item, "name", ""))
def test_inputs_reach_the_command(folder: Path, command: click.Command) -> None:
    judging, *publishing = [item for item in action(folder)["runs"]["steps"] if "run.sh" in item.get("run", "")]
    expected = {name + "=" * (not option.is_flag) for name, option in options(command).items()}
    assert reached(judging) == expected
    if "post" in OWN[folder_of(folder / "action.yml")]:
        # By the same options it finds the same law; and only what publishes is given the token.
        (step,) = publishing
        assert reached(step) == expected | {"post="}
        assert step["run"].split()[1] == judging["run"].split()[1]
        assert [one["name"] for one in (judging, step) if "inputs.token" in str(one)] == ["Publish"]


def test_the_whole_gate_publishes_as_post_results_does() -> None:
    whole, alone = action(rig.ROOT)["inputs"], action(rig.ROOT / "actions" / "post-results")["inputs"]
    for name in options(main.commands["post"]):
        assert whole[name] == alone[name]
    steps = [step for step in action(rig.ROOT)["runs"]["steps"] if 'run.sh" post ' in step.get("run", "")]
    words = steps[0]["run"].split()[2:]
    assert sorted(word.removesuffix("=") for word in words) == sorted(options(main.commands["post"]))
    # Only what publishes is given the token.
    given = [step["name"] for step in action(rig.ROOT)["runs"]["steps"] if "inputs.token" in str(step)]
    assert given == ["Publish"]


def test_the_workflow_for_forks_takes_what_its_action_takes() -> None:
    workflow = read_yaml(rig.ROOT / ".github" / "workflows" / "post-from-fork.yml", "post-from-fork.yml").data
    call, (job,) = workflow["on"]["workflow_call"], workflow["jobs"].values()
    expected = action(rig.ROOT / "actions" / "post-from-fork")["inputs"]
    # A workflow takes a token as a secret only.
    assert set(expected) == set(call["inputs"]) | set(call["secrets"])
    for name, declared in call["inputs"].items():
        assert declared["description"] == expected[name]["description"]
        assert str(declared["default"]).lower() == expected[name]["default"], name
        assert declared["type"] == ("boolean" if isinstance(declared["default"], bool) else "string")
    step = next(item for item in job["steps"] if item["uses"] == "$/actions/post-from-fork")
    given = {name: f"${{{{ inputs.{name} }}}}" for name in call["inputs"]}
    assert step["with"] == given | {"token": "${{ secrets.token || github.token }}"}
    caller = YAML(typ="safe").load(rig.shown("docs/github.md", "fork"))["jobs"]["comment"]
    assert caller["permissions"] == job["permissions"]
    assert caller["uses"] == "org/ml-compliance/.github/workflows/post-from-fork.yml@v1"


@pytest.mark.parametrize("path", rig.ACTIONS, ids=folder_of)
def test_every_input_is_used_and_none_is_undeclared(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(action(path.parent)["inputs"])


@pytest.mark.parametrize("path", rig.ACTIONS, ids=folder_of)
def test_every_switch_and_default_is_text(path: Path) -> None:
    for name, declared in action(path.parent)["inputs"].items():
        assert isinstance(declared["default"], str), name


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
def test_the_documentation_lists_what_the_action_has(kind: str) -> None:
    section = DOCUMENT.split(f"| {kind[:-1]} |")[1].split("\n\n")[0]
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", section, re.MULTILINE))
    declared = action(rig.ROOT)[kind]
    assert rows == {
        name: item["description"] + (f" Default: `{item['default']}`." if item.get("default") else "")
        for name, item in declared.items()
    }
