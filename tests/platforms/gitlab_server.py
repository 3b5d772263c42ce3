"""A GitLab with a memory: notes, statuses and artifacts over HTTP, every exchange held to `gitlab_api.yaml`."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

DESCRIPTION = YAML(typ="safe").load((Path(__file__).parent / "gitlab_api.yaml").read_text(encoding="utf-8"))
BOT, STRANGER = 7, 8
JOB = "job"
PASSING = ("429", "500", "502", "503", "504")


def valid(schema: str | None, document: Any) -> None:
    """Raise when `document` is not what the description says."""
    if schema is None:
        assert document is None
    elif schema != "any":
        Draft202012Validator({"$ref": f"#/components/schemas/{schema}", **DESCRIPTION}).validate(document)


def operation(method: str, path: str) -> tuple[str, dict[Any, Any]]:
    """The template of the path, and what is described of the method."""
    for template, methods in DESCRIPTION["paths"].items():
        pattern = re.sub(r"\\\{path\\\}", ".+", re.escape(template))
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", pattern), path) and method in methods:
            return template, methods[method]
    raise AssertionError(f"{method} {path} is not described")


@dataclass
class Gitlab:
    """One instance. `tokens` are what each token may do: its scopes.

    `faults` are answered first: status and headers, of which `X-Text` is a body. `before` is called before each answer.
    """

    url: str = ""
    tokens: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"good": ("api",), "reader": ("read_api",)})
    notes: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: dict[tuple[str, str, int], dict[str, Any]] = field(default_factory=dict)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[tuple[int, str], Any] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda method, path: None
    lock: threading.RLock = field(default_factory=threading.RLock)
    last: int = 300

    def add_note(self, body: str, author: int = STRANGER, *, system: bool = False) -> dict[str, Any]:
        with self.lock:
            self.last += 1
            self.notes[self.last] = {
                "id": self.last, "body": body, "author": {"id": author, "username": f"user{author}"},
                "created_at": "2026-11-25T00:00:00Z", "updated_at": "2026-11-25T00:00:00Z", "system": system,
                "noteable_id": 2, "noteable_type": "MergeRequest", "noteable_iid": 2, "resolvable": False,
            }  # fmt: skip
            return self.notes[self.last]

    def add_pipeline(self, ref: str, status: str, job: str = "", **left: Any) -> int:
        """A pipeline of one job, which ended as the pipeline did; `left` are files of its artifacts by their paths."""
        with self.lock:
            self.last += 1
            common = {"ref": ref, "status": status, "created_at": "2026-11-25T00:00:00Z", "web_url": "https://gitlab"}
            self.pipelines.append({**common, "id": self.last, "iid": self.last, "project_id": 5, "sha": "a" * 40,
                                   "source": "push", "updated_at": common["created_at"]})  # fmt: skip
            if job:
                files = [{"file_type": "archive", "size": 1, "filename": "artifacts.zip"}] if left else []
                self.jobs.append({**common, "id": self.last, "name": job, "stage": "test", "artifacts": files,
                                  "pipeline": {"id": self.last}})  # fmt: skip
            self.artifacts.update({(self.last, path): document for path, document in left.items()})
            return self.last

    def ours(self) -> list[str]:
        return [note["body"] for note in self.notes.values() if note["author"]["id"] == BOT]

    def writes(self) -> list[str]:
        return [method for method, _ in self.asked if method != "get"]

    def answer(  # noqa: PLR0911  one line for each thing that it knows
        self, method: str, path: str, query: dict[str, str], token: str, body: Any
    ) -> tuple[int, Any]:
        """Status and document, as the documentation has them."""
        if self.faults:
            status, _ = self.faults[0]
            return status, {"message": f"{status}"}
        if token not in (*self.tokens, JOB):
            return 401, {"message": "401 Unauthorized"}
        template, _ = operation(method, path)
        words = [unquote(word) for word in path.split("/")[1:]]
        writes = method != "get"
        if token == JOB and (writes or "raw" not in words):
            return 401, {"message": "401 Unauthorized"}
        if writes and "api" not in self.tokens.get(token, ()):
            return 403, {"error": "insufficient_scope", "error_description": "higher privileges", "scope": "api"}
        if template == "/user":
            return 200, {"id": BOT, "username": "project_5_bot"}
        if template == "/personal_access_tokens/self":
            return 200, {"id": 1, "name": "gate", "scopes": [*self.tokens[token]], "active": True, "user_id": BOT}
        if words[1] != "5":
            return 404, {"message": "404 Project Not Found"}
        if words[2] == "statuses":
            return self._status(words[3], body)
        if words[2] in ("pipelines", "jobs"):
            return self._run(words[2:], query)
        return self._note(method, words[5:], query, body)

    def _run(self, words: list[str], query: dict[str, str]) -> tuple[int, Any]:
        if words == ["pipelines"]:
            found = [item for item in self.pipelines if item["ref"] == query["ref"]]
            return 200, self._page(sorted(found, key=lambda item: -int(item["id"])), query)
        if words[0] == "pipelines":
            return 200, self._page([job for job in self.jobs if job["pipeline"]["id"] == int(words[1])], query)
        if words[1] == "artifacts":
            ended = [item["id"] for item in self.pipelines if (item["ref"], item["status"]) == (words[2], "success")]
            number, path = max(ended, default=0), "/".join(words[4:])
            known = any(job["id"] == number and job["name"] == query["job"] for job in self.jobs)
        else:
            number, path, known = int(words[1]), "/".join(words[3:]), True
        document = self.artifacts.get((number, path)) if known else None
        return (200, document) if document is not None else (404, {"message": "404 Not Found"})

    def _page(self, every: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        size, page = int(query.get("per_page", 20)), int(query.get("page", 1))
        assert size <= 100
        return every[(page - 1) * size : page * size]

    def _status(self, sha: str, body: dict[str, Any]) -> tuple[int, Any]:
        key = (sha, body["name"], body["pipeline_id"])
        if self.statuses.get(key, {}).get("status") == body["state"]:
            return 400, {"message": {"status": ['cannot transition via "succeed"']}}
        self.statuses[key] = {"id": 93, "sha": sha, "status": body["state"], **body}
        return 201, self.statuses[key]

    def _note(self, method: str, words: list[str], query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "post":
            return 201, self.add_note(body["body"], BOT)
        if method == "get":
            every = sorted(self.notes.values(), key=lambda note: note["id"], reverse=query.get("sort") != "asc")
            return 200, self._page(every, query)
        note = self.notes.get(int(words[0]))
        if note is None:
            return 404, {"message": "404 Not found"}
        if method == "put":
            note["body"] = body["body"]
            return 200, note
        del self.notes[note["id"]]
        return 204, None


class _Handler(BaseHTTPRequestHandler):
    gitlab: Gitlab
    prefix: str
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name that is overridden
        pass

    def handle_one(self) -> None:
        method, split = self.command.lower(), urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(length)) if length else None
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        headers: dict[str, str] = {}
        try:
            assert split.path.startswith(self.prefix), f"{split.path} is outside of {self.prefix}"
            path = split.path.removeprefix(self.prefix)
            _, described = operation(method, path)
            assert set(query) <= set(described.get("query", ())), query
            valid(described.get("body"), sent)
            self.gitlab.before(method, path)
            with self.gitlab.lock:
                self.gitlab.asked.append((method, path))
                status, document = self.gitlab.answer(
                    method, path, query, bearer or self.headers.get("JOB-TOKEN", ""), sent
                )  # fmt: skip
                if self.gitlab.faults:
                    headers = self.gitlab.faults.pop(0)[1]
            if str(status) not in PASSING and "X-Text" not in headers:
                valid(described[status], document)
            if isinstance(document, list) and len(document) == int(query.get("per_page", 20)):
                page = int(query.get("page", 1)) + 1
                rest = "&".join(f"{key}={value}" for key, value in query.items() if key != "page")
                headers["Link"] = f'<{self.gitlab.url}{path}?{rest}&page={page}>; rel="next"'
        except Exception as error:  # told to the test, which fails
            self.gitlab.wrong.append(f"{method} {self.path}: {error}")
            status, document = 418, {"message": "wrong"}
        text = b"" if document is None else json.dumps(document).encode()
        text = headers.pop("X-Text", "").encode() or text
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815  names of http.server


@contextmanager
def gitlab(below: str = "", tls: ssl.SSLContext | None = None) -> Iterator[Gitlab]:
    """A GitLab at `url` (its CI_API_V4_URL), below the path `below`; a wrong exchange fails the test at the end.

    With `tls` it speaks that, and who does not trust its certificate is not heard.
    """
    instance = Gitlab()
    handler = type("Handler", (_Handler,), {"gitlab": instance, "prefix": f"{below}/api/v4"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    instance.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}{below}/api/v4"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield instance
    finally:
        server.shutdown()
        server.server_close()
    assert instance.wrong == []
