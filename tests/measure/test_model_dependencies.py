"""The requirements of models, as MLflow writes them and as people do, scanned by the real Trivy."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.measure._requirements import Pin, requirements
from tests import project, scans
from tests.programs import required
from tests.scans import counts, evidence, judge, violations

TYPE = "model_dependencies"
FACTS = project.FACTS.replace("data:", "model: {uri: model}\ndata:")
LAW = "  - {id: built_on, type: model_dependencies%s}\n"
CONDA = """\
channels: [conda-forge]
dependencies:
- python=3.11.7
- pip<=23.2.1
- pip:
  - mlflow==3.17.2
  - requests==2.19.1
name: mlflow-env
"""
PYTHON = """\
python: 3.11.7
build_dependencies: [pip==23.2.1, wheel]
dependencies:
- -r requirements.txt
"""


def model(folder: Path, files: dict[str, str], env: Any = None) -> Path:
    """A model folder with `files`; `env` is what its description names as its environments."""
    folder.mkdir(exist_ok=True)
    flavor = {"loader_module": "mlflow.sklearn", **({"env": env} if env else {})}
    (folder / "MLmodel").write_text(json.dumps({"flavors": {"python_function": flavor}}), encoding="utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def gate_on(folder: Path, files: dict[str, str], law: str = LAW % "", **scanner: object) -> project.Project:
    """A project whose model has `files`."""
    made = project.make(folder)
    model(folder / "model", files)
    settings = {"cache": str(scans.cache()), "offline": True, **scanner}
    made.write("compliance.yaml", f"{FACTS}scanner: {json.dumps(settings)}\n")
    made.write("compliance_policy.yaml", f"project: loans\nwaivers: {{max_days: 40000}}\npolicies:\n{law}")
    return made


def test_a_model_that_mlflow_saved(tmp_path: Path) -> None:
    """Its own requirement of scikit-learn names no version; with one, nothing is known to be wrong."""
    from sklearn.linear_model import LogisticRegression

    from tests.engine.test_model_files import saved

    law = LAW % ", maximum: {critical: 0, high: 0, medium: 0, low: 0, unknown: 0}"
    made = gate_on(tmp_path, {}, law)
    for file in (tmp_path / "model").iterdir():
        file.unlink()
    (tmp_path / "model").rmdir()
    estimator = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    saved(tmp_path / "model", estimator, "cloudpickle")
    assert judge(made, TYPE).code == 1
    assert violations(made) == {("model_dependencies.unpinned", "scikit-learn cannot be judged")}
    for name in ("requirements.txt", "conda.yaml"):
        path = tmp_path / "model" / name
        path.write_text(path.read_text().replace("scikit-learn", "scikit-learn==1.7.0"))
    assert judge(made, TYPE).code == 0, violations(made)
    found = evidence(made, TYPE)
    assert {"package": "scikit-learn", "version": "1.7.0", "file": "requirements.txt"} in found["facts"]["packages"]
    assert {file["path"] for file in found["files"]} == {
        "model/requirements.txt", "model/conda.yaml", "model/python_env.yaml",
    }  # fmt: skip


@pytest.mark.parametrize("files", [
    {"requirements.txt": "mlflow==3.17.2\nRequests [socks] == 2.19.1 ; python_version > '3' --hash=sha256:00 # old\n"},
    {"conda.yaml": CONDA},
    {"requirements.txt": "requests==\\\n2.19.1\n", "python_env.yaml": PYTHON},
])  # fmt: skip
def test_a_vulnerable_dependency_is_denied_wherever_it_is_named(files: dict[str, str], tmp_path: Path) -> None:
    made = gate_on(tmp_path, files)
    assert judge(made, TYPE).code == 1
    [(rule, title)] = violations(made)
    assert (rule, title.lower()) == ("model_dependencies.vulnerability",
                                     "cve-2018-18074 is in requests 2.19.1, fixed in 2.20.0")  # fmt: skip
    found = evidence(made, TYPE)
    assert counts(found, TYPE) == {"critical": 0, "high": 1, "medium": 0, "low": 0, "unknown": 0}
    [one] = found["facts"]["vulnerabilities"]
    assert one["location"] == ("conda.yaml" if "conda.yaml" in files else "requirements.txt")
    assert judge(gate_on(tmp_path, files, LAW % ", maximum: {high: 1}"), TYPE).code == 0


@pytest.mark.parametrize("name", ["ruamel.yaml", "ruamel-yaml", "Ruamel_YAML"])
def test_a_package_is_found_by_each_of_its_names(name: str, tmp_path: Path) -> None:
    """An index takes them for the same, and MLflow writes the second for the first."""
    made = gate_on(tmp_path, {"requirements.txt": f"{name}==0.16.7\n"})
    assert judge(made, TYPE).code == 1
    assert violations(made) == {("model_dependencies.vulnerability", f"CVE-2019-20478 is in {name} 0.16.7")}
    assert counts(evidence(made, TYPE), TYPE)["critical"] == 1


def test_a_waiver_names_the_cve(tmp_path: Path) -> None:
    made = gate_on(tmp_path, {"requirements.txt": "requests==2.19.1\nPyYAML==5.3\n"})
    waiver = {"rule": "model_dependencies.vulnerability", "policy": "built_on", "model": "loans", "reason": "later",
              "slice": {"cve": "CVE-2018-18074"}, "owner": "credit@example.org", "approver": "risk@example.org",
              "created": "2026-11-01", "expires": "2099-12-31"}  # fmt: skip
    made.write("waivers.yaml", json.dumps({"waivers": [waiver]}))
    assert judge(made, TYPE).code == 1
    assert violations(made) == {("model_dependencies.vulnerability", "CVE-2020-1747 is in PyYAML 5.3, fixed in 5.3.1")}


@pytest.mark.parametrize("line", [
    "numpy", "numpy>=2", "numpy~=2.1", "numpy==2.*", "numpy==1.0,==2.0", "numpy @ https://example.org/numpy.whl",
    "git+https://me:hunter2@example.org/numpy", "-e ../numpy", "./numpy.whl", "numpy===latest", "numpy =< 2",
    "-r ../outside.txt", "-r absent.txt",
])  # fmt: skip
def test_what_names_no_single_version_cannot_be_judged(line: str, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("requests==2.19.1\n")
    made = gate_on(
        tmp_path, {"requirements.txt": f"--index-url https://me:hunter2@example.org\nmlflow==3.17.2\n{line}\n"}
    )
    assert judge(made, TYPE).code == 1
    assert {rule for rule, _ in violations(made)} == {"model_dependencies.unpinned"}
    assert "hunter2" not in (made.out / "evidence" / f"{TYPE}.json").read_text()


def test_packages_of_conda_cannot_be_judged(tmp_path: Path) -> None:
    made = gate_on(
        tmp_path, {"conda.yaml": CONDA.replace("- pip<", "- numpy=1.26.4\n- pip<").replace("2.19.1", "2.32")}
    )
    assert judge(made, TYPE).code == 1
    assert violations(made) == {("model_dependencies.unpinned", "numpy=1.26.4 cannot be judged")}


@pytest.mark.parametrize(
    "files", [{}, {"requirements.txt": "# none\n"}, {"conda.yaml": "dependencies: [python=3.11]\n"}]
)
def test_a_model_without_requirements_is_not_known(files: dict[str, str], tmp_path: Path) -> None:
    made = gate_on(tmp_path, files)
    assert judge(made, TYPE).code == 1
    assert {rule for rule, _ in violations(made)} == {"model_dependencies.not_listed"}


def test_no_model_is_no_evidence(tmp_path: Path) -> None:
    made = gate_on(tmp_path, {"requirements.txt": "mlflow==3.17.2\n"})
    made.write("compliance.yaml", project.FACTS)
    assert judge(made, TYPE).code == 1
    assert ("model_dependencies.not_listed", "the model's dependencies are not listed") in violations(made)


def test_where_the_law_asks_for_no_scan_nothing_is_scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    law = "  - {id: f, type: performance, metric: f1, minimum: 1}\n"
    made = gate_on(tmp_path, {"requirements.txt": "numpy\n"}, law)
    assert made.run("measure", TYPE).code == 0
    found = evidence(made, TYPE)
    assert (found["status"], found["reason"]) == ("missing", "no item of the law has the type model_dependencies")


def test_files_that_the_description_names_are_read_too(tmp_path: Path) -> None:
    folder = model(tmp_path / "m", {"requirements.txt": "a==1\n", "other.yaml": "dependencies: [{pip: [b==2]}]\n"},
                   {"conda": "other.yaml", "virtualenv": "absent.yaml"})  # fmt: skip
    found = requirements(folder)
    assert found.files == ("requirements.txt", "other.yaml")
    assert found.pins == (Pin("a", "1", "requirements.txt"), Pin("b", "2", "other.yaml"))
    assert [one.requirement for one in found.unpinned] == ["absent.yaml"]


@pytest.mark.parametrize(
    "text", ["[]", "a: [", "dependencies: {pip: x>1}\nbuild_dependencies: {a: b}", "&a [*a]", "\x00"]
)
def test_environments_that_are_none_are_not_passed_over(text: str, tmp_path: Path) -> None:
    assert requirements(model(tmp_path / "m", {"python_env.yaml": text})).unpinned


def test_files_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    folder = model(
        tmp_path / "m", {"requirements.txt": "-r more.txt\na==1\n", "more.txt": "-r requirements.txt\nb==2\n"}
    )
    assert [pin.package for pin in requirements(folder).pins] == ["a", "b"]


def test_a_scan_that_reads_less_than_it_was_given_is_no_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real Trivy, from whose file somebody takes a line."""
    program = tmp_path / "bin" / "trivy"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$1" = filesystem ] && sed -i 1d "$2/requirements.txt"\n'
                       f'exec {required("trivy")} "$@"\n')  # fmt: skip
    program.chmod(0o755)
    made = gate_on(tmp_path, {"requirements.txt": "mlflow==3.17.2\nnumpy==2.0\n"})
    assert judge(made, TYPE).code == 0, violations(made)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    assert judge(made, TYPE).code == 3
    assert "trivy did not read mlflow==3.17.2" in evidence(made, TYPE)["reason"]


def test_an_old_database_and_none_are_no_scan(tmp_path: Path) -> None:
    files = {"requirements.txt": "mlflow==3.17.2\n"}
    old = str(scans.aged(tmp_path / "old", 8))
    for cache, why in ((old, "8.0 days old, and the law allows 7"), (str(tmp_path / "none"), "there is no database")):
        made = gate_on(tmp_path, files, cache=cache)
        assert judge(made, TYPE).code == 3
        assert why in evidence(made, TYPE)["reason"]
    assert judge(gate_on(tmp_path, files, LAW % ", database_age_days: 9", cache=old), TYPE).code == 0


def test_every_name_that_trivy_finds_is_found_here(tmp_path: Path) -> None:
    """What Trivy itself reads of a requirements.txt is read here at least."""
    text = (
        "A==1\nb_c.d == 2.0 # x\n e[f]==3;python_version>'2'\ng==4 --hash=sha256:00\nh>=5\n\ni==6.*\nj==1!2.0+local\n"
    )
    folder = model(tmp_path / "m", {"requirements.txt": text})
    done = subprocess.run([required("trivy"), "fs", str(folder), "--format", "json", "--scanners", "vuln", "--quiet",
                           "--cache-dir", str(scans.cache()), "--skip-db-update", "--offline-scan", "--list-all-pkgs"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    theirs = {(one["Name"], one["Version"]) for one in json.loads(done.stdout)["Results"][0]["Packages"]}
    assert len(theirs) == 5
    assert theirs == {(pin.package, pin.version) for pin in requirements(folder).pins}
