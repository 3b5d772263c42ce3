"""A real OPA server: the article's request, and each way in which it can fail to decide."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.decide import Request, decide
from ml_compliance.documents import canonical
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.facts import Server
from ml_compliance.resources import policies_folder
from tests.decide.opa_server import Running, answering
from tests.policies import cases

VARIABLE = "OPA_TOKEN"


def _ask(url: str, **settings: Any) -> Any:
    return decide(Request(cases.ALLOWED, cases.LAW, server=Server(url, **settings)))


@pytest.mark.parametrize("law", [cases.LAW, cases.STRICT], ids=["allowed", "denied"])
def test_the_articles_curl_line_works_as_printed(law: Any, server: Running, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("needs the program `curl`")
    server.put_law(law)
    (tmp_path / "model_submission.json").write_text(canonical(cases.ALLOWED), encoding="utf-8")
    printed = f"-X POST {server.url}/v1/data/mlpolicy/deploy/allow -H Content-Type:application/json"
    done = subprocess.run(
        [curl, "--silent", *printed.split(), "-d", "@model_submission.json"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {"result": law is cases.LAW}


def test_server_decides(server: Running) -> None:
    server.put_law(cases.LAW)
    decision = _ask(server.url)
    assert (decision.verdict, decision.engine, decision.engine_version) == ("allowed", "server", "1.22.2")


def test_server_with_another_law_or_none(server: Running) -> None:
    server.put_law(cases.STRICT)
    with pytest.raises(EvaluationError, match="judges by another law"):
        _ask(server.url)
    server.put_law({})
    with pytest.raises(EvaluationError, match="holds no law"):
        _ask(server.url)


def test_server_without_the_policy(start_opa: Any) -> None:
    with pytest.raises(EvaluationError, match="no package"):
        _ask(start_opa().url)


def test_server_with_a_policy_of_ones_own(start_opa: Any, tmp_path: Path) -> None:
    own = tmp_path / "own.rego"
    own.write_text("package mlpolicy.deploy\ndefault allow := false\nallow if input.model.artifact_registered\n")
    url = start_opa(str(own)).url
    decision = decide(Request(cases.ALLOWED, cases.LAW, rego=own, server=Server(url)), "server")
    assert decision.allow
    assert [warning.rule for warning in decision.warnings] == ["policy.own"]
    with pytest.raises(EvaluationError, match="a policy that is not the shipped one"):
        _ask(url)


def test_server_that_wants_a_token(start_opa: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is sent; one that may not list policies still decides, and the digest then names the server."""
    guard = tmp_path / "guard.rego"
    guard.write_text(
        "package system.authz\ndefault allow := false\n"
        'allow if { input.identity == "right"; input.path[1] == "data" }\n'
    )
    law = tmp_path / "law.json"
    law.write_text(json.dumps({"mlpolicy": {"law": cases.LAW}}))
    options = ("--authentication=token", "--authorization=basic", str(guard), str(law))
    started = start_opa(*options, str(policies_folder()))
    monkeypatch.setenv(VARIABLE, "wrong")
    with pytest.raises(EvaluationError, match="answered 401"):
        _ask(started.url, token_env=VARIABLE)
    monkeypatch.setenv(VARIABLE, "right")
    decision = _ask(started.url, token_env=VARIABLE)
    assert decision.allow
    assert decision.policy_digest == f"server:{started.url}"
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(UsageError, match="OPA_TOKEN is empty"):
        _ask(started.url, token_env=VARIABLE)


def test_server_with_a_certificate_of_an_authority_of_its_own(start_opa: Any, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the program `openssl`")
    request = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=127.0.0.1"
    arguments = [openssl, *request.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(arguments, cwd=tmp_path, check=True, capture_output=True)
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    law = tmp_path / "law.json"
    law.write_text(json.dumps({"mlpolicy": {"law": cases.LAW}}))
    files = (f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}", str(law), str(policies_folder()))
    started = start_opa(*files, scheme="https")
    assert _ask(started.url, ca=str(certificate)).allow
    with pytest.raises(EvaluationError, match="certificate is not trusted"):
        _ask(started.url)
    with pytest.raises(UsageError, match="authority is not there"):
        _ask(started.url, ca=str(tmp_path / "none.pem"))


def test_server_that_cannot_be_reached() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EvaluationError, match="cannot be reached: Connection refused") as error:
        _ask(f"http://127.0.0.1:{port}")
    assert "object at" not in str(error.value)
    assert error.value.where == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (500, '{"code": "internal_error", "message": "eval failed", "errors": [{"message": "conflict"}]}',
         "answered 500: eval failed; conflict"),
        (503, "down", "answered 503"),
        (200, "<html>", "no JSON"),
        (200, "[]", "no object"),
        (200, "{}", "no package"),
        (200, "[" * 200_000 + "]" * 200_000, "no JSON"),
        (200, '{"result": {"allow": NaN}}', "not JSON that can be recorded"),
        (200, f'{{"result": {"[" * 700 + "]" * 700}}}', "not JSON that can be recorded"),
        (307, "", "leads to another address, http://elsewhere.invalid/"),
    ],
)  # fmt: skip
def test_server_that_answers_something_else(status: int, body: str, cause: str) -> None:
    with answering(status, lambda: [body.encode()]) as url, pytest.raises(EvaluationError, match=cause):
        _ask(url)


def test_server_that_sends_a_byte_now_and_then() -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(40):
            yield b" "
            time.sleep(0.05)

    started = time.monotonic()
    with answering(200, drip) as url:
        with pytest.raises(EvaluationError, match=r"no answer within 0\.3 s"):
            _ask(url, timeout=0.3)
        assert time.monotonic() - started < 1.5


def test_server_that_sends_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_compliance.decide._bounded.LARGEST", 1 << 20)
    sent: list[int] = []

    def flood() -> Iterator[bytes]:
        for number in range(1_000):
            sent.append(number)
            yield b" " * (1 << 18)

    with answering(200, flood) as url, pytest.raises(EvaluationError, match="larger than 1 MiB"):
        _ask(url)
    assert len(sent) < 100


def test_server_that_does_not_answer_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(EvaluationError, match=r"no answer within 0\.2 s"):
            _ask(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)


@pytest.mark.parametrize("url", ["localhost:8181", "ftp://a", "http://", "http://a:b", "http://u:p@a", "http://[a"])
def test_wrong_address(url: str) -> None:
    with pytest.raises(UsageError, match="no URL of an OPA server"):
        _ask(url)
