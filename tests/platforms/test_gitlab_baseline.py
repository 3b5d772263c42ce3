"""What a merge request is compared with: the last snapshot that its target branch has left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ml_compliance.platforms import ApiError, gitlab
from ml_compliance.platforms._gitlab_run import GitlabRun
from tests.platforms.gitlab_server import Gitlab
from tests.platforms.gitlab_server import gitlab as serve
from tests.platforms.test_gitlab import started

SNAPSHOT = "ml-compliance-out/snapshot.json"


@pytest.fixture
def server() -> Iterator[Gitlab]:
    with serve() as instance:
        yield instance


def compared(run: GitlabRun) -> dict[str, Any] | str:
    return gitlab.baseline(run, gitlab.connect(run), "loans")


def test_the_last_snapshot_of_the_target_branch_is_read_also_of_a_pipeline_that_failed(server: Gitlab) -> None:
    run = started(server.url)
    server.add_pipeline("release/1", "success", "ml-compliance", **{SNAPSHOT: {"verdict": "allowed"}})
    assert compared(run) == {"verdict": "allowed"}
    server.add_pipeline("release/1", "failed", "ml-compliance", **{SNAPSHOT: {"verdict": "denied"}})
    server.add_pipeline("main", "success", "ml-compliance", **{SNAPSHOT: {"verdict": "of another branch"}})
    server.add_pipeline("release/1", "success", "another job", **{SNAPSHOT: {"verdict": "of another job"}})
    server.add_pipeline("release/1", "failed", "ml-compliance")
    server.add_pipeline("release/1", "running", "ml-compliance", **{SNAPSHOT: {"verdict": "half"}})
    server.add_pipeline("release/1", "skipped")
    assert compared(run) == {"verdict": "denied"}
    assert compared(started(server.url, CI_JOB_NAME="another job")) == {"verdict": "of another job"}
    assert compared(started(server.url, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="")) == ""


def test_a_snapshot_is_not_looked_for_without_end(server: Gitlab) -> None:
    server.add_pipeline("release/1", "success", "ml-compliance", **{SNAPSHOT: {"verdict": "allowed"}})
    for _ in range(20):
        server.add_pipeline("release/1", "failed", "ml-compliance")
    assert compared(started(server.url)) == (
        "in none of the last 20 pipelines of release/1 the job ml-compliance left snapshot.json"
    )
    assert len(server.asked) == 41


def test_the_token_of_a_job_reads_the_latest_successful_pipeline_alone(server: Gitlab) -> None:
    server.add_pipeline("release/1", "success", "ml-compliance", **{SNAPSHOT: {"verdict": "allowed"}})
    server.add_pipeline("release/1", "failed", "ml-compliance", **{SNAPSHOT: {"verdict": "denied"}})
    assert compared(started(server.url, GITLAB_TOKEN="")) == {"verdict": "allowed"}
    server.add_pipeline("release/1", "success")
    assert compared(started(server.url, GITLAB_TOKEN="")) == (
        "the job ml-compliance left no snapshot.json in the latest successful pipeline of release/1"
    )


def test_what_is_no_snapshot_is_told_and_a_refusal_too(server: Gitlab) -> None:
    server.add_pipeline("release/1", "success", "ml-compliance", **{SNAPSHOT: [1]})
    assert compared(started(server.url)) == "what the target branch left is no snapshot"
    with pytest.raises(ApiError, match="401"):
        compared(started(server.url, GITLAB_TOKEN="unknown"))  # noqa: S106  of no instance
