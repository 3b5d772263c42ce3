"""GitHub Actions: a comment, a check run, a job summary, outputs and annotations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ml_compliance.model import Report
from ml_compliance.platforms import Api, ApiError, Capability, Delivery, Run, Wish
from ml_compliance.platforms import _github_check as check
from ml_compliance.platforms import _github_comment as comment
from ml_compliance.platforms import _github_runner as runner
from ml_compliance.platforms._github_event import read_run
from ml_compliance.platforms._github_limits import PAGE
from ml_compliance.platforms._planned import Planned

__all__ = ["baseline", "capabilities", "connect", "deliver", "detect", "read_run"]

baseline = check.baseline

_PERSONAL = ("ghp_", "gho_", "ghu_", "github_pat_")
_NO_TOKEN = Capability(
    "", False, "there is no token", "`env: {GITHUB_TOKEN: ${{ github.token }}}` on the step that posts"
)
_FORK = Capability(
    "", False, "the token of a pull request from a fork may only read",
    "publish from a second workflow `on: workflow_run`, which runs with the token of this repository",
)  # fmt: skip


def detect(environ: Mapping[str, str]) -> bool:
    """Whether this process runs on GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def connect(run: Run, *, probe: bool = False) -> Api:
    """GitHub's REST API, at the URL that the run names: github.com, or a server of one's own."""
    from ml_compliance.platforms._github_api import Rest

    return Rest(run, probe=probe)


def capabilities(run: Run, api: Api) -> tuple[Capability, ...]:
    """What can be published, by what the event and the token are, and by what may be read.

    GitHub tells nobody what a token may write before it is tried.
    """
    found = []
    silent: ApiError | None = None
    for known, path in ((_comment(run), _comments_path(run)), (_check(run), f"{_root(run)}/check-runs")):
        if not known.available:
            found.append(known)
            continue
        # Who gave no answer is not asked for another one.
        error = silent or _refused(api, path)
        silent = error if error and not error.status else None
        found.append(_probed(known, run, error))
    return (*found, *_local(run))


def _refused(api: Api, path: str) -> ApiError | None:
    try:
        next(iter(api.pages(path)), None)
    except ApiError as error:
        return error
    return None


def _probed(known: Capability, run: Run, error: ApiError | None) -> Capability:
    if error is None:
        return replace(known, reason="reading is allowed; GitHub tells only on trying whether writing is")
    if error.status:
        return replace(known, available=False, reason=str(error))
    return Capability(known.name, False, f"{run.api} gives no usable answer: {error}",
                      "correct GITHUB_API_URL, or open the way to it (firewall, proxy)")  # fmt: skip


def _root(run: Run) -> str:
    return f"/repos/{run.repository}/commits/{run.commit}"


def _comments_path(run: Run) -> str:
    return f"/repos/{run.repository}/issues/{run.request}/comments" if run.request else f"{_root(run)}/pulls"


def _comment(run: Run) -> Capability:
    remedy = "`pull-requests: write` under `permissions:` of the job"
    if not run.request and not run.head:
        reason = f"the event {run.event} is about no pull request"
        return Capability("comment", False, reason, "run the workflow `on: pull_request`")
    return _with_token("comment", run) or Capability("comment", True, remedy=remedy)


def _check(run: Run) -> Capability:
    if run.token.startswith(_PERSONAL):
        return Capability("check", False, "a personal token cannot make check runs",
                          "pass `${{ github.token }}`, or the token of a GitHub App")  # fmt: skip
    remedy = "`checks: write` under `permissions:` of the job"
    return _with_token("check", run) or Capability("check", True, remedy=remedy)


def _with_token(name: str, run: Run) -> Capability | None:
    """Why the token is not enough; None where it may be."""
    if run.fork and run.event.startswith("pull_request") and run.event != "pull_request_target":
        return replace(_FORK, name=name)
    return None if run.token else replace(_NO_TOKEN, name=name)


def _local(run: Run) -> tuple[Capability, ...]:
    return (
        Capability("summary", bool(run.summary), "" if run.summary else "GITHUB_STEP_SUMMARY is not set"),
        Capability("outputs", bool(run.outputs), "" if run.outputs else "GITHUB_OUTPUT is not set"),
        Capability("annotations", True),
    )


def deliver(report: Report, run: Run, api: Api, wish: Wish) -> tuple[Delivery, ...]:
    """Publish what can be published: each thing for itself, so that one that fails keeps no other back."""
    dry = isinstance(api, Planned)
    # The check run comes first: whoever comments later finds in it what the comment should say.
    checked = _sent(wish.check, _check(run), lambda: check.deliver(report, run, api, wish), dry)
    there = checked.status in ("delivered", "planned")
    return (
        _sent(wish.comment, _comment(run), lambda: _commented(report, run, api, wish, checked=there), dry),
        checked,
        runner.deliver_summary(report, run, dry=dry),
        runner.deliver_outputs(report, run, wish),
        runner.deliver_commands(report, dry=dry),
    )


def _commented(report: Report, run: Run, api: Api, wish: Wish, *, checked: bool) -> Delivery:
    if run.request is None:
        request = _request(run, api)
        if request is None:
            return Delivery("comment", "skipped", f"no open pull request from {run.head} has the head {run.commit}")
        run = replace(run, request=request)
    return comment.deliver(report, run, api, wish, checked=checked)


def _request(run: Run, api: Api) -> int | None:
    """The pull request whose head is the commit that was judged; the event names none when it comes from a fork."""
    for item in api.pages(f"/repos/{run.repository}/pulls", head=run.head, state="open", per_page=PAGE):
        if item["head"]["sha"] == run.commit:
            return int(item["number"])
    return None


def _sent(wanted: bool, known: Capability, send: Callable[[], Delivery], dry: bool) -> Delivery:
    if not wanted:
        return Delivery(known.name, "skipped", "not asked for")
    # A dry run shows what would be sent with a token; only a request that does not exist cannot be commented on.
    if not known.available and not (dry and known.reason == _NO_TOKEN.reason):
        return Delivery(known.name, "skipped", f"{known.reason}; {known.remedy}")
    try:
        return send()
    except ApiError as error:
        # What the job was not permitted to do is a choice of its author; anything else should have worked.
        return Delivery(known.name, "skipped" if error.status == 403 else "failed", str(error))
