"""Instances behind an authority of their own, below a path, or not to be reached at all."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ml_compliance.cli import main
from ml_compliance.platforms import ApiError, gitlab
from tests.platforms import authority
from tests.platforms.authority import Authority
from tests.platforms.gitlab_server import Gitlab
from tests.platforms.gitlab_server import gitlab as serve
from tests.platforms.test_gitlab import deliver, job, started
from tests.platforms.test_gitlab_baseline import SNAPSHOT


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority.make(tmp_path_factory.mktemp("own") / "ca")


@pytest.fixture(params=["", "/git/lab"])
def server(request: pytest.FixtureRequest, own: Authority) -> Iterator[Gitlab]:
    with serve(request.param, own.server) as instance:
        yield instance


def test_an_own_authority_is_trusted(server: Gitlab, own: Authority) -> None:
    server.add_pipeline("release/1", "failed", "ml-compliance", **{SNAPSHOT: {"verdict": "denied"}})
    for place in range(101):
        server.add_note(f"note {place}")
    run = started(server.url, CI_SERVER_TLS_CA_FILE=str(own.certificate))
    assert server.url.startswith("https://")
    assert {item.status for item in deliver(run).values()} == {"delivered"}
    assert {item.status for item in deliver(run).values()} == {"unchanged"}
    assert len(server.ours()) == 1
    assert gitlab.baseline(run, gitlab.connect(run), "loans") == {"verdict": "denied"}
    assert all(item.available for item in gitlab.capabilities(run, gitlab.connect(run, probe=True)))


@pytest.mark.parametrize("other", ["", "another authority"])
def test_without_it_nothing_is_sent_and_the_way_out_is_told(server: Gitlab, tmp_path: Path, other: str) -> None:
    ca = str(authority.make(tmp_path / "other").certificate) if other else ""
    run = started(server.url, CI_SERVER_TLS_CA_FILE=ca)
    for known in gitlab.capabilities(run, gitlab.connect(run, probe=True)):
        assert not known.available
        assert f"{server.url} gives no usable answer" in known.reason
        assert "certificate verify failed" in known.reason
        assert "CI_SERVER_TLS_CA_FILE" in known.remedy
        assert "HTTPSConnectionPool" not in known.reason
    with pytest.raises(ApiError, match="certificate verify failed"):
        gitlab.connect(run, probe=True).send("GET", "/user")
    assert server.asked == []


@pytest.mark.parametrize(("text", "told"), [(None, "invalid path"), ("no certificate", "NO_CERTIFICATE")])
def test_a_file_of_certificates_that_is_none_is_an_error_of_the_api(
    server: Gitlab, tmp_path: Path, text: str | None, told: str
) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    run = started(server.url, CI_SERVER_TLS_CA_FILE=str(path))
    with pytest.raises(ApiError, match=told):
        gitlab.connect(run, probe=True).send("GET", "/user")
    assert server.asked == []


@pytest.mark.parametrize("platform", ["gitlab", "github"])
def test_doctor_waits_for_no_api_that_refuses(platform: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    api = "http://127.0.0.1:1"
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {
        "number": 7, "head": {"sha": "a" * 40, "repo": {"full_name": "org/loans"}},
        "base": {"sha": "b" * 40, "ref": "main"},
    }}))  # fmt: skip
    on_github = {
        "GITHUB_ACTIONS": "true", "GITHUB_API_URL": api, "GITHUB_EVENT_NAME": "pull_request", "GITHUB_TOKEN": "ghs_x",
        "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "org/loans", "GITHUB_SHA": "a" * 40,
        "GITHUB_RUN_ID": "1", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_SERVER_URL": "https://github.com",
    }  # fmt: skip
    for name in ("GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (on_github if platform == "github" else job(f"{api}/api/v4")).items():
        monkeypatch.setenv(name, value)
    before = time.monotonic()
    done = CliRunner().invoke(main, ["doctor", "--json"])
    assert time.monotonic() - before < 30
    found = {item["what"]: item for item in json.loads(done.stdout)}
    assert found["platform"]["about"].startswith(platform)
    for what in ("comment", "check"):
        assert not found[what]["available"]
        assert f"{api}" in found[what]["about"]
        assert "Connection refused" in found[what]["about"]
        assert "firewall" in found[what]["remedy"]


def test_a_probe_asks_once_more_and_publishing_waits_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    with serve() as server:
        run = started(server.url)
        server.faults = [(503, {"Retry-After": "30"})] * 2
        with pytest.raises(ApiError, match="503"):
            gitlab.connect(run, probe=True).send("GET", "/user")
        assert (len(server.asked), sum(slept)) == (2, 0)
        server.faults = [(503, {"Retry-After": "30"})] * 5
        with pytest.raises(ApiError, match="503"):
            gitlab.connect(run).send("GET", "/user")
        assert (len(server.asked), slept) == (7, [30, 30, 30, 30])
