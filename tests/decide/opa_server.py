"""A real `opa`, and real OPA servers, for the tests that need one."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ml_compliance.resources import policies_folder
from tests.programs import required


@pytest.fixture(scope="session")
def opa() -> str:
    return required("opa")


@dataclass(frozen=True)
class Running:
    url: str

    def put_law(self, law: Any) -> None:
        body = json.dumps(law).encode()
        request = urllib.request.Request(f"{self.url}/v1/data/mlpolicy/law", body, method="PUT")  # noqa: S310
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


@pytest.fixture(scope="session")
def start_opa(opa: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start an OPA server with arguments of its own; all are ended with the session."""
    running = []

    def start(*arguments: str, scheme: str = "http") -> Running:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = (tmp_path_factory.mktemp("opa") / "log").open("w")
        address = f"127.0.0.1:{port}"
        command = [opa, "run", "--server", "--disable-telemetry", "--log-level", "error", "--addr", address, *arguments]
        running.append((subprocess.Popen(command, stdout=log, stderr=log), log))
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return Running(f"{scheme}://{address}")
            time.sleep(0.05)
        raise TimeoutError(Path(log.name).read_text())

    yield start
    for process, log in running:
        process.terminate()
        process.wait(10)
        log.close()


@pytest.fixture(scope="session")
def server(start_opa: Any) -> Running:
    started: Running = start_opa(str(policies_folder()))
    return started


@contextmanager
def answering(status: int, body: Callable[[], Iterable[bytes]]) -> Iterator[str]:
    """A server that is no OPA: it answers every question with `status` and the pieces of `body`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            if status == http.HTTPStatus.TEMPORARY_REDIRECT:
                self.send_header("Location", "http://elsewhere.invalid/")
            self.end_headers()
            for piece in body():
                try:
                    self.wfile.write(piece)
                except OSError:
                    return

        def log_message(self, *_: Any) -> None:
            """The test's output stays clean."""

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}"
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
