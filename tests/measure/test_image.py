"""Images without a daemon, scanned by the real Trivy with a database of real advisories, and judged by the gate."""

from __future__ import annotations

import json
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.measure import _trivy_database
from tests import images, project, scans
from tests.registry import Registry, serving

LAW = """\
  - id: scanned
    type: image
  - id: known
    type: supply_chain
"""
WAIVER = """\
waivers:
  - rule: image.vulnerability
    policy: scanned
    model: loans
    slice: {{cve: {cve}}}
    reason: not reachable, and the fix is on its way
    owner: credit@example.org
    approver: risk@example.org
    created: {created}
    expires: {expires}
"""


def gate_on(folder: Path, image: str, law: str = LAW, **scanner: object) -> project.Project:
    """A project whose image is judged."""
    made = project.make(folder)
    made.write("compliance.yaml", project.FACTS + scans.facts(image, **scanner))
    made.write("compliance_policy.yaml", f"project: loans\nwaivers: {{max_days: 40000}}\npolicies:\n{law}")
    return made


def judge(made: project.Project, name: str = "image") -> project.Result:
    """Measure one thing alone, and decide: the gate's answer without what else it measures."""
    # Without lineage a model has no name, and waivers are for named models.
    measured = made.run("measure", name, "lineage")
    if measured.code == 2:
        return measured
    assert made.run("submit").code == 0
    decided = made.run("decide")
    return project.Result(decided.code, measured.out + decided.out, measured.err + decided.err)


def evidence(made: project.Project) -> dict[str, Any]:
    """What was measured of the image."""
    found: dict[str, Any] = json.loads((made.out / "evidence" / "image.json").read_text())
    return found


def counts(found: dict[str, Any]) -> dict[str, float]:
    return {
        one["slice"]["severity"]: one["value"]
        for one in found["measurements"] if one["name"] == "image/vulnerabilities"
    }  # fmt: skip


def violations(made: project.Project) -> set[tuple[str, str]]:
    decision = json.loads((made.out / "decision.json").read_text())
    return {(one["rule"], one["title"]) for one in decision["violations"]}


def test_a_debian_image_with_known_vulnerabilities_is_denied(tmp_path: Path) -> None:
    image = images.image(images.DEBIAN)
    images.archive(image, tmp_path / "credit.tar")
    made = gate_on(tmp_path, "{archive: credit.tar}")
    result = made.run("gate")
    assert result.code == 1, result.err
    assert violations(made) == {
        ("image.vulnerability", "CVE-2023-45853 is in zlib1g 1:1.2.13.dfsg-1"),
        ("image.vulnerability", "CVE-2023-4911 is in libc6 2.36-9+deb12u1, fixed in 2.36-9+deb12u3"),
        ("image.vulnerability", "CVE-2018-18074 is in requests 2.19.1, fixed in 2.20.0"),
    }
    found = evidence(made)
    assert counts(found) == {"critical": 1, "high": 2, "medium": 0, "low": 0, "unknown": 0}
    facts = found["facts"]
    assert (facts["digest"], facts["digest_of"]) == (image.config, "configuration")
    assert facts["os"] == {"family": "debian", "name": "12.1", "end_of_life": False}
    assert facts["scanner"]["version"] == "0.67.2"
    assert facts["database"]["age_days"] < 1
    assert {"name": "Apache-2.0", "packages": ["requests"]} in facts["licences"]
    assert {file["path"] for file in found["files"]} == {"credit.tar", "image.cdx.json"}
    sarif = json.loads((made.out / "report.sarif").read_text())["runs"][0]["results"]
    [one] = [result for result in sarif if "CVE-2023-4911" in result["message"]["text"]]
    assert "libc6 2.36-9+deb12u1, fixed in 2.36-9+deb12u3" in one["message"]["text"]


def test_the_bill_of_materials_is_valid(tmp_path: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    images.archive(images.image(images.DEBIAN), tmp_path / "credit.tar")
    made = gate_on(tmp_path, "{archive: credit.tar}")
    assert made.run("measure", "image").code == 0
    text = (made.out / "image.cdx.json").read_text()
    bill = json.loads(text)
    assert JsonStrictValidator(SchemaVersion.from_version(bill["specVersion"])).validate_str(text) is None
    assert {"zlib1g", "libc6", "requests"} <= {one["name"] for one in bill["components"]}
    [listed] = [file for file in evidence(made)["files"] if file["path"] == "image.cdx.json"]
    assert evidence(made)["facts"]["sbom"]["sha256"] == listed["sha256"] == images.digest(text.encode())[7:]


def test_a_small_image_from_an_oci_layout(tmp_path: Path) -> None:
    images.layout(images.image(images.WOLFI), tmp_path / "layout")
    made = gate_on(tmp_path, "{archive: layout}", "  - {id: few, type: image, maximum: {high: 1, medium: 0}}\n")
    assert judge(made).code == 1
    assert counts(evidence(made)) == {"critical": 0, "high": 1, "medium": 1, "low": 0, "unknown": 0}
    assert violations(made) == {("image.vulnerability", "CVE-2023-5678 is in libcrypto3 3.1.3-r0, fixed in 3.1.4-r1")}


def test_an_image_without_vulnerabilities_is_allowed(tmp_path: Path) -> None:
    images.archive(images.image(images.CLEAN), tmp_path / "credit.tar")
    made = gate_on(tmp_path, "{archive: credit.tar}")
    result = judge(made)
    assert result.code == 0, result.out + result.err


@pytest.mark.parametrize(("files", "why"), [(images.OUTLIVED, "end of life"), ({"app": "x"}, "no package")])
def test_no_vulnerabilities_in_what_cannot_be_scanned_mean_nothing(
    files: dict[str, str], why: str, tmp_path: Path
) -> None:
    images.archive(images.image(files), tmp_path / "credit.tar")
    made = gate_on(tmp_path, "{archive: credit.tar}")
    assert judge(made).code == 1
    assert counts(evidence(made))["high"] == 0
    assert {rule for rule, _ in violations(made)} == {"image.not_scanned"}
    assert why in evidence(made)["reason"]


def test_a_secret_in_the_image_is_told_without_being_shown(tmp_path: Path) -> None:
    # Made up here: what it looks like is what matters.
    token = "ghp_" + "aB3" * 12
    images.archive(images.image({**images.CLEAN, "app/settings.py": f'TOKEN = "{token}"\n'}), tmp_path / "credit.tar")
    made = gate_on(tmp_path, "{archive: credit.tar}")
    result = judge(made)
    assert result.code == 1
    assert violations(made) == {("image.secret", "a secret is in /app/settings.py")}
    written = [path.read_text(errors="replace") for path in made.out.rglob("*") if path.is_file()]
    assert not [text for text in (result.out, result.err, *written) if token in text]


@pytest.mark.parametrize(
    ("created", "expires", "code"), [("2026-11-01", "2099-12-31", 0), ("2020-01-01", "2020-02-01", 1)]
)
def test_a_waiver_by_cve_is_shown_and_expires(created: str, expires: str, code: int, tmp_path: Path) -> None:
    files = {key: text for key, text in images.DEBIAN.items() if "requests" not in key}
    only = files["var/lib/dpkg/status"].split("\n\n")[0] + "\n\n"
    images.archive(images.image({**files, "var/lib/dpkg/status": only}), tmp_path / "credit.tar")
    made = gate_on(tmp_path, "{archive: credit.tar}")
    made.write("waivers.yaml", WAIVER.format(cve="CVE-2023-45853", created=created, expires=expires))
    result = judge(made)
    assert result.code == code, result.out + result.err
    decision = json.loads((made.out / "decision.json").read_text())
    if code == 0:
        assert [one["title"] for one in decision["waived"]] == ["CVE-2023-45853 is in zlib1g 1:1.2.13.dfsg-1"]
    else:
        assert "it has expired" in decision["warnings"][0]["message"]


def test_vex_takes_out_what_does_not_affect_the_image_and_says_so(tmp_path: Path) -> None:
    images.archive(images.image(images.WOLFI), tmp_path / "credit.tar")
    statement = {
        "vulnerability": {"name": "CVE-2023-5363"}, "products": [{"@id": "pkg:apk/wolfi/libcrypto3"}],
        "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path",
    }  # fmt: skip
    vex = {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex", "author": "risk",
           "timestamp": "2026-11-01T00:00:00Z", "version": 1, "statements": [statement]}  # fmt: skip
    (tmp_path / "vex.json").write_text(json.dumps(vex))
    made = gate_on(tmp_path, "{archive: credit.tar, vex: [vex.json]}")
    assert judge(made).code == 0
    facts = evidence(made)["facts"]
    assert [one["cve"] for one in facts["vulnerabilities"]] == ["CVE-2023-5678"]
    assert [(one["cve"], one["status"]) for one in facts["suppressed"]] == [("CVE-2023-5363", "not_affected")]
    assert "vex.json" in {file["path"] for file in evidence(made)["files"]}


@pytest.fixture
def clean(tmp_path: Path) -> str:
    """An image that would be allowed."""
    images.archive(images.image(images.CLEAN), tmp_path / "credit.tar")
    return "{archive: credit.tar}"


def incomplete(made: project.Project, why: str) -> None:
    """The gate gives no verdict, and says why."""
    result = judge(made)
    assert result.code == 3, result.out
    assert evidence(made)["status"] == "error"
    assert why in evidence(made)["reason"]
    assert why in " ".join(json.loads((made.out / "decision.json").read_text())["errors"])
    assert not (made.out / "image.cdx.json").exists()


def test_no_database(clean: str, tmp_path: Path) -> None:
    incomplete(gate_on(tmp_path, clean, cache=str(tmp_path / "none")), "there is no database of vulnerabilities")


def test_a_stale_database(clean: str, tmp_path: Path) -> None:
    old = str(scans.aged(tmp_path / "old", 8))
    incomplete(gate_on(tmp_path, clean, cache=old), "the database is 8.0 days old, and the law allows 7")
    law = "  - {id: scanned, type: image, database_age_days: 9}\n"
    assert judge(gate_on(tmp_path, clean, law, cache=old)).code == 0


def test_a_database_from_the_future_or_without_a_date(clean: str, tmp_path: Path) -> None:
    incomplete(gate_on(tmp_path, clean, cache=str(scans.aged(tmp_path / "ahead", -3))), "from the future")
    (tmp_path / "ahead" / "db" / "metadata.json").write_text("{}")
    incomplete(gate_on(tmp_path, clean, cache=str(tmp_path / "ahead")), "it cannot be read when the database was made")


def test_another_database_than_the_pinned_one(clean: str, tmp_path: Path) -> None:
    incomplete(gate_on(tmp_path, clean, database_sha256="0" * 64), "the sha256 of the database is")
    pinned = images.digest((scans.cache() / "db" / "trivy.db").read_bytes())[7:]
    assert judge(gate_on(tmp_path, clean, database_sha256=pinned)).code == 0


def test_a_broken_archive(tmp_path: Path) -> None:
    (tmp_path / "credit.tar").write_bytes(b"no archive")
    incomplete(gate_on(tmp_path, "{archive: credit.tar}"), "the scan could not be finished")


# In place of Trivy: it answers as Trivy does, but for the one thing that goes wrong with a scan.
_PRETENDER = """\
#!/bin/sh
case "$1" in
  --version) echo "Version: 0.67.2"; exit 0;;
esac
while [ $# -gt 0 ]; do [ "$1" = --output ] && out=$2; shift; done
{what}
"""


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("kill -KILL $$", "trivy was ended by the signal SIGKILL"),
        ('printf %s \'{"SchemaVersion": 2, "Results": [\' > "$out"', "the report of trivy cannot be read"),
        ('echo \'{"SchemaVersion": 3}\' > "$out"', "the report of trivy has the SchemaVersion 3; 2 is known here"),
        ('echo "[]" > "$out"', "the report of trivy has the SchemaVersion None"),
        (
            'echo \'{"SchemaVersion": 2, "ArtifactType": "x", "Metadata": {}, "Results": [{"Vulnerabilities": [{}]}]}\''
            ' > "$out"',
            "the report of trivy is of another form",
        ),
        ("true", "the report of trivy cannot be read"),
        ("echo no space left on device >&2; exit 1", "no space left on device"),
    ],
)
def test_a_scan_that_breaks_off(
    what: str, why: str, clean: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _in_place_of_trivy(tmp_path, what, monkeypatch)
    incomplete(gate_on(tmp_path, clean), why)


def _in_place_of_trivy(folder: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bin").mkdir()
    pretender = folder / "bin" / "trivy"
    pretender.write_text(_PRETENDER.replace("{what}", what))
    pretender.chmod(pretender.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=":")


def test_a_timeout_ends_everything_that_was_started(
    clean: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = f"{tmp_path}/running"
    _in_place_of_trivy(tmp_path, f"(while :; do date > {mark}; sleep 0.1; done) & wait", monkeypatch)
    incomplete(gate_on(tmp_path, clean, timeout=2), "the scan was not finished within 2 s")
    last = Path(mark).stat().st_mtime_ns
    time.sleep(0.5)
    assert Path(mark).stat().st_mtime_ns == last


def test_a_full_disk(tmp_path: Path, clean: str) -> None:
    """Trivy's own words, when the report cannot be written."""
    from ml_compliance.errors import EvaluationError
    from ml_compliance.measure._trivy import Trivy, program

    trivy = Trivy(program(), scans.cache(), tmp_path, 60)
    with pytest.raises(EvaluationError, match="no space left on device") as raised:
        trivy.run("image", "--input", str(tmp_path / "credit.tar"), "--output", "/dev/full", "--format", "json",
                  "--scanners", "vuln", "--skip-db-update", "--offline-scan", "--skip-java-db-update")  # fmt: skip
    assert "make room" in raised.value.remedy


def test_what_hides_findings_from_trivy_is_not_listened_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images.archive(images.image(images.WOLFI), tmp_path / "credit.tar")
    for name in (".trivyignore", "ignore"):
        (tmp_path / name).write_text("CVE-2023-5363\n")
    (tmp_path / "trivy.yaml").write_text("severity: [LOW]\n")
    monkeypatch.setenv("TRIVY_IGNOREFILE", str(tmp_path / "ignore"))
    monkeypatch.setenv("TRIVY_SEVERITY", "LOW")
    monkeypatch.chdir(tmp_path)
    made = gate_on(tmp_path, "{archive: credit.tar}")
    made.run("measure", "image")
    assert counts(evidence(made))["high"] == 1


@pytest.mark.parametrize(("image", "said"), [
    ("{}", "neither a name nor an archive"), ("{name: a, archive: b}", "both a name and an archive"),
    ("{archive: none.tar}", "there is no such file"), ("{name: --help}", "is no name of an image"),
])  # fmt: skip
def test_mistakes_in_the_facts(image: str, said: str, tmp_path: Path) -> None:
    result = judge(gate_on(tmp_path, image))
    assert (result.code, said in result.err) == (2, True), result.err


def test_a_private_registry_is_scanned_and_the_password_stays_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_image, password = images.image(images.WOLFI), "correct-horse-battery"
    monkeypatch.setenv("TRIVY_USERNAME", "ci")
    monkeypatch.setenv("TRIVY_PASSWORD", password)
    started = _arguments_seen(monkeypatch)
    with serving(Registry({"credit:1": made_image}, "ci", password)) as registry:
        made = gate_on(tmp_path, f"{{name: '{registry.host}/credit@{made_image.manifest}'}}")
        result = judge(made)
        assert (evidence(made)["facts"]["digest"], evidence(made)["facts"]["digest_of"]) == (
            made_image.manifest, "manifest")  # fmt: skip
        assert counts(evidence(made))["high"] == 1
        monkeypatch.setenv("TRIVY_PASSWORD", f"{password}-of-old")
        (tmp_path / "again").mkdir()
        again = gate_on(tmp_path / "again", f"{{name: {registry.host}/credit:1}}")
        refused = judge(again)
    assert (result.code, refused.code) == (1, 3)
    assert "set TRIVY_USERNAME" in evidence(again)["reason"]
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    written += [path.read_bytes() for path in scans.cache().rglob("*") if path.is_file()]
    assert not [content for content in written if password.encode() in content]
    said = (result.out, result.err, refused.out, refused.err, *started)
    assert len(started) > 2
    assert not [text for text in said if password in text]


def _arguments_seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments of every program that is started, as a list of processes shows them."""
    seen: list[str] = []
    popen = subprocess.Popen

    def started(command: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(" ".join(map(str, command)))
        return popen(command, *arguments, **options)

    monkeypatch.setattr("ml_compliance.measure._trivy.subprocess.Popen", started)
    return seen


def test_the_database_comes_from_the_first_mirror_that_has_it(
    clean: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_trivy_database, "WAITS", (0.0, 0.1))
    busy = Registry({"db:2": scans.database_artifact()}, refusals=100)
    good = Registry({"db:2": scans.database_artifact()}, refusals=1)
    with serving(busy), serving(good):
        mirrors = ["127.0.0.1:1/db:2", f"{busy.host}/db:2", f"{good.host}/db:2"]
        made = gate_on(tmp_path, clean, cache=str(tmp_path / "new"), offline=False, databases=mirrors)
        assert judge(made).code == 0, evidence(made)["reason"]
    assert busy.refusals < 100
    assert good.refusals == 0
    assert any("/blobs/" in path for path in good.asked)
    assert evidence(made)["facts"]["database"]["sha256"] == images.digest(
        (scans.cache() / "db" / "trivy.db").read_bytes())[7:]  # fmt: skip


def test_no_mirror_has_the_database(clean: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_trivy_database, "WAITS", (0.0, 0.0))
    with serving(Registry({}, refusals=1000)) as registry:
        mirrors = [f"{registry.host}/db:2"]
        made = gate_on(tmp_path, clean, cache=str(tmp_path / "new"), offline=False, databases=mirrors)
        incomplete(made, "TOOMANYREQUESTS")
    assert 3 <= sum("/manifests/" in path for path in registry.asked) < 30


def test_the_script_judges_the_image_alone(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from ml_compliance.entry_points import scan_image

    images.archive(images.image(images.DEBIAN), tmp_path / "credit.tar")
    made = gate_on(tmp_path, "{archive: credit.tar}", "  - {id: accuracy, type: performance, metric: f1, minimum: 1}\n")
    words = ["--config", str(tmp_path / "compliance.yaml"), "--out", str(made.out), "--engine", "embedded"]
    result = CliRunner().invoke(scan_image, words)
    assert result.exit_code == 1, result.output
    assert {rule for rule, _ in violations(made)} == {"image.vulnerability"}
    assert [path.name for path in sorted((made.out / "evidence").iterdir())] == ["image.json", "measured.json"]
