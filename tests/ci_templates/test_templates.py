"""What the templates say is what each other, the command line, the version and the documentation say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from ml_compliance import __version__, entry_points, files
from ml_compliance.cli import main
from tests.ci_templates.consumer import ROOT, TEMPLATES

FILES = sorted(TEMPLATES.glob("*.yml"))
DOCUMENT = (ROOT / "docs" / "gitlab.md").read_text(encoding="utf-8")
OF_GITLAB = {"job-prefix", "stage", "image", "version", "wheel-sha256", "comment", "check", "tools"}
COMMANDS = {
    "ml-compliance": main.commands["gate"],
    "query-opa": main.commands["decide"],
    "validate-data": entry_points.validate_data,
    "validate-model": entry_points.validate_model,
    "fairness-report": entry_points.fairness_report,
    "monitor": entry_points.monitor,
    "scan-image": entry_points.scan_image,
}
# GitLab names the base itself, and the platform knows where its snapshot is; output for machines and timings are for
# terminals; data are judged by no policy digest. Every template publishes what it has judged, under its job's name.
NOT_OFFERED = {"json", "timings", "base", "baseline", "explain", "help", "post", "comment", "check"}
NOT_OF_DATA = {"policy-digest", "cross-check"}


def parts(path: Path) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """The inputs, the text of the jobs, and the jobs."""
    text = path.read_text(encoding="utf-8")
    header, jobs = YAML(typ="safe").load_all(text)
    return header["spec"]["inputs"], text.split("\n---\n")[1], jobs


def rows() -> list[str]:
    """The table of inputs in the documentation: those of the whole gate first."""
    every: dict[str, Any] = {}
    for path in sorted(FILES, key=lambda path: path.stem != "ml-compliance"):
        for name, spec in parts(path)[0].items():
            every.setdefault(name, spec)
    shown = {name: str(spec["default"]).lower() if spec.get("type") == "boolean" else str(spec["default"])
             for name, spec in every.items()}  # fmt: skip
    return [
        f"| `{name}` | {f'`{shown[name]}`' if shown[name] else ''} | {spec['description']} |"
        for name, spec in every.items()
    ]


def test_the_documentation_has_every_template_and_input() -> None:
    assert "\n".join(rows()) in DOCUMENT
    listed = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \|$", DOCUMENT, re.MULTILINE)
    assert {path.stem for path in FILES} == {name for name in listed if name in COMMANDS}
    assert {path.stem for path in FILES} == set(COMMANDS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_inputs_are_the_options_of_the_command(path: Path) -> None:
    inputs, text, _ = parts(path)
    options = {
        option.opts[-1].removeprefix("--")
        for option in COMMANDS[path.stem].params
        if isinstance(option, click.Option)
    } - NOT_OFFERED  # fmt: skip
    assert set(inputs) - OF_GITLAB == options - (NOT_OF_DATA if path.stem == "validate-data" else set())
    for name in set(inputs) - OF_GITLAB:
        assert f"--{name}" in text
    engine = next(option for option in COMMANDS[path.stem].params if option.name == "engine")
    assert inputs["engine"]["options"] == ["", *engine.type.choices]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_inputs_are_typed_described_and_kept_away_from_the_shell(path: Path) -> None:
    inputs, text, jobs = parts(path)
    assert set(re.findall(r"\$\[\[ inputs\.([a-z0-9-]+) \]\]", text)) == set(inputs)
    script = "\n".join(next(iter(jobs.values()))["script"])
    for name, spec in inputs.items():
        assert spec["description"]
        assert "default" in spec
        if f"inputs.{name} " in script:
            assert "regex" in spec or "options" in spec or spec["type"] == "boolean"
        if "regex" in spec:
            assert re.fullmatch(spec["regex"], spec["default"])
            assert not [letter for letter in "'\"\\`$;&|<>()\n *" if re.fullmatch(spec["regex"], f"a{letter}b")]
    assert inputs["version"]["default"] == __version__
    assert "CI_MERGE_REQUEST_TITLE" not in script
    for call in re.findall(r"(?<![-\w])python3? .*", script):
        assert re.match(r"python3? -[IP] ", call), f"the repository's own modules come first: {call}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_token_that_publishes_is_not_told_to_what_judges(path: Path) -> None:
    """But for query-opa, which measures nothing and runs nobody's code."""
    (judging,) = re.findall(r"^ *(.*) \|\| code=\$\?$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert judging.startswith("env -u GITLAB_TOKEN ") or path.stem == "query-opa"


def test_what_several_templates_say_is_the_same() -> None:
    specs: dict[str, Any] = {}
    installed = set()
    for path in FILES:
        inputs, _, jobs = parts(path)
        (job,) = jobs.values()
        installed.add(job["script"][0])
        for name, spec in inputs.items():
            assert specs.setdefault(name, spec) == spec, f"{path.name}: {name}"
    assert len(installed) == 1


def publishing(path: Path) -> str:
    """The part of the script after the verdict, with the words for the template's own command and name."""
    (job,) = parts(path)[2].values()
    script: str = job["script"][1]
    task = f"python3 -P -c 'from ml_compliance.entry_points import {path.stem.replace('-', '_')} as task; task()'"
    after = script[script.index('if [ "$code" -ne 2 ] && [ -f ') :]
    return after.replace(task, "TASK").replace(f"'$[[ inputs.job-prefix ]]{path.stem}'", "NAME")


def test_every_template_publishes_in_one_way_under_its_own_name() -> None:
    """A task makes its law of its options, so it posts by the same; the whole law is that of `post`."""
    found: dict[str, set[str]] = {}
    for path in FILES:
        found.setdefault(publishing(path), set()).add(path.stem)
    (by_post,) = [text for text in found if 'ml-compliance post "$@" --name NAME ||' in text]
    (by_task,) = [text for text in found if 'TASK "$@" \\\n    --post NAME ||' in text]
    assert set(found) == {by_post, by_task}
    assert found[by_post] == {"ml-compliance", "query-opa"}
    for name in found[by_task]:
        assert {"post", "comment", "check"} <= {option.name for option in COMMANDS[name].params}
    inputs = parts(FILES[0])[0]
    for option in main.commands["post"].params:
        if isinstance(option, click.Option) and option.name in ("comment", "check"):
            assert inputs[option.name] == {"description": option.help, "type": "boolean", "default": option.default}
            assert by_post.count(f"--no-{option.name}") == by_task.count(f"--no-{option.name}") == 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_job_fails_the_pipeline_and_keeps_its_reports(path: Path) -> None:
    (job,) = parts(path)[2].values()
    assert job["allow_failure"] is False
    assert job["artifacts"]["when"] == "always"
    scanned = {"cyclonedx", "container_scanning"} if path.stem in ("scan-image", "ml-compliance") else set()
    reports = job["artifacts"]["reports"]
    assert set(reports) == scanned | {"junit", "codequality", "metrics", "dotenv", "annotations"}
    made = {*files.RESULTS, "annotations.json"}
    assert {name.removeprefix("$[[ inputs.out ]]/") for name in reports.values()} <= made
    assert not any("when" in rule for rule in job["rules"])
    assert f'"$[[ inputs.job-prefix ]]{path.stem}":' in path.read_text(encoding="utf-8")
