"""A small GitHub that remembers: comments, check runs, pages, limits and permissions. It speaks HTTP on this machine.

Every request is held against the official description; `problems` are what it has against them.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.platforms.github_description import problem

HEAD, BASE, REPOSITORY, TOKEN = "a" * 40, "b" * 40, "org/loans", "ghs_0123456789secret"
BOT = {"login": "github-actions[bot]", "type": "Bot"}
GRAPHQL, VIEWER = "/api/graphql", {"query": "query { viewer { login } }"}
BODY_LIMIT, OUTPUT_LIMIT = 65_536, 65_535
Answer = tuple[int, Any, dict[str, str]]


@dataclass
class Fault:
    """The next `times` requests with this method and this part in their path get `answer` instead."""

    method: str
    part: str
    answer: Answer
    """The status 0 is a connection that ends without an answer."""
    times: int = 1
    applied: bool = False
    """Whether the request has its effect all the same, and only the answer is lost."""


@dataclass
class GitHub:
    """The state of one repository."""

    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    checks: dict[int, dict[str, Any]] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    login: str = BOT["login"]
    """Who the token speaks as."""
    before: Callable[[str, str], None] = lambda method, path: None
    lock: Any = field(default_factory=threading.RLock)
    last: int = 0

    def __post_init__(self) -> None:
        self.pulls[7] = {"number": 7, "head": {"sha": HEAD}, "base": {"sha": BASE}}

    def comment(self, body: str, user: dict[str, str], number: int = 7) -> dict[str, Any]:
        """A comment that is there already, or is made."""
        self.last += 1
        url = f"https://github.com/{REPOSITORY}/pull/{number}#issuecomment-{self.last}"
        self.comments[self.last] = {"id": self.last, "body": body, "user": user, "html_url": url, "number": number}
        return self.comments[self.last]

    def said(self) -> list[str]:
        """The bodies of the bot's comments."""
        return [item["body"] for item in self.comments.values() if item["user"] == BOT]

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, token: str) -> Answer:
        """What GitHub would say."""
        with self.lock:
            self.seen.append((method, path, query, body))
            # The official description is of REST; the one query of GraphQL is held to its text below.
            found = "" if path == GRAPHQL else problem(method, path, query, body)
            if found:
                self.problems.append(found)
        self.before(method, path)
        with self.lock:
            fault = next((f for f in self.faults if f.times and f.method == method and f.part in path), None)
            if fault:
                fault.times -= 1
                if fault.applied:
                    self._routed(method, path, query, body)
                return fault.answer
            if token not in (f"Bearer {TOKEN}", f"token {TOKEN}"):
                return 401, {"message": "Bad credentials"}, {}
            if any(part in path for part in self.denied):
                return 403, {"message": "Resource not accessible by integration"}, {"x-ratelimit-remaining": "900"}
            return self._routed(method, path, query, body)

    def _routed(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        if path == GRAPHQL:
            known = {"data": {"viewer": {"login": self.login}}}
            return 200, known if body == VIEWER else {"errors": [{"message": "Parse error"}]}, {}
        rest = path.removeprefix(f"/repos/{REPOSITORY}")
        for pattern, does in (
            (r"/pulls", self._pulls), (r"/pulls/(\d+)", self._pull), (r"/issues/(\d+)/comments", self._comments),
            (r"/issues/comments/(\d+)", self._one_comment), (r"/check-runs", self._make_check),
            (r"/check-runs/(\d+)", self._one_check), (r"/commits/(\w+)/check-runs", self._checks),
        ):  # fmt: skip
            match = re.fullmatch(pattern, rest)
            if match:
                answer: Answer = does(method, query, body, *match.groups())
                return answer
        return 404, {"message": "Not Found"}, {}

    def _pulls(self, method: str, query: dict[str, str], body: Any) -> Answer:
        return 200, [item for item in self.pulls.values() if item.get("from") == query["head"]], {}

    def _pull(self, method: str, query: dict[str, str], body: Any, number: str) -> Answer:
        return 200, self.pulls[int(number)], {}

    def _comments(self, method: str, query: dict[str, str], body: Any, number: str) -> Answer:
        if method == "POST":
            if len(body["body"]) > BODY_LIMIT:
                return 422, {"message": "Validation Failed", "errors": [{"field": "body", "code": "too long"}]}, {}
            return 201, self.comment(body["body"], {"login": self.login, "type": "Bot"}, int(number)), {}
        return self._paged([item for item in self.comments.values() if item["number"] == int(number)], query)

    def _one_comment(self, method: str, query: dict[str, str], body: Any, number: str) -> Answer:
        if int(number) not in self.comments:
            return 404, {"message": "Not Found"}, {}
        if method == "DELETE":
            del self.comments[int(number)]
            return 204, None, {}
        self.comments[int(number)]["body"] = body["body"]
        return 200, self.comments[int(number)], {}

    def _make_check(self, method: str, query: dict[str, str], body: Any) -> Answer:
        self.last += 1
        self.checks[self.last] = {"id": self.last, "html_url": f"https://github.com/{REPOSITORY}/runs/{self.last}",
                                  "app": {"slug": self.login.removesuffix("[bot]")},
                                  "annotations": [], "output": {}}  # fmt: skip
        return self._one_check(method, query, body, str(self.last))

    def _one_check(self, method: str, query: dict[str, str], body: Any, number: str) -> Answer:
        if method == "GET":
            return 200, self.checks[int(number)], {}
        check, output = self.checks[int(number)], dict(body.get("output") or {})
        if any(len(str(output.get(key) or "").encode()) > OUTPUT_LIMIT for key in ("summary", "text")):
            return 422, {"message": "Validation Failed", "errors": [{"field": "output", "code": "too long"}]}, {}
        check["annotations"] += output.pop("annotations", [])
        check["output"] = output | {"annotations_count": len(check["annotations"])}
        check |= {key: value for key, value in body.items() if key != "output"}
        return 201 if method == "POST" else 200, check, {}

    def _checks(self, method: str, query: dict[str, str], body: Any, commit: str) -> Answer:
        name = query.get("check_name")
        found = [item for item in self.checks.values() if item["head_sha"] == commit and name in (None, item["name"])]
        if query.get("filter", "latest") == "latest":
            found = list({(item["name"], item["app"]["slug"]): item for item in found}.values())
        status, page, headers = self._paged(found, query)
        return status, {"total_count": len(found), "check_runs": page}, headers

    def _paged(self, items: list[dict[str, Any]], query: dict[str, str]) -> Answer:
        size, page = min(int(query.get("per_page", "30")), 100), int(query.get("page", "1"))
        more = {"Link": f'<https://api.github.com/x?page={page + 1}>; rel="next"'} if len(items) > page * size else {}
        return 200, items[(page - 1) * size : page * size], more


@contextmanager
def serving(github: GitHub) -> Iterator[str]:
    """The URL of its API, as a server of one's own has it, while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            where = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            path, query = where.path.removeprefix("/api/v3"), dict(parse_qsl(where.query))
            status, said, headers = github.answer(
                self.command, path, query, body, self.headers.get("Authorization") or ""
            )
            if status == 0:
                self.close_connection = True
                return
            data = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """A test prints nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/v3"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
