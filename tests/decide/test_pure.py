"""A policy judges by what it is given: it asks neither the network nor the clock, and its digest is of all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_compliance.authoring import check, rego_tests
from ml_compliance.decide import Request, _opa, binary, decide
from ml_compliance.decide._bundle_build import build_bundle
from ml_compliance.decide._policy import digest_of_modules, load_policy, packages
from ml_compliance.errors import EvaluationError, UsageError
from tests.policies import cases

OWN = "package mlpolicy.deploy\ndefault allow := false\nallow if {condition}\n"
IMPURE = {
    "crypto.x509.parse_and_verify_certificates", "crypto.x509.parse_and_verify_certificates_with_options", "http.send",
    "io.jwt.decode_verify", "io.jwt.encode_sign", "io.jwt.encode_sign_raw", "json.match_schema", "json.verify_schema",
    "net.lookup_ip_addr", "opa.runtime", "rand.intn", "time.now_ns", "uuid.rfc4122",
}  # fmt: skip
CALLS = {
    "http.send": 'http.send({"method": "GET", "url": "http://127.0.0.1:1"}).status_code == 200',
    "opa.runtime": "opa.runtime().env.HOME",
    "time.now_ns": "time.now_ns() > 0",
    "rand.intn": 'rand.intn("x", 2) < 2',
    "net.lookup_ip_addr": 'count(net.lookup_ip_addr("localhost")) > 0',
    "uuid.rfc4122": 'uuid.rfc4122("x") != ""',
}


def _own(folder: Path, condition: str) -> Path:
    (folder / "own").mkdir()
    (folder / "own" / "deploy.rego").write_text(OWN.replace("{condition}", condition))
    return folder / "own"


def test_the_functions_that_a_policy_may_not_call(opa: str) -> None:
    text, impure = _opa.capabilities(opa)
    assert impure == IMPURE
    assert '"allow_net": []' in text
    assert not [name for name in IMPURE if f'"name": "{name}"' in text]


@pytest.mark.parametrize("name", CALLS)
def test_what_is_not_pure_is_refused_wherever_a_policy_is_compiled(name: str, tmp_path: Path, opa: str) -> None:
    own = _own(tmp_path, CALLS[name])
    (own / "deploy_test.rego").write_text("package mlpolicy.deploy_test\ntest_it if true\n")
    for refused in (
        lambda: binary.evaluate(Request(cases.ALLOWED, cases.LAW, own)),
        lambda: build_bundle(own, tmp_path / "b.tar.gz"),
        lambda: check.check(own, [cases.ALLOWED], cases.LAW),
        lambda: rego_tests.run(own),
    ):
        with pytest.raises(
            (EvaluationError, UsageError), match=rf"deploy\.rego:3: .*undefined function {name}"
        ) as told:
            refused()
        assert "`input.created`" in told.value.remedy


def test_the_moment_of_evaluation_is_part_of_the_submission(tmp_path: Path, opa: str) -> None:
    own = _own(tmp_path, "time.parse_rfc3339_ns(input.created) > 0")
    assert decide(Request(cases.ALLOWED, cases.LAW, own), "binary").allow


def test_an_opa_that_does_not_mark_them_compiles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "opa"
    program.write_text("""#!/bin/sh\necho '{"builtins": [{"name": "http.send"}]}'\n""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(EvaluationError, match="it is too old"):
        decide(Request(cases.ALLOWED, cases.LAW), "binary")


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("# package a_test\n\n  package mlpolicy.deploy # b_test\nallow := true", "mlpolicy.deploy"),
        (" package mlpolicy.deploy\nx := `\npackage a_test\n`\nallow := true", "mlpolicy.deploy"),
        ("package mlpolicy.deploy#_test\nallow := true", "mlpolicy.deploy"),
        ("package\nmlpolicy.deploy\nallow := true", "mlpolicy.deploy"),
    ],
)
def test_the_package_is_the_one_that_opa_reads(text: str, package: str, tmp_path: Path, opa: str) -> None:
    own = tmp_path / "own.rego"
    own.write_text(text)
    assert packages([text]) == (package,)
    assert binary.evaluate(Request(cases.ALLOWED, cases.LAW, own)).result["allow"] is True
    assert digest_of_modules([text]) != digest_of_modules([])


def test_a_package_in_brackets_is_part_of_the_digest() -> None:
    assert digest_of_modules(['package mlpolicy["deploy_test"]\nallow := true']) != digest_of_modules([])


def test_what_no_digest_counts_does_not_judge(tmp_path: Path, opa: str) -> None:
    own = _own(tmp_path, "false")
    (own / "more.rego").write_text("package mlpolicy.rules.ab_test\nviolation := {}\n")
    with pytest.raises(UsageError, match=r"mlpolicy\.rules\.ab_test is called a test.*") as told:
        load_policy(Request({}, {}, own))
    assert told.value.where.endswith("more.rego")
    with pytest.raises(UsageError, match="is called a test"):
        build_bundle(own, tmp_path / "b.tar.gz")


def test_opa_reads_no_other_file_than_the_one_in_the_digest(
    tmp_path: Path, opa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of `--data a:b.rego` OPA reads b.rego."""
    monkeypatch.chdir(tmp_path)
    Path("a:b.rego").write_text(OWN.replace("{condition}", "false"))
    Path("b.rego").write_text(OWN.replace("{condition}", "true"))
    with pytest.raises(UsageError, match="`opa` would read another file"):
        binary.evaluate(Request(cases.ALLOWED, cases.LAW, Path("a:b.rego")))
