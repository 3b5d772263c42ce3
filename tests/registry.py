"""A registry on this machine: OCI's distribution API for pulling, with basic authentication and a limit on request."""

from __future__ import annotations

import base64
import http.server
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.images import MANIFEST, Image


@dataclass
class Registry:
    """`images` by `name:tag`. `refusals` is how many times it still answers TOOMANYREQUESTS; `asked` are the paths."""

    images: Mapping[str, Image]
    user: str = ""
    password: str = ""
    refusals: int = 0
    host: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body, as the specification of OCI says."""
        self.asked.append(path)
        expected = "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if self.user and authorization != expected:
            return 401, {"WWW-Authenticate": 'Basic realm="test"'}, _error("UNAUTHORIZED")
        if path == "/v2/":
            return 200, {}, b"{}"
        if self.refusals:
            self.refusals -= 1
            return 429, {}, _error("TOOMANYREQUESTS")
        name, _, rest = path.removeprefix("/v2/").rpartition("/manifests/")
        if name:
            return self._manifest(name, rest)
        digest = path.rpartition("/blobs/")[2]
        for image in self.images.values():
            if digest in image.blobs:
                return 200, {"Content-Type": "application/octet-stream"}, image.blobs[digest]
        return 404, {}, _error("BLOB_UNKNOWN")

    def _manifest(self, name: str, reference: str) -> tuple[int, dict[str, str], bytes]:
        for known, image in self.images.items():
            if f"{name}:{reference}" == known or (known.startswith(f"{name}:") and reference == image.manifest):
                headers = {"Content-Type": MANIFEST, "Docker-Content-Digest": image.manifest}
                return 200, headers, image.blobs[image.manifest]
        return 404, {}, _error("MANIFEST_UNKNOWN")


def _error(code: str) -> bytes:
    return f'{{"errors": [{{"code": "{code}", "message": "{code.lower()}"}}]}}'.encode()


@contextmanager
def serving(registry: Registry) -> Iterator[Registry]:
    """The registry, at `registry.host`, until the end of the block."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = registry.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """The test's output stays clean."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
