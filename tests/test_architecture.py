"""The rooms and their direction: imports point one way, and start-up imports next to nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ml_compliance

ROOT = Path(ml_compliance.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# A module may import from its own layer's room and from layers below it.
LAYERS = (
    ("cli", "entry_points"),
    ("demo", "terminal"),
    ("authoring",),
    ("delivery",),
    ("gate", "schemas", "rulebook", "collect", "starter"),
    ("destinations",),
    ("request",),
    ("comparison", "platforms"),
    ("measure", "submit", "decide", "publish", "record"),
    ("context", "measured", "stopwatch"),
    ("engine",),
    ("stats", "law", "facts", "facts_file", "waivers", "law_changes"),
    ("decisions", "yaml_file", "files", "tools"),
    ("documents", "plugins", "resources", "git", "deployed"),
    ("model",),
    ("errors", "environment"),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
# The composition root may know everything; a sink's own module is what a terminal shows.
SAME_LAYER = {
    ("law_changes", "law"), ("facts_file", "facts"),
    ("entry_points", "cli"), ("demo", "terminal"), ("law", "facts"), ("waivers", "law"), ("files", "decisions"),
    ("yaml_file", "files"), ("tools", "files"),
}  # fmt: skip
LAZY_UPWARD = {("facts", "measure")}
HEAVY = (
    "ibis", "duckdb", "pandas", "numpy", "scipy", "mlflow", "shap", "great_expectations", "sklearn", "fairlearn",
    "rich", "pydantic", "jsonschema", "wasmtime", "opa_client", "ruamel", "jinja2", "sqlalchemy", "pyarrow", "gitlab",
    "requests",
)  # fmt: skip


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[int, str]]:
    """Line and room of every import of this package, also those inside functions."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "ml_compliance":
            found += [(node.lineno, alias.name) for alias in node.names if alias.name != "__version__"]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ml_compliance."):
            found.append((node.lineno, str(node.module).split(".")[1]))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    for line, there in imports(path):
        allowed = here == there or LEVEL[there] > LEVEL[here] or (here, there) in SAME_LAYER
        assert allowed, f"{path.name}:{line}: {here} imports {there}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{path.name}:{node.lineno} {node.name}"


def modules_after(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after `code`."""
    program = f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


HELP = """
import contextlib, io, sys
sys.argv = ["program", "--help"]
{program}
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
"""
BARE = HELP.format(program="import click\nmain = click.Group('main', commands=[click.Command('one')])")
OURS = HELP.format(program="from ml_compliance.cli import main")


def test_help_imports_what_click_itself_needs_and_no_more() -> None:
    ours = modules_after(OURS) - modules_after(BARE)
    own = {name for name in ours if name == "ml_compliance.cli" or name.startswith("ml_compliance.cli.")}
    assert ours - own == {"ml_compliance", "ml_compliance.errors"}


def test_every_module_can_be_imported_without_heavy_ones() -> None:
    names = [
        ".".join(("ml_compliance", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        for path in FILES
        if path.stem not in ("duckdb_dialect", "duckdb_execution", "__main__")
    ]
    loaded = modules_after("import " + ", ".join(names))
    assert sorted({name for name in loaded if name in HEAVY}) == []
