"""What a job of GitLab knows about itself: its predefined variables, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ml_compliance.platforms import Run
from ml_compliance.platforms._variables import address, commit, required, whole

TOKEN = "GITLAB_TOKEN"  # noqa: S105  the name of a variable


@dataclass(frozen=True)
class GitlabRun(Run):
    """A job of GitLab. `project` is the id of the project that people look at: the target of a merge request.

    `ca` is the file of an own certificate authority. `job_token` tells that the only token is that of the job.
    """

    project: str = ""
    request_url: str = ""
    job: str = ""
    folder: str = ""
    ca: str = ""
    job_token: bool = False


def detect(environ: Mapping[str, str]) -> bool:
    """Whether this is a job of GitLab."""
    return environ.get("GITLAB_CI") == "true"


def read_run(environ: Mapping[str, str]) -> GitlabRun:
    """The run that the predefined variables of a job describe. Raises UsageError when one is missing or no number."""
    source, target = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", ""), environ.get("CI_MERGE_REQUEST_PROJECT_ID")
    token = environ.get(TOKEN, "")
    pipelined = commit(environ, "CI_COMMIT_SHA")
    request, project_url = environ.get("CI_MERGE_REQUEST_IID"), address(environ, "CI_MERGE_REQUEST_PROJECT_URL", "")
    return GitlabRun(
        platform="gitlab",
        event=environ.get("CI_PIPELINE_SOURCE", ""),
        repository=environ.get("CI_MERGE_REQUEST_PROJECT_PATH") or required(environ, "CI_PROJECT_PATH"),
        commit=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or pipelined,
        number=whole(environ, "CI_PIPELINE_ID"),
        attempt=whole(environ, "CI_JOB_ID"),
        url=address(environ, "CI_JOB_URL", ""),
        api=address(environ, "CI_API_V4_URL"),
        token=token or environ.get("CI_JOB_TOKEN", ""),
        request=whole(environ, "CI_MERGE_REQUEST_IID") if request else None,
        base=environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
        base_branch=environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""),
        fork=bool(request) and source != target,
        project=str(whole(environ, "CI_MERGE_REQUEST_PROJECT_ID" if target else "CI_PROJECT_ID")),
        request_url=f"{project_url}/-/merge_requests/{request}" if request else "",
        job=environ.get("CI_JOB_NAME", ""),
        folder=environ.get("ML_COMPLIANCE_OUT", "ml-compliance-out"),
        commit_of_pipeline=pipelined,
        ca=environ.get("CI_SERVER_TLS_CA_FILE", ""),
        job_token=not token,
    )
