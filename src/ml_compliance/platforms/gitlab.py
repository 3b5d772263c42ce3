"""GitLab: a note on the merge request, a status of the commit, and the snapshot of the target branch."""

from __future__ import annotations

from typing import Any

from ml_compliance.model import Report
from ml_compliance.platforms import Api, ApiError, Capability, Delivery, Wish
from ml_compliance.platforms._gitlab_baseline import baseline
from ml_compliance.platforms._gitlab_note import post_note
from ml_compliance.platforms._gitlab_run import TOKEN, GitlabRun, detect, read_run
from ml_compliance.platforms._planned import Planned

__all__ = ["baseline", "capabilities", "connect", "deliver", "detect", "read_run"]

_REMEDY = (
    f"make a project access token with the role Developer and the scope api, and put it into the CI/CD variable {TOKEN}"
    " (masked; not protected, since merge requests of unprotected branches see no protected variable)"
)
_UNREACHED = (
    "open the way from the runner to it (firewall, proxy); for a certificate authority of your own, `tls-ca-file` in"
    " the runner's config.toml gives jobs CI_SERVER_TLS_CA_FILE"
)
_STATES = {"allowed": "success", "denied": "failed", "not_evaluated": "failed"}
_LONG = 255


def connect(run: GitlabRun, *, probe: bool = False) -> Api:
    """The API of the instance that the job belongs to."""
    from ml_compliance.platforms._gitlab_api import GitlabApi

    return GitlabApi(run.api, run.token, job_token=run.job_token, ca=run.ca, probe=probe)


def capabilities(run: GitlabRun, api: Api) -> tuple[Capability, ...]:
    """What can be published: notes and statuses by an access token, never by the token of a job."""
    lacking = _lacking(run)
    if not lacking:
        try:
            scopes = (api.send("GET", "/personal_access_tokens/self") or {}).get("scopes", ())
            lacking = () if "api" in scopes else (f"the token in {TOKEN} lacks the scope api", _REMEDY)
        except ApiError as error:
            silent = (f"{run.api} gives no usable answer: {error}", _UNREACHED)
            lacking = (f"the token in {TOKEN} is refused: {error}", _REMEDY) if error.status in (401, 403) else silent
    no_request = ("this pipeline belongs to no merge request", "run the job in merge request pipelines")
    comment = no_request if run.request is None else lacking
    return (
        Capability("comment", not comment, *comment),
        Capability("check", not lacking, *lacking),
    )


def _lacking(run: GitlabRun) -> tuple[str, str] | tuple[()]:
    """Reason and remedy, where it is known beforehand that nothing can be written."""
    if run.fork:
        return ("the merge request comes from a fork, whose pipelines may not write here",
                "look at the reports in the artifacts of the job")  # fmt: skip
    if run.job_token:
        return f"{TOKEN} is not set, and the token of a job may read notes but neither write them nor statuses", _REMEDY
    return ()


def deliver(report: Report, run: GitlabRun, api: Api, wish: Wish) -> tuple[Delivery, ...]:
    """Publish what is wished. What cannot be published is skipped or failed, with the reason; nothing is raised."""
    wanted = [name for name, asked in (("comment", wish.comment), ("check", wish.check)) if asked]
    return tuple(_deliver(name, report, run, api, wish) for name in wanted)


def _deliver(name: str, report: Report, run: GitlabRun, api: Api, wish: Wish) -> Delivery:
    if name == "comment" and run.request is None:
        return Delivery(name, "skipped", "this pipeline belongs to no merge request")
    if lacking := _lacking(run):
        return Delivery(name, "skipped", " → ".join(lacking))
    try:
        return post_note(report, run, api, wish) if name == "comment" else _post_status(report, run, api, wish)
    except ApiError as error:
        return Delivery(name, "failed", f"{error} → {_REMEDY}" if error.status in (401, 403) else str(error))


def _post_status(report: Report, run: GitlabRun, api: Api, wish: Wish) -> Delivery:
    from ml_compliance.publish._view import VERDICTS, counts

    decision = report.decision
    body: dict[str, Any] = {
        "state": _STATES[decision.verdict],
        "name": f"ml-compliance: {wish.name}"[:_LONG],
        "description": f"{VERDICTS[decision.verdict]} · {' · '.join(counts(decision))}"[:_LONG],
        "pipeline_id": run.number,
    }
    if 0 < len(run.url) <= _LONG:
        body["target_url"] = run.url
    try:
        api.send("POST", f"/projects/{run.project}/statuses/{run.commit_of_pipeline}", body)
    except ApiError as error:
        # GitLab knows no transition of a status from a state to itself.
        if error.status == 400 and "transition" in str(error):
            return Delivery("check", "unchanged")
        raise
    return Delivery("check", "planned" if isinstance(api, Planned) else "delivered", url=run.url)
