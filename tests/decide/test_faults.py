"""Each way in which a real OPA can fail to decide: exit code 3, a message that names the cause, and never "allowed"."""

from __future__ import annotations

import http.client
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.decisions import rules_digest
from ml_compliance.errors import NOT_EVALUATED
from ml_compliance.resources import policies_folder
from tests.decide.opa_server import Running, answering
from tests.project import Project, make

HEAD = "package mlpolicy.deploy\n"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = make(tmp_path_factory.mktemp("measured"))
    assert made.run("gate", "--json").code == 0
    return made


@pytest.fixture
def project(measured: Project, tmp_path: Path) -> Project:
    """A project whose submission and law are there, and are allowed by the embedded policy."""
    shutil.copytree(measured.folder, tmp_path / "project")
    return Project(tmp_path / "project")


def _law(project: Project) -> Any:
    return json.loads((project.out / "policy_data.json").read_text())["mlpolicy"]["law"]


def _refused(project: Project, cause: str, *words: str) -> None:
    """`decide` ends with 3, names the cause in what it prints and in the decision, and leaves no "allowed" behind."""
    result = project.run("decide", *words, engine=False)
    decision = json.loads((project.out / "decision.json").read_text())
    assert result.code == NOT_EVALUATED
    assert (decision["verdict"], decision["allow"]) == ("not_evaluated", False)
    assert cause in decision["errors"][0]
    assert cause[:30] in " ".join(result.out.split())


def _server(project: Project, url: str, **settings: Any) -> None:
    facts = (project.folder / "compliance.yaml").read_text()
    project.write("compliance.yaml", f"{facts}server: {json.dumps({'url': url, **settings})}\n")


@contextmanager
def _proxy(target: str, before: Callable[[int], int]) -> Iterator[tuple[str, list[int]]]:
    """Hands requests on to `target`; `before` may stop first, and gives a status to answer with, or 0."""
    asked: list[int] = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(len(asked))
            status = before(asked[-1])
            try:
                answer = b'{"code": "internal_error", "message": "injected"}' if status else self._hand_on(body)
                self.send_response(status or 200)
                self.end_headers()
                self.wfile.write(answer)
            except (OSError, http.client.HTTPException):
                self.close_connection = True

        def do_GET(self) -> None:
            status, answer = self._ask(None)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        def _hand_on(self, body: bytes) -> bytes:
            return self._ask(body)[1]

        def _ask(self, body: bytes | None) -> tuple[int, bytes]:
            request = urllib.request.Request(f"{target}{self.path}", body)  # noqa: S310
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read()

        def log_message(self, *_: Any) -> None:
            """The test's output stays clean."""

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}", asked
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def test_server_not_running(project: Project) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    _refused(project, "cannot be reached", "--opa-url", f"http://127.0.0.1:{port}")


def test_server_killed_in_mid_request(project: Project, opa: str, tmp_path: Path) -> None:
    """The policy counts for minutes; the server dies while it does."""
    busy = tmp_path / "busy.rego"
    busy.write_text(HEAD + "allow if { some i, j in numbers.range(1, 200000)\n some k in numbers.range(1, 200000)\n"
                    "i + j + k < 0 }\n")  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    quiet = ("--disable-telemetry", "--log-level", "error")
    process = subprocess.Popen([opa, "run", "--server", *quiet, "--addr", address, str(busy)])
    try:
        _wait(f"http://{address}/health")
        threading.Timer(1.0, process.kill).start()
        _refused(project, "cannot be reached", "--opa-url", f"http://{address}")
    finally:
        process.kill()
        process.wait(10)


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(url)


def test_server_answers_500(project: Project, server: Running) -> None:
    server.put_law(_law(project))
    with _proxy(server.url, lambda _: 500) as (url, asked):
        _refused(project, "answered 500: injected", "--opa-url", url)
    assert len(asked) == 3


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_passing_error_is_asked_again(status: int, project: Project, server: Running) -> None:
    server.put_law(_law(project))
    with _proxy(server.url, lambda asked: status if asked == 0 else 0) as (url, asked):
        assert project.run("decide", "--opa-url", url, engine=False).code == 0
    assert len(asked) == 2


def test_server_slow_past_the_timeout(project: Project, server: Running) -> None:
    server.put_law(_law(project))

    def slow(_: int) -> int:
        time.sleep(0.8)
        return 0

    with _proxy(server.url, slow) as (url, asked):
        _server(project, url, timeout=0.3)
        _refused(project, "no answer within 0.3 s")
    assert len(asked) == 1


def test_wrong_authority(project: Project, start_opa: Any, tmp_path: Path) -> None:
    for name in ("right", "wrong"):
        request = f"req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -days 2 -subj /CN=127.0.0.1"
        arguments = ["openssl", *request.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(arguments, cwd=tmp_path, check=True, capture_output=True)
    files = (f"--tls-cert-file={tmp_path / 'right.pem'}", f"--tls-private-key-file={tmp_path / 'right.key'}")
    started = start_opa(*files, str(policies_folder()), scheme="https")
    _server(project, started.url, ca=str(tmp_path / "wrong.pem"))
    _refused(project, "certificate is not trusted")


def test_rule_renamed_on_the_server(project: Project, start_opa: Any, tmp_path: Path) -> None:
    own = tmp_path / "own.rego"
    own.write_text(HEAD + "default permit := true\n")
    _refused(project, "no `allow`", "--opa-url", start_opa(str(own)).url)


def test_an_answer_that_python_reads_and_json_does_not_know(project: Project) -> None:
    """It is a decision as well, and recorded: `_refused` reads it."""
    with answering(200, lambda: [b'{"result": {"allow": NaN}}']) as url:
        _refused(project, "the answer is not JSON", "--opa-url", url)
    recorded = [json.loads(path.read_text()) for path in (project.out / "decisions").glob("*.json")]
    assert sorted(record["verdict"] for record in recorded) == ["allowed", "not_evaluated"]


def test_rules_agreed_on_and_a_server_that_does_not_show_its_own(
    project: Project, start_opa: Any, tmp_path: Path
) -> None:
    """Not even under the digest that such a server had, which was that of its address."""
    (tmp_path / "guard.rego").write_text(
        'package system.authz\ndefault allow := false\nallow if input.path[1] == "data"\n'
        'allow if input.path[0] == "health"\n'
    )
    (tmp_path / "law.json").write_text(json.dumps({"mlpolicy": {"law": _law(project)}}))
    files = (str(tmp_path / "guard.rego"), str(tmp_path / "law.json"), str(policies_folder()))
    url = start_opa("--authorization=basic", *files).url
    of_address = rules_digest(f"server:{url}", _law(project)["digest"])
    assert project.run("decide", "--opa-url", url, engine=False).code == 0
    _refused(project, f"{url}: the policy server does not show", "--opa-url", url, "--policy-digest", of_address)


def test_result_of_another_type(project: Project, start_opa: Any, tmp_path: Path) -> None:
    own = tmp_path / "own.rego"
    own.write_text(HEAD + 'allow := "true"\n')
    _refused(project, 'allow` is "true", and not true or false', "--opa-url", start_opa(str(own)).url)


def test_server_whose_bundle_does_not_come(project: Project, start_opa: Any, tmp_path: Path) -> None:
    """It runs, and has nothing to decide with: a bundle that is refused by its signature leaves it so as well."""
    settings = tmp_path / "opa.yaml"
    settings.write_text("services: {store: {url: 'http://127.0.0.1:1'}}\nbundles: {policy: {service: store}}\n")
    url = start_opa("--config-file", str(settings)).url
    _refused(project, "has not activated its bundles", "--opa-url", url)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (HEAD + "allow if if", "own.rego:2: "),
        (HEAD + "default permit := true", "no `allow`"),
        (HEAD + 'allow := "true"', "not true or false"),
        ("package mlpolicy.deployed\ndefault allow := true", "no package `mlpolicy.deploy`"),
        (HEAD + "allow := 1 / 0 == 1", "divide by zero"),
    ],
)
def test_program_with_a_policy_that_does_not_decide(text: str, cause: str, project: Project, opa: str) -> None:
    project.write("own.rego", text)
    facts = (project.folder / "compliance.yaml").read_text()
    project.write("compliance.yaml", f"{facts}rego: own.rego\n")
    _refused(project, cause, "--engine", "binary")
