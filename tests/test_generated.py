"""What is generated is committed as it would be generated now; what two files say is the same."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from ml_compliance.cli import main
from ml_compliance.law import catalog
from ml_compliance.schemas import SCHEMAS, file_name, schema_named, write_all

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("requirements/*.md")])
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))


def test_the_committed_schemas_are_what_would_be_generated(tmp_path: Path) -> None:
    write_all(tmp_path)
    generated = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert {path.name: path.read_text() for path in (ROOT / "schemas").iterdir()} == generated
    assert len(generated) == len(SCHEMAS)
    assert f"schemas/{file_name(schema_named('config'))}" in README


def test_architecture_justifies_every_dependency_and_no_other() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[\[<>=!~ ]", item, maxsplit=1)[0] for item in project["dependencies"]}
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## Dependencies")[1]
    justified = set(re.findall(r"^\| ([a-z0-9.-]+) \| .{10,} \|$", text, re.MULTILINE))
    assert justified == declared


def test_the_readme_lists_every_command_and_no_other() -> None:
    listed = set(re.findall(r"^\| `ml-compliance ([a-z]+)", README, re.MULTILINE))
    assert listed == set(main.commands)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_link_is_dead(path: Path) -> None:
    """Of the links to files of the repository, and to headings in them; others would need a network."""
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        linked = path.parent / name if name else path
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}, target


def test_every_command_explains_itself() -> None:
    for name in main.commands:
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0
        assert "Usage:" in result.output


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_thin(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 10
    docstring, imported, call = ast.parse(text).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(imported, ast.ImportFrom)
    assert isinstance(call, ast.Expr)
    assert imported.names[0].name == path.stem


def test_every_type_of_policy_has_a_schema_branch() -> None:
    item = schema_named("policy")["properties"]["policies"]["items"]
    assert {branch["if"]["properties"]["type"]["const"] for branch in item["allOf"]} == set(catalog()["types"])
