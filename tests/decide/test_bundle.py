"""A policy of a user's own as a bundle: the same on every engine, and of no use once anybody has changed it."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.decide import Request, binary, decide, embedded
from ml_compliance.decide import server as server_engine
from ml_compliance.decide._bundle import read_bundle
from ml_compliance.decide._bundle_build import build_bundle, signing_key
from ml_compliance.decide._policy import load_policy
from ml_compliance.errors import NOT_EVALUATED, EvaluationError, UsageError
from ml_compliance.facts import Server
from tests.decide.opa_server import Running
from tests.policies import cases
from tests.project import make

OWN = """package mlpolicy.deploy
default allow := false
allow if {
    input.model.artifact_registered == data.limits.registered
    data.mlpolicy.law.project == "customer_credit"
}
violation contains "not registered" if not allow
"""
# Numbers, characters and order that a careless digest would take for others.
DATA = '{"limits": {"registered": true, "b": 1.50, "a": [1e3, "<\\u2028é\\u0001>"], "ä": null}}'
KEYS = {
    "rsa": ["genrsa", "-out", "rsa.pem", "2048"],
    "ec": ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ec.pem"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, opa: str) -> Path:
    """A policy with data and a test, two pairs of keys, and a bundle signed with each."""
    made: Path = tmp_path_factory.mktemp("bundle")
    (made / "own").mkdir()
    (made / "own" / "deploy.rego").write_text(OWN)
    (made / "own" / "deploy_test.rego").write_text("package mlpolicy.deploy_test\ntest_it if false\n")
    (made / "own" / "data.json").write_text(DATA)
    for name, arguments in KEYS.items():
        subprocess.run(["openssl", *arguments], cwd=made, check=True, capture_output=True)
        public = ["openssl", "pkey", "-in", f"{name}.pem", "-pubout", "-out", f"{name}.pub"]
        subprocess.run(public, cwd=made, check=True, capture_output=True)
        build_bundle(made / "own", made / f"{name}.tar.gz", (made / f"{name}.pem").read_bytes())
    return made


def _request(folder: Path, name: str = "rsa", submission: Any = cases.ALLOWED, **more: Any) -> Request:
    return Request(submission, cases.LAW, rego=folder / f"{name}.tar.gz", rego_key=folder / f"{name}.pub", **more)


def _changed(bundle: Path, changes: Mapping[str, bytes | None]) -> None:
    with tarfile.open(bundle) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    raw = io.BytesIO()
    with gzip.GzipFile(fileobj=raw, mode="wb") as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in {**files, **changes}.items():
            if content is not None:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    bundle.write_bytes(raw.getvalue())


@pytest.fixture(scope="module", params=["rsa", "ec"])
def holder(request: pytest.FixtureRequest, folder: Path, start_opa: Any) -> tuple[str, Running]:
    """A server that took the bundle after verifying it itself."""
    algorithm = {"rsa": "RS256", "ec": "ES256"}[request.param]
    key = (f"--verification-key={folder / request.param}.pub", f"--signing-alg={algorithm}")
    started: Running = start_opa("--bundle", str(folder / f"{request.param}.tar.gz"), *key)
    started.put_law(cases.LAW)
    return request.param, started


@pytest.mark.parametrize("registered", [True, False, None])
def test_every_engine_runs_it_alike(registered: bool | None, folder: Path, holder: tuple[str, Running]) -> None:
    name, server = holder
    submission = cases.changed(cases.ALLOWED, ("input", "model", "artifact_registered"), registered)
    request = _request(folder, name, submission, server=Server(server.url))
    found = [engine.evaluate(request) for engine in (server_engine, binary, embedded)]
    assert found[0].result == found[1].result == found[2].result
    assert found[0].result["allow"] is (registered is True)
    assert found[0].policy_digest == found[1].policy_digest == found[2].policy_digest == found[1].revision
    assert found[0].revision.endswith(f".tar.gz@{found[1].revision}")
    assert decide(request, "server", cross_check=True).cross_checked == "binary 1.22.2"


@pytest.mark.parametrize("name", ["/data.json", "/policy.wasm"])
def test_the_digest_is_of_all_that_judges(name: str, folder: Path, tmp_path: Path) -> None:
    """Who signs a bundle is for the change set to say, so that the signature alone agrees on nothing."""
    bundle, before = tmp_path / "b.tar.gz", embedded.evaluate(_request(folder)).policy_digest
    build_bundle(folder / "own", bundle)
    assert load_policy(Request({}, {}, bundle)).digest == before
    _changed(bundle, {name: {"/data.json": b'{"limits": {"registered": false}}'}.get(name, b"\0asm\1\0\0\0")})
    assert load_policy(Request({}, {}, bundle)).digest != before


@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [("/a:b.rego", b"package a", "has a colon"), ("/more.rego", b"package more_test", "is called a test")],
)
def test_a_bundle_hides_no_module(name: str, text: bytes, cause: str, folder: Path, tmp_path: Path) -> None:
    build_bundle(folder / "own", tmp_path / "b.tar.gz")
    _changed(tmp_path / "b.tar.gz", {name: text})
    with pytest.raises(EvaluationError, match=cause):
        binary.evaluate(Request(cases.ALLOWED, cases.LAW, tmp_path / "b.tar.gz"))


def test_the_same_sources_give_the_same_bundle(folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.tar.gz"
    build_bundle(folder / "own", again, (folder / "rsa.pem").read_bytes())
    assert again.read_bytes() == (folder / "rsa.tar.gz").read_bytes()
    assert "deploy_test.rego" not in str(read_bundle(again, folder / "rsa.pub").keys())


TAMPERED = [
    ({"/deploy.rego": OWN.replace("false", "true").encode()}, "deploy.rego is not the file that was signed"),
    ({"/policy.wasm": b"\0asm\1\0\0\0"}, "policy.wasm is not the file that was signed"),
    ({"/data.json": DATA.replace("1.50", "1.5").encode()}, "data.json is not the file that was signed"),
    ({"/.manifest": b'{"revision":"new"}'}, ".manifest is not the file that was signed"),
    ({"/more.rego": b"package more"}, "more.rego was added or taken out"),
    ({"/data.json": None}, "data.json was added or taken out"),
    ({"/.signatures.json": None}, "is not signed"),
    ({"/.signatures.json": b'{"signatures": []}'}, "signature is not one of this key"),
    ({"/.signatures.json": b'{"signatures": ["a.b.c"]}'}, "signature is not one of this key"),
]


@pytest.mark.parametrize(("changes", "cause"), TAMPERED, ids=[cause for _, cause in TAMPERED])
@pytest.mark.parametrize("engine", [server_engine, binary, embedded], ids=["server", "binary", "embedded"])
def test_a_tampered_bundle_is_not_evaluated(
    changes: Any, cause: str, engine: Any, folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.tar.gz"
    bundle.write_bytes((folder / "rsa.tar.gz").read_bytes())
    _changed(bundle, changes)
    request = Request(cases.ALLOWED, cases.LAW, bundle, Server("http://127.0.0.1:1"), folder / "rsa.pub")
    with pytest.raises(EvaluationError, match=cause) as error:
        engine.evaluate(request)
    assert error.value.exit_code == NOT_EVALUATED


def test_a_server_that_refuses_a_tampered_bundle_decides_nothing(folder: Path, start_opa: Any, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar.gz"
    bundle.write_bytes((folder / "rsa.tar.gz").read_bytes())
    _changed(bundle, {"/deploy.rego": OWN.replace("false", "true").encode()})
    keys = {"default": {"algorithm": "RS256", "key": (folder / "rsa.pub").read_text()}}
    source = {"resource": bundle.as_uri(), "signing": {"keyid": "default"}}
    (tmp_path / "opa.json").write_text(json.dumps({"keys": keys, "bundles": {"policy": source}}))
    url = start_opa("--config-file", str(tmp_path / "opa.json")).url
    with pytest.raises(EvaluationError, match="has not activated its bundles"):
        decide(_request(folder, server=Server(url)))


@pytest.mark.parametrize("claims", [{"alg": "none"}, {"alg": "HS256"}])
def test_a_signature_may_not_choose_its_own_algorithm(claims: Any, folder: Path, tmp_path: Path) -> None:
    import hmac
    from base64 import urlsafe_b64encode

    bundle = tmp_path / "bundle.tar.gz"
    bundle.write_bytes((folder / "rsa.tar.gz").read_bytes())
    listed: dict[str, list[str]] = {"files": []}
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (claims, listed)]
    mac = hmac.digest((folder / "rsa.pub").read_bytes(), b".".join(parts), "sha256")
    token = b".".join([*parts, urlsafe_b64encode(mac).rstrip(b"=") if claims["alg"] == "HS256" else b""])
    _changed(bundle, {"/.signatures.json": json.dumps({"signatures": [token.decode()]}).encode()})
    with pytest.raises(EvaluationError, match="signature is not one of this key"):
        read_bundle(bundle, folder / "rsa.pub")


def test_keys_are_told_apart(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="signature is not one of this key"):
        read_bundle(folder / "rsa.tar.gz", folder / "ec.pub")
    with pytest.raises(UsageError, match="no key to verify it is named"):
        read_bundle(folder / "rsa.tar.gz", None)
    with pytest.raises(UsageError, match="no PEM file of a public key"):
        read_bundle(folder / "rsa.tar.gz", folder / "own" / "data.json")
    with pytest.raises(UsageError, match="no such bundle"):
        read_bundle(tmp_path / "none.tar.gz", None)
    with pytest.raises(UsageError, match="`rego` names none"):
        binary.evaluate(Request(cases.ALLOWED, cases.LAW, folder / "own", None, folder / "rsa.pub"))


@pytest.mark.parametrize("content", [b"", b"no archive", gzip.compress(b"no archive", mtime=0)])
def test_what_is_no_bundle_is_not_evaluated(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "b.tar.gz").write_bytes(content)
    with pytest.raises(EvaluationError, match="bundle"):
        embedded.evaluate(Request(cases.ALLOWED, cases.LAW, tmp_path / "b.tar.gz"))


def test_an_archive_may_not_reach_outside(tmp_path: Path, folder: Path) -> None:
    bundle = tmp_path / "b.tar.gz"
    bundle.write_bytes((folder / "rsa.tar.gz").read_bytes())
    _changed(bundle, {"../outside.rego": b"package outside"})
    with pytest.raises(EvaluationError, match="no plain file"):
        read_bundle(bundle, folder / "rsa.pub")


def test_functions_that_the_embedded_engine_lacks_are_named(opa: str, tmp_path: Path) -> None:
    own = tmp_path / "own.rego"
    own.write_text('package mlpolicy.deploy\nallow := sprintf("%d", [1]) == "1"\n')
    assert build_bundle(own, tmp_path / "b.tar.gz").lacking == ("sprintf",)
    request = Request(cases.ALLOWED, cases.LAW, tmp_path / "b.tar.gz")
    with pytest.raises(EvaluationError, match="calls `sprintf`, which only the `opa` program has"):
        decide(request, "embedded")
    assert decide(request, "binary").allow


@pytest.mark.parametrize(
    ("text", "cause"),
    [("package mlpolicy.deploy\nallow if if", r"own\.rego:2"), ("package other\nallow := true", "mlpolicy/deploy")],
)
def test_what_opa_refuses_leaves_no_bundle(text: str, cause: str, opa: str, tmp_path: Path) -> None:
    (tmp_path / "own.rego").write_text(text)
    with pytest.raises(UsageError, match=cause):
        build_bundle(tmp_path / "own.rego", tmp_path / "b.tar.gz")
    assert not (tmp_path / "b.tar.gz").exists()


def test_a_signing_key_is_named_and_never_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", (folder / "ec.pem").read_text())
    assert signing_key(None, "KEY") == (folder / "ec.pem").read_bytes() == signing_key(folder / "ec.pem", "")
    for arguments, cause in (((None, "NONE"), "NONE is empty"), ((folder / "none", ""), "there is no such file"),
                             ((folder / "ec.pem", "KEY"), "two signing keys")):  # fmt: skip
        with pytest.raises(UsageError, match=cause):
            signing_key(*arguments)
    with pytest.raises(UsageError, match="no PEM text of a private key") as error:
        build_bundle(folder / "own", folder / "none.tar.gz", b"secret")
    assert "secret" not in str(error.value)


def test_from_the_command_line_to_a_verdict(folder: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from ml_compliance.cli import main

    project = make(tmp_path)
    words = ["policy", "build", str(folder / "own"), "--out", str(tmp_path / "own.tar.gz"), "--json"]
    built = json.loads(CliRunner().invoke(main, [*words, "--signing-key", str(folder / "ec.pem")]).stdout)
    facts = (project.folder / "compliance.yaml").read_text()
    project.write("compliance.yaml", f"{facts}rego: own.tar.gz\nrego_key: {folder / 'ec.pub'}\n")
    decided = project.run("gate", "--json")
    decision = json.loads((project.out / "decision.json").read_text())
    assert (built["signed"], built["embedded_lacks"]) == (True, [])
    assert (decided.code, decision["policy_revision"]) == (1, built["policy_digest"])
    _changed(tmp_path / "own.tar.gz", {"/more.rego": b"package more"})
    assert project.run("decide").code == NOT_EVALUATED
