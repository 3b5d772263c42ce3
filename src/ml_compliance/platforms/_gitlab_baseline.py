"""The snapshot that the target branch of a merge request has left: what the reports compare with."""

from __future__ import annotations

from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

from ml_compliance.platforms import Api, ApiError
from ml_compliance.platforms._gitlab_run import GitlabRun

_PIPELINES = 20
"""How many are looked through, the newest first: not every pipeline of a branch has the job."""
_SNAPSHOT = "snapshot.json"


def baseline(run: GitlabRun, api: Api, name: str) -> dict[str, Any] | str:
    """What the job of the same name left in the last pipeline of the target branch, or why there is nothing.

    Empty where there is no target branch. An access token sees every pipeline, also one that failed; the token of a
    job, which GitLab takes for artifacts in Premium and Ultimate only, the latest successful one. Raises ApiError when
    GitLab refuses.
    """
    if not run.base_branch:
        return ""
    job = run.job or name
    find = _of_latest_successful if run.job_token else _of_last
    found = find(run, api, job)
    return found if isinstance(found, dict | str) else "what the target branch left is no snapshot"


def _of_last(run: GitlabRun, api: Api, job: str) -> Any:
    pipelines = f"/projects/{run.project}/pipelines"
    listed = api.pages(pipelines, ref=run.base_branch, order_by="id", sort="desc", per_page=_PIPELINES)
    for pipeline in islice(listed, _PIPELINES):
        for known in api.pages(f"{pipelines}/{pipeline['id']}/jobs"):
            if known["name"] == job and known["status"] in ("success", "failed"):
                path = f"/projects/{run.project}/jobs/{known['id']}/artifacts/{quote(run.folder)}/{_SNAPSHOT}"
                found = _artifact(api, path)
                if found is not None:
                    return found
    return f"in none of the last {_PIPELINES} pipelines of {run.base_branch} the job {job} left {_SNAPSHOT}"


def _of_latest_successful(run: GitlabRun, api: Api, job: str) -> Any:
    branch = quote(run.base_branch, safe="")
    path = f"/projects/{run.project}/jobs/artifacts/{branch}/raw/{quote(run.folder)}/{_SNAPSHOT}"
    found = _artifact(api, f"{path}?{urlencode({'job': job})}")
    if found is not None:
        return found
    return f"the job {job} left no {_SNAPSHOT} in the latest successful pipeline of {run.base_branch}"


def _artifact(api: Api, path: str) -> Any:
    """The document; None where there is none, or no longer."""
    try:
        return api.send("GET", path)
    except ApiError as error:
        if error.status == 404:
            return None
        raise
