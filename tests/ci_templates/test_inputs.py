"""Whatever a template is given that is no value of an input, GitLab refuses before a job starts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.ci_templates import consumer as example
from tests.ci_templates.consumer import TEMPLATES
from tests.ci_templates.test_templates import FILES, parts

# What no input of its kind takes; the quote would end that of the script.
WRONG = {"regex": "x'; curl example.org; '", "options": "guess", "boolean": "perhaps"}
NEARLY = [
    ("ml-compliance", "version", "0.1.0; true"), ("ml-compliance", "policy-digest", "sha256:1"),
    ("ml-compliance", "out", "/results"), ("validate-model", "min-accuracy", "85"),
    ("validate-model", "fairness-threshold", "-0.1"), ("query-opa", "opa-url", "file:///etc/passwd"),
    ("scan-image", "wheel-sha256", "abc"), ("monitor", "job-prefix", "a b"),
]  # fmt: skip


def kind(spec: dict[str, Any]) -> str:
    """How an input is held; empty where it is free."""
    return next((name for name in ("regex", "options") if name in spec), str(spec.get("type", "")))


def cases() -> list[tuple[str, str, str]]:
    """Every kind of input of every template, and every input of some template."""
    found: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    for path in FILES:
        kinds: set[str] = set()
        for name, spec in parts(path)[0].items():
            held = kind(spec)
            if held and not {held, name} <= kinds | seen:
                found.append((path.stem, name, WRONG[held]))
            kinds.add(held)
            seen.add(name)
    return found


def test_every_template_has_inputs_of_every_kind() -> None:
    tried = {(template, kind(parts(TEMPLATES / f"{template}.yml")[0][name])) for template, name, _ in cases()}
    assert tried == {(path.stem, held) for path in FILES for held in WRONG}
    free = {name for path in FILES for name, spec in parts(path)[0].items() if not kind(spec)}
    assert free == {"stage", "image"}  # which reach no shell
    assert {name for _, name, _ in cases()} == {name for path in FILES for name in parts(path)[0]} - free


@pytest.mark.parametrize(("template", "name", "value"), [*cases(), *NEARLY], ids=lambda text: text[:20])
def test_a_wrong_value_is_refused(tmp_path: Path, template: str, name: str, value: str) -> None:
    consumer = example.make(tmp_path)
    shutil.copytree(TEMPLATES, consumer.folder / "ci")
    done = consumer.run("--list", include={"local": f"ci/{template}.yml", "inputs": {name: value}})
    assert done.code != 0
    assert f"`{name}` input" in done.log
    assert "is invalid" in done.log
