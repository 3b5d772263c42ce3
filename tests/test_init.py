"""`ml-compliance init`: nothing is overwritten, and what is written leads from an empty repository to a verdict."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ml_compliance import __version__
from ml_compliance.cli import main
from ml_compliance.errors import UsageError
from ml_compliance.facts_file import read_facts
from ml_compliance.law import read_law
from ml_compliance.starter import recognised, start
from ml_compliance.waivers import read_waivers
from ml_compliance.yaml_file import read_yaml
from tests import mlflow_store
from tests.actions import projects, rig
from tests.actions.test_security import clean, installed
from tests.ci_templates import consumer as gitlab
from tests.ci_templates.consumer import ROOT, TEMPLATES, commit, git
from tests.programs import required

OWN = ["compliance.yaml", "compliance_policy.yaml", "waivers.yaml"]
WORKFLOW = ".github/workflows/ml-compliance.yml"
INCLUDE = ".gitlab-ci.yml"
README = (ROOT / "README.md").read_text(encoding="utf-8")
STARTER = ROOT / "src" / "ml_compliance" / "starter"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty repository called customer-credit."""
    made = tmp_path / "customer-credit"
    made.mkdir()
    git(made, "init", "-q")
    return made


def init(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["init", str(folder), *words], catch_exceptions=False)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but git's own, by its path in `folder`."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and ".git" not in path.relative_to(folder).parts}  # fmt: skip


def test_an_empty_repository_gets_every_file(folder: Path) -> None:
    result = init(folder, "--platform", "both", "--json")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["written"] == [str(folder / name) for name in [*OWN, WORKFLOW, INCLUDE, ".gitignore"]]
    assert (said["kept"], said["to_add"], said["platforms"]) == ([], {}, ["github", "gitlab"])
    assert set(contents(folder)) == {*OWN, WORKFLOW, INCLUDE, ".gitignore"}
    assert read_facts(folder / "compliance.yaml").project == "customer-credit"
    assert read_law(folder / "compliance_policy.yaml", "law").project == "customer-credit"
    assert read_waivers(folder / "waivers.yaml", "waivers") == ()
    for name in OWN:
        schema = re.match(r"# yaml-language-server: \$schema=\S+/v1/(schemas/\S+)\n", (folder / name).read_text())
        assert schema
        assert (ROOT / schema[1]).is_file()


def test_a_second_time_everything_is_kept(folder: Path) -> None:
    init(folder, "--platform", "both")
    before = contents(folder)
    said = json.loads(init(folder, "--platform", "both", "--json").stdout)
    assert said["written"] == []
    assert said["kept"] == [str(folder / name) for name in [*OWN, WORKFLOW, INCLUDE, ".gitignore"]]
    assert said["to_add"] == {}
    assert contents(folder) == before


def test_what_is_there_is_kept_and_said(folder: Path) -> None:
    (folder / "compliance.yaml").write_text("mine")
    (folder / INCLUDE).write_text("mine")
    (folder / "ours.yaml").write_text("ours")
    (folder / "waivers.yaml").symlink_to("ours.yaml")
    (folder / "ignored").write_bytes(b"*.pyc")
    (folder / ".gitignore").symlink_to("ignored")
    result = init(folder, "--platform", "gitlab")
    assert (folder / "compliance.yaml").read_text() == (folder / INCLUDE).read_text() == "mine"
    assert (folder / "waivers.yaml").is_symlink()
    assert (folder / "ours.yaml").read_text() == "ours"
    assert (folder / ".gitignore").is_symlink()
    assert (folder / ".gitignore").read_bytes() == b"*.pyc\nml-compliance-out/\n"
    assert f"kept     {folder / 'compliance.yaml'}\nkept     {folder / 'waivers.yaml'}\n" in result.stdout
    assert f"Add this to {folder / INCLUDE}:\n\n{(STARTER / 'gitlab.yml').read_text()}" in result.stdout


@pytest.mark.parametrize("name", [*OWN, WORKFLOW, INCLUDE, ".gitignore"])
def test_a_link_to_nothing_is_neither_kept_nor_written_through(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(tmp_path / "elsewhere")
    result = init(folder, "--platform", "both")
    assert result.exit_code == 2
    assert f"{folder / name}: this is a link to '{tmp_path / 'elsewhere'}', which is not there" in result.stderr
    assert not (tmp_path / "elsewhere").exists()
    assert contents(folder) == {}


@pytest.mark.parametrize("name", ["project", ".github"])
def test_a_folder_that_is_a_link_to_nothing_is_told(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).symlink_to(tmp_path / "elsewhere")
    result = init(folder / "project" if name == "project" else folder, "--platform", "github")
    assert result.exit_code == 2
    assert f"{folder / name}: this is a link to '{tmp_path / 'elsewhere'}', which is not there" in result.stderr
    assert not (tmp_path / "elsewhere").exists()
    assert contents(folder) == {}


@pytest.mark.parametrize("line", ["ml-compliance-out", "/ml-compliance-out/\r"])
def test_an_output_folder_that_is_ignored_is_not_ignored_twice(folder: Path, line: str) -> None:
    (folder / ".gitignore").write_text(f"{line}\n", newline="")
    started = start(folder, ())
    assert folder / ".gitignore" in started.kept
    assert (folder / ".gitignore").read_bytes() == f"{line}\n".encode()


@pytest.mark.parametrize("name", ['a: "b" #', "123", "true", "日本", "-", "ünï.x"])
def test_any_folder_gives_a_project_a_name(tmp_path: Path, name: str) -> None:
    start(tmp_path / name, ())
    project = read_facts(tmp_path / name / "compliance.yaml").project
    assert project == read_law(tmp_path / name / "compliance_policy.yaml", "law").project
    assert re.fullmatch(r"[\w.-]+", project)


@pytest.mark.parametrize(
    ("url", "platforms"),
    [
        ("git@github.com:bank/loans.git", ("github",)),
        ("https://token@github.bank.example/loans.git", ("github",)),
        ("ssh://git@gitlab.bank.example:22/loans.git", ("gitlab",)),
        ("/srv/github/loans.git", ()),
        ("https://example.org/github/gitlab.git", ()),
    ],
)
def test_the_platform_is_that_of_the_remote(folder: Path, url: str, platforms: tuple[str, ...]) -> None:
    git(folder, "remote", "add", "origin", url)
    assert recognised(folder) == platforms
    assert start(folder).platforms == platforms


def test_the_platform_is_that_of_the_files_there(tmp_path: Path) -> None:
    assert recognised(tmp_path) == ()
    (tmp_path / ".github").mkdir()
    (tmp_path / INCLUDE).touch()
    assert recognised(tmp_path) == ("github", "gitlab")


def test_without_a_platform_it_says_how_to_get_one(folder: Path) -> None:
    assert "--platform github" in init(folder).stdout
    assert set(contents(folder)) == {*OWN, ".gitignore"}
    assert "--platform" not in init(folder, "--platform", "none").stdout


def test_all_files_or_none(folder: Path) -> None:
    (folder / ".github").write_text("a file where a folder has to be")
    result = init(folder, "--platform", "github")
    assert result.exit_code == 2
    assert "ml-compliance.yml: the file cannot be written" in result.stderr
    assert set(contents(folder)) == {".github"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="this is no folder"):
        start(tmp_path / "file")


def test_a_gitignore_that_cannot_be_read_is_a_mistake(folder: Path) -> None:
    (folder / ".gitignore").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        start(folder, ())
    assert contents(folder) == {}


def test_a_folder_below_the_root_has_gates_of_its_own(folder: Path) -> None:
    start(folder, ("github", "gitlab"))
    started = start(folder / "models" / "loans", ("github", "gitlab"))
    workflow = folder / ".github" / "workflows" / "ml-compliance-models-loans.yml"
    assert workflow in started.written
    text = workflow.read_text()
    assert text.startswith("name: ml-compliance-models-loans\n")
    step = read_yaml(workflow, "workflow").data["jobs"]["gate"]["steps"][-1]
    assert step["with"] == {"working-directory": "models/loans", "name": "ml-compliance-models-loans"}
    assert set(step["with"]) <= set(read_yaml(ROOT / "action.yml", "action").data["inputs"])
    lines = started.to_add[folder / INCLUDE]
    assert '"config": "models/loans/compliance.yaml"' in lines
    (folder / INCLUDE).write_text(lines)
    assert start(folder / "models" / "loans", ("gitlab",)).to_add == {}


@pytest.mark.parametrize("below", ["", "models/loans"])
def test_linters_of_workflows_have_nothing_to_say(folder: Path, below: str) -> None:
    start(folder / below, ("github",))
    (path,) = (folder / ".github" / "workflows").iterdir()
    # A release knows its own commit when it is made, and no sooner.
    pinned = path.read_text().replace("org/ml-compliance@v1", f"org/ml-compliance@{'a' * 40} # v1.0.0")
    assert pinned.count("# v1.0.0") == 1
    path.write_text(pinned)
    clean(installed("zizmor"), "--offline", "--pedantic", "--no-progress", str(path))
    clean(required("actionlint"), "-shellcheck", installed("shellcheck"), str(path))


def test_actions_of_others_are_those_of_our_own_workflows() -> None:
    ours = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    used = re.findall(r"uses: (actions/.*)", (STARTER / "github.yml").read_text())
    assert used
    assert all(f"uses: {each}\n" in ours for each in used)


def test_github_runs_what_is_written(tmp_path: Path) -> None:
    """A gate of its own for the folder `model` of a repository; act knows no other runner, and clones nothing."""
    consumer = tmp_path / "repository"
    projects.write(consumer)
    git(consumer, "init", "-q")
    (*_, workflow, _) = start(consumer / "model", ("github",)).written
    commit(consumer)
    done = rig.act(consumer, rig.checkout(tmp_path / "published"), tmp_path, file=workflow.name)
    assert done.code == 0, done.text
    assert "ALLOWED" in done.text


def test_gitlab_runs_what_is_included(tmp_path: Path) -> None:
    """The pipeline of a component beside the files that `tests.project` has."""
    consumer = gitlab.make(tmp_path)
    assert start(consumer.folder).written == (consumer.folder / "waivers.yaml", consumer.folder / INCLUDE)
    components = tmp_path / "components"
    wheel = tmp_path / f"ml_compliance-{__version__}-py3-none-any.whl"
    wheel.write_bytes(b"not installed: the jobs find the package in their image")
    subprocess.run([sys.executable, TEMPLATES / "components.py", wheel, components], check=True)
    commit(components)
    git(components, "tag", __version__)
    git(tmp_path, "clone", "-q", "--bare", str(components), str(consumer.repositories / "ml-compliance.git"))
    done = consumer.run()
    assert done.code == 0, done.log
    assert done.verdict("ml-compliance") == "allowed"


def gate(folder: Path) -> Result:
    places = ["--config", str(folder / "compliance.yaml"), "--out", str(folder / "ml-compliance-out")]
    return CliRunner().invoke(main, ["gate", "--engine", "embedded", *places], catch_exceptions=False)


def fill_in(folder: Path, **replaced: str) -> None:
    """Replace the value of keys of compliance.yaml, as somebody who edits it would."""
    text = (folder / "compliance.yaml").read_text()
    for key, value in replaced.items():
        text, times = re.subn(rf"^( +)(?:# )?{key}: [^#\n]*", rf"\g<1>{key}: {value} ", text, count=1, flags=re.M)
        assert times == 1, key
    (folder / "compliance.yaml").write_text(text)


def test_the_gate_names_what_to_fill_in_and_then_judges(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = mlflow_store.store()
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    mlflow_store.rows(900).to_parquet(folder / "rows.parquet")
    start(folder, ("github",))
    steps = [
        ("models:/customer-credit/1' is looked for in the MLflow store", {"uri": "models:/linear/1"}),
        ("models:/linear/1' is looked for in the MLflow store", {"tracking_uri": store.uri}),
        ("holdout.parquet: the table does not exist", {"evaluation": "rows.parquet"}),
        ("rows.parquet: there is no column 'repaid'", {"label": "y"}),
        ("rows.parquet: there is no column 'sex'", {"sensitive": "[group]"}),
    ]
    lines = []
    for problem, answer in steps:
        result = gate(folder)
        assert result.exit_code == 2, result.output
        place = re.match(rf"ml-compliance: compliance\.yaml:(\d+): .*{re.escape(problem)}", result.stderr)
        assert place, result.stderr
        lines.append(int(place[1]))
        fill_in(folder, **answer)
    assert lines == [5, 5, 8, 9, 11]
    result = gate(folder)
    assert result.exit_code == 1
    assert "sex" in result.output
    law = (folder / "compliance_policy.yaml").read_text().replace("[sex, age_group, [sex, age_group]]", "[group]")
    (folder / "compliance_policy.yaml").write_text(law.replace("minimum: 0.75", "minimum: 0.7"))
    commit(folder)
    result = gate(folder)
    assert result.exit_code == 0, result.output
    assert "uncommitted changes" not in result.output  # the output folder is ignored


def test_the_readme_shows_what_is_written(folder: Path) -> None:
    start(folder, ("github", "gitlab"))
    for name in ("compliance.yaml", "compliance_policy.yaml", INCLUDE):
        assert f"```yaml\n{(folder / name).read_text()}```\n" in README
    assert f"```yaml\n# {WORKFLOW}\n{(folder / WORKFLOW).read_text()}```\n" in README
    assert f"@{__version__}\n" in (folder / INCLUDE).read_text()


def test_the_package_holds_the_files(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    packed = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    shipped = [path.name for path in STARTER.glob("*.y*ml")]
    assert len(shipped) == 5
    assert {f"ml_compliance/starter/{name}" for name in shipped} <= packed
