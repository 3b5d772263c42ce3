"""A consumer's pipeline through every way of including a template: allowed, denied, broken, refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import junitparser
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from tests import images, scans
from tests.ci_templates import consumer as example
from tests.ci_templates.consumer import OUT, ROOT, TEMPLATES, Consumer, commit, git
from tests.platforms.gitlab_server import gitlab
from tests.programs import required
from tests.project import FACTS, LAW
from tests.publish.test_container_scanning import FORMAT

# https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsannotations
LINK = {
    "type": "object", "required": ["label", "url"], "additionalProperties": False,
    "properties": {"label": {"type": "string"}, "url": {"type": "string", "pattern": "^https?://"}},
}  # fmt: skip
ANNOTATION = {"required": ["external_link"], "properties": {"external_link": LINK}, "additionalProperties": False}
ANNOTATIONS = {"type": "object", "additionalProperties": {"type": "array", "minItems": 1, "items": ANNOTATION}}

SHOW = """\
stages: [test, deploy]
show:
  stage: deploy
  when: always
  script:
    - echo "told=$ML_COMPLIANCE_VERDICT violations=$ML_COMPLIANCE_VIOLATIONS"
"""


@pytest.fixture
def consumer(tmp_path: Path) -> Consumer:
    return example.make(tmp_path)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def local(consumer: Consumer, name: str, **inputs: object) -> dict[str, object]:
    """An include of the template `name`, copied into the consumer's own repository."""
    shutil.copytree(TEMPLATES, consumer.folder / "ci", dirs_exist_ok=True)
    given = {key.replace("_", "-"): value for key, value in inputs.items()}
    return {"local": f"ci/{name}.yml", "inputs": given}


def test_local_allowed_and_the_next_job_is_told(consumer: Consumer) -> None:
    include = local(consumer, "ml-compliance", engine="embedded", job_prefix="loan-")
    done = consumer.run(include=include, more=SHOW)
    assert done.code == 0, done.log
    assert "told=allowed violations=0" in done.log
    assert done.verdict("loan-ml-compliance") == "allowed"
    annotations = json.loads(done.artifact("loan-ml-compliance", "annotations.json"))
    Draft202012Validator(ANNOTATIONS).validate(annotations)
    link = annotations["ml-compliance"][0]["external_link"]
    assert re.fullmatch(rf"https://gitlab\.com/bank/loans/-/jobs/\d+/artifacts/file/{OUT}/report\.html", link["url"])


def test_project_denied_and_the_reports_are_kept(consumer: Consumer, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(TEMPLATES, templates / "ci_templates")
    commit(templates)
    git(tmp_path, "clone", "-q", "--bare", str(templates), str(consumer.repositories / "ml-compliance.git"))
    consumer.write("compliance_policy.yaml", LAW.replace("0.7", "0.9"))
    include = {"project": "org/ml-compliance", "ref": "main", "file": "ci_templates/ml-compliance.yml"}
    done = consumer.run(include=include, more=SHOW)
    assert done.code == 1
    assert done.verdict("ml-compliance") == "denied"
    assert "told=denied violations=1" in done.log
    (consumer.folder / "junit.xml").write_text(done.artifact("ml-compliance", "junit.xml"))
    assert junitparser.JUnitXml.fromfile(str(consumer.folder / "junit.xml")).failures == 1
    assert json.loads(done.artifact("ml-compliance", "codequality.json"))[0]["severity"]


@pytest.fixture
def site() -> Iterator[str]:
    """The templates behind an address, as `include: remote` fetches them."""
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(TEMPLATES))
    )  # fmt: skip
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_remote_broken_is_not_allowed(consumer: Consumer, site: str) -> None:
    consumer.write("compliance.yaml", FACTS + "unknown: 1\n")
    done = consumer.run(include={"remote": f"{site}/ml-compliance.yml"}, more=SHOW)
    assert done.code == 1
    assert "compliance.yaml:9" in done.log
    assert "told= violations=" in done.log


def test_component_installs_the_package_that_was_released(
    consumer: Consumer, tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    components = tmp_path / "components"
    subprocess.run([sys.executable, TEMPLATES / "components.py", wheel, components], check=True)
    commit(components)
    git(components, "tag", "0.1.0")
    git(tmp_path, "clone", "-q", "--bare", str(components), str(consumer.repositories / "ml-compliance.git"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    shadow(consumer)
    include = {"component": "gitlab.com/org/ml-compliance/ml-compliance@0.1.0", "inputs": {"engine": "embedded"}}
    done = consumer.run(include=include, more=SHOW, installed=False)
    assert done.code == 0, done.log
    assert "told=allowed" in done.log
    cached = consumer.folder / ".gitlab-ci-local" / "cache" / "ml-compliance-0.1.0"
    assert list(cached.rglob("duckdb-*.whl"))


OF_THE_REPOSITORY = {
    "ml_compliance/__init__.py": "", "ml_compliance/entry_points.py": "def validate_model(): print('shadowed')\n",
    **{f"{name}.py": "raise SystemExit('shadowed')\n" for name in ("json", "pip", "venv", "zipfile", "sitecustomize")},
    "uv.toml": "no-index = 'shadowed'\n", ".venv/pyvenv.cfg": "home = /shadowed\n", ".venv/bin/python": "shadowed\n",
}  # fmt: skip


def shadow(consumer: Consumer) -> None:
    """Modules and configuration in the repository that would run, or be heeded, instead of those that were meant."""
    for name, text in OF_THE_REPOSITORY.items():
        (consumer.folder / name).parent.mkdir(parents=True, exist_ok=True)
        consumer.write(name, text)
    (consumer.folder / ".venv" / "bin" / "python").chmod(0o755)


def test_the_repository_does_not_take_the_place_of_the_gate(consumer: Consumer) -> None:
    shadow(consumer)
    done = consumer.run(include=local(consumer, "validate-model", min_accuracy="0.99"))
    assert done.code == 1
    assert "shadowed" not in done.log
    assert done.verdict("validate-model") == "denied"


def test_a_package_that_was_not_released_is_not_installed(
    consumer: Consumer, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    done = consumer.run(include=local(consumer, "ml-compliance", wheel_sha256="0" * 64), more=SHOW, installed=False)
    assert done.code == 1
    assert "DO NOT MATCH THE HASHES" in done.log
    assert "told= violations=" in done.log


TASKS = """\
stages: [build, test, deploy]
submission:
  stage: build
  script: [ml-compliance measure, ml-compliance submit]
  artifacts: {paths: [ml-compliance-out/]}
"""


def test_tasks_judge_one_thing_each(consumer: Consumer) -> None:
    expected = "measure:\n  data:\n    expectations:\n      - expect_column_values_to_be_in_set:\n"
    consumer.write(
        "compliance.yaml", f"{FACTS}{expected}          {{column: race, value_set: [black, white, asian]}}\n"
    )
    include = local(consumer, "query-opa", engine="embedded", policy="compliance_policy.yaml")
    more = [
        local(consumer, "validate-data", out="data-out", comment=False),
        local(consumer, "fairness-report", out="fair-out", check=False),
        local(
            consumer,
            "validate-model",
            out="model-out",
            job_prefix="loan-",
            min_accuracy="0.85",
            fairness_threshold="0.2",
        ),
    ]
    with gitlab() as server:
        words = example.merge_request(server.url, CI_PIPELINE_SOURCE="schedule")
        done = consumer.run(*words, include=include, includes=more, more=TASKS)
    verdicts = {
        job: json.loads((consumer.artifacts / job / out / "decision.json").read_text())["verdict"]
        for job, out in (
            ("query-opa", OUT), ("validate-data", "data-out"), ("fairness-report", "fair-out"),
            ("loan-validate-model", "model-out"),
        )
    }  # fmt: skip
    assert verdicts == {
        "query-opa": "allowed", "validate-data": "allowed", "fairness-report": "allowed",
        "loan-validate-model": "denied",
    }  # fmt: skip
    assert done.code == 1
    assert "--min-accuracy" in (consumer.artifacts / "loan-validate-model" / "model-out" / "decision.json").read_text()
    assert (consumer.artifacts / "query-opa" / OUT / "report.html").is_file()
    statuses = {item["name"].removeprefix("ml-compliance: "): item["status"] for item in server.statuses.values()}
    assert statuses == {"query-opa": "success", "validate-data": "success", "loan-validate-model": "failed"}
    marks = {note.split(" run ")[0].removeprefix("<!-- ml-compliance ") for note in server.ours()}
    assert marks == {"query-opa", "fairness-report", "loan-validate-model"}
    (denied,) = [note for note in server.ours() if "ml-compliance loan-validate-model run" in note]
    assert "--min-accuracy" in denied
    assert "verdict stands" not in done.log


def test_an_image_is_scanned_for_the_security_widgets_of_gitlab(consumer: Consumer) -> None:
    images.archive(images.image(images.WOLFI), consumer.folder / "credit.tar")
    consumer.write("compliance.yaml", FACTS + scans.facts("{archive: credit.tar}"))
    done = consumer.run(include=local(consumer, "scan-image", engine="embedded"), more=SHOW)
    assert done.code == 1, done.log
    assert "told=denied violations=1" in done.log
    report = json.loads(done.artifact("scan-image", "gl-container-scanning-report.json"))
    Draft7Validator(FORMAT).validate(report)
    assert {item["name"].split(":")[0] for item in report["vulnerabilities"]} == {"openssl"}
    bill = json.loads(done.artifact("scan-image", "image.cdx.json"))
    assert "libcrypto3" in {item["name"] for item in bill["components"]}


def test_the_whole_gate_has_the_programs_that_it_is_told(consumer: Consumer) -> None:
    trivy = required("trivy")
    done = consumer.run(include=local(consumer, "ml-compliance", engine="embedded", tools="trivy"))
    assert done.code == 0, done.log
    assert f"> {trivy}" in done.log


def test_the_fairness_report_waits_for_a_schedule(consumer: Consumer) -> None:
    listed = consumer.run("--list", include=local(consumer, "fairness-report"), more="other: {script: ['true']}\n")
    assert listed.code == 0
    assert "other" in listed.log
    assert "fairness-report" not in listed.log


def test_a_merge_request_gets_a_note_with_what_changed(consumer: Consumer) -> None:
    consumer.write("compliance_policy.yaml", LAW.replace("0.7", "0.9"))
    with gitlab() as server:
        before = {
            "schema": "ml-compliance/snapshot/v1", "project": "loans", "verdict": "allowed", "decision": "sha256:1",
            "policy_digest": "sha256:2", "law_digest": "sha256:3", "violations": [], "violations_omitted": 0,
            "measurements": [], "measurements_omitted": 0,
        }  # fmt: skip
        server.add_pipeline("main", "failed", "ml-compliance", **{f"{OUT}/snapshot.json": before})
        done = consumer.run(*example.merge_request(server.url), include=local(consumer, "ml-compliance"), more=SHOW)
    assert done.code == 1
    assert "told=denied violations=1" in done.log
    (note,) = server.ours()
    assert "accuracy" in note
    assert json.loads(done.artifact("ml-compliance", "report.json"))["changes"]["verdict"] == "allowed"
    assert [status["status"] for status in server.statuses.values()] == ["failed"]
