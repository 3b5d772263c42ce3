"""Images without a daemon, scanned by the real Trivy with a database of real advisories, and judged by the gate."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.measure._trivy import Trivy
from tests import images, scans
from tests.registry import Registry, serving
from tests.scans import counts, evidence, gate_on, judge, violations

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


def test_licences_are_allowed_by_name_and_waived_by_name(tmp_path: Path) -> None:
    """Apache-2.0 is what Wolfi's package states; that of Debian says nothing, which is no permission."""
    unstated = {key: text for key, text in images.CLEAN.items() if "apk" not in key}
    unstated["lib/apk/db/installed"] = images.CLEAN["lib/apk/db/installed"].replace("L:Apache-2.0\n", "")
    law = "  - {{id: licensed, type: image, licences: [{}]}}\n"
    images.archive(images.image(images.CLEAN), tmp_path / "credit.tar")
    made = gate_on(tmp_path, "{archive: credit.tar}", law.format("MIT, Apache-2.0"))
    assert judge(made).code == 0, violations(made)
    made = gate_on(tmp_path, "{archive: credit.tar}", law.format("MIT"))
    assert judge(made).code == 1
    assert violations(made) == {("image.licence", "the licence of musl is Apache-2.0")}
    waiver = WAIVER.format(cve="none", created="2026-11-01", expires="2099-12-31")
    waiver = waiver.replace("image.vulnerability", "image.licence").replace("scanned", "licensed")
    made.write("waivers.yaml", waiver.replace("cve: none", "licence: Apache-2.0"))
    assert judge(made).code == 0, violations(made)
    (tmp_path / "waivers.yaml").unlink()
    images.archive(images.image(unstated), tmp_path / "credit.tar")
    made = gate_on(tmp_path, "{archive: credit.tar}", law.format("Apache-2.0"))
    assert judge(made).code == 1
    assert violations(made) == {("image.licence", "the licence of musl is unknown")}
    assert judge(gate_on(tmp_path, "{archive: credit.tar}", law.format("unknown"))).code == 0


def test_code_scanning_is_told_of_each_vulnerability(tmp_path: Path) -> None:
    images.archive(images.image(images.DEBIAN), tmp_path / "credit.tar")
    made = gate_on(tmp_path, "{archive: credit.tar}")
    assert made.run("gate").code == 1
    run = json.loads((made.out / "report.sarif").read_text())["runs"][0]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    told = {one["properties"]["cve"]: one for one in run["results"] if "cve" in one["properties"]}
    assert set(told) == {"CVE-2023-45853", "CVE-2023-4911", "CVE-2018-18074"}
    one = told["CVE-2018-18074"]
    assert one["properties"]["packages"] == [
        {"package": "requests", "installed": "2.19.1", "fixed": "2.20.0",
         "location": "usr/lib/python3/dist-packages/requests-2.19.1.dist-info/METADATA"}
    ]  # fmt: skip
    assert rules[one["ruleId"]]["helpUri"] == "https://avd.aquasec.com/nvd/cve-2018-18074"
    assert len({result["partialFingerprints"]["mlCompliance/v1"] for result in told.values()}) == 3


def test_trivy_is_told_no_more_than_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who pulls an image is told how; who looks at files is not. Neither gets the tokens of the pipeline."""
    secret = (
        "GITHUB_TOKEN",
        "CI_JOB_TOKEN",
        "MLFLOW_TRACKING_PASSWORD",
        "TRIVY_SEVERITY",
        "GITHUB_ENV",
        "LD_PRELOADED",
    )
    registry = ("AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "GOOGLE_APPLICATION_CREDENTIALS", "DOCKER_CONFIG",
                "TRIVY_USERNAME", "REGISTRY_AUTH_FILE")  # fmt: skip
    network = ("https_proxy", "NO_PROXY", "SSL_CERT_FILE", "XDG_CACHE_HOME", "HOME", "PATH", "TMPDIR")
    program = tmp_path / "trivy"
    program.write_text(f"#!{sys.executable}\nimport os\nprint(*os.environ)\n")
    program.chmod(0o755)
    for name in (*secret, *registry, *network):
        monkeypatch.setenv(name, str(tmp_path))
    trivy = Trivy(str(program), tmp_path, tmp_path, 60)
    pulling, reading = (set(trivy.run(command).split()) for command in ("image", "config"))
    assert pulling >= {*registry, *network}
    assert reading >= set(network)
    assert not pulling & set(secret)
    assert not reading & {*secret, *registry}


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
    assert "compliance.yaml:9: " in result.err


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
