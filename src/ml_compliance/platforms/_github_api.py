"""The way to GitHub's REST API, by githubkit: it connects, sends and waits; here is said when it may try again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from ml_compliance import __version__
from ml_compliance.platforms import ApiError, Run

if TYPE_CHECKING:
    from githubkit import Response
    from githubkit.exception import GitHubException
    from githubkit.retry import RetryOption

_TRIES = 5
_LONGEST = 300.0
"""Seconds: a job that waits longer costs more than a report that is late."""
_SECONDARY = 60.0
"""Seconds that GitHub asks for after a secondary limit, where it names none."""
_TIMEOUT = 30.0
_PROBE_TRIES, _PROBE_LONGEST, _PROBE_TIMEOUT = 1, 1.0, 5.0
"""Somebody waits for the answer of a probe, and nothing is lost when there is none."""
_GATEWAY = (502, 503, 504)
_LIMITED = 429
"""What a used-up limit is told as: GitHub also answers 403, which else means a permission."""
_VERSION = {"X-GitHub-Api-Version": "2022-11-28"}
_PERMISSIONS = (("/check-runs", "checks: write"), ("/comments", "pull-requests: write"),
                ("/pulls", "pull-requests: read"))  # fmt: skip


class Rest:
    """GitHub's REST API, as the token of `run` may use it; for a `probe`, which gives up within seconds."""

    def __init__(self, run: Run, *, probe: bool = False) -> None:
        import httpx
        from githubkit import GitHub

        # A server of one's own has GraphQL beside REST, which is at /api/v3; github.com has it below.
        self._graphql = run.api.removesuffix("/").removesuffix("/v3") + "/graphql"
        self._timeout = _PROBE_TIMEOUT if probe else _TIMEOUT
        self._client = GitHub(
            run.token or None,
            base_url=run.api,
            user_agent=f"ml-compliance/{__version__}",
            http_cache=False,
            timeout=self._timeout,
            auto_retry=partial(may_retry, tries=_PROBE_TRIES, longest=_PROBE_LONGEST) if probe else may_retry,
            # One for all requests: githubkit would make one for each, which takes longer than the request.
            ssl_verify=httpx.create_ssl_context(),
        )

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request, repeated while GitHub asks for patience; the parsed answer, None where it is empty."""
        answer = self._answer(method, self._graphql if path == "/graphql" else path, json=body)
        return _parsed(answer, f"{method} {path}") if answer.content else None

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """The items of every page; GitHub wraps some lists into an object with their total."""
        page = 0
        more = True
        while more:
            page += 1
            answer = self._answer("GET", path, params=query | ({"page": page} if page > 1 else {}))
            found = _parsed(answer, f"GET {path}")
            listed = found if isinstance(found, list) else next(v for v in found.values() if isinstance(v, list))
            yield from listed
            more = "next" in answer.raw_response.links

    def _answer(self, method: str, path: str, **what: Any) -> Response[Any]:
        from githubkit.exception import GitHubException

        try:
            return self._client.request(method, path, headers=_VERSION, **what)
        except GitHubException as error:
            raise _told(error, f"{method} {path}", self._timeout) from error
        except ValueError as error:
            # githubkit reads the seconds of retry-after, and does not know that a proxy may write a date.
            raise ApiError(f"{method} {path}: the answer has a header that cannot be read: {error}") from error


def _parsed(answer: Response[Any], what: str) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise ApiError(f"{what}: the answer is not JSON; does a proxy stand in between?") from error


def may_retry(error: GitHubException, count: int, *, tries: int = _TRIES, longest: float = _LONGEST) -> RetryOption:
    """Whether to send again after `count` repeats, and when: as GitHub says, else exponentially.

    At most `tries` repeats, none after more than `longest` seconds.
    """
    from githubkit.exception import RateLimitExceeded, RequestError, RequestFailed
    from githubkit.retry import RetryOption
    from httpx import TransportError

    wait: float | None = None
    if isinstance(error, RateLimitExceeded):
        wait = max(error.retry_after.total_seconds(), 1.0)
    elif isinstance(error, RequestFailed):
        if _secondary(error):
            wait = _SECONDARY * 2**count
        elif error.response.status_code in _GATEWAY and not _appends(error.request):
            wait = 2.0**count
    elif isinstance(error, RequestError) and isinstance(error.exc, TransportError) and not _appends(error.exc.request):
        wait = 2.0**count
    if wait is None or count >= tries or wait > longest:
        return RetryOption(False)
    from datetime import timedelta

    return RetryOption(True, timedelta(seconds=wait))


def _appends(request: Any) -> bool:
    """Annotations are appended: had the first request its effect, a second one would double them."""
    return request.method == "PATCH" and b'"annotations"' in request.content


def _secondary(error: Any) -> bool:
    """A limit that names no time: 429, or 403 with the words that GitHub documents."""
    status = error.response.status_code
    return status == _LIMITED or (status == 403 and "secondary rate limit" in _message(error.response).lower())


def _message(response: Any) -> str:
    """What GitHub says about a refusal, with what is wrong with which field."""
    try:
        said = response.json()
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    problems = [str(problem.get("message") or f"{problem.get('field')}: {problem.get('code')}")
                for problem in said.get("errors") or () if isinstance(problem, dict)]  # fmt: skip
    return "; ".join((str(said.get("message") or ""), *problems))[:500]


def _told(error: GitHubException, what: str, timeout: float) -> ApiError:
    from githubkit.exception import RateLimitExceeded, RequestError, RequestFailed, RequestTimeout

    if isinstance(error, RateLimitExceeded):
        seconds = error.retry_after.total_seconds()
        return ApiError(f"{what}: GitHub's limit of requests is used up for {seconds:.0f} s", _LIMITED)
    if isinstance(error, RequestFailed):
        if _secondary(error):
            return ApiError(f"{what}: {_message(error.response)}", _LIMITED)
        status = error.response.status_code
        told = f"{what}: {status}: {_message(error.response) or 'no reason given'}"
        return ApiError(told + _way_out(status, what), status)
    if isinstance(error, RequestTimeout):
        return ApiError(f"{what}: no answer within {timeout:.0f} s")
    cause = error.exc if isinstance(error, RequestError) else error
    return ApiError(f"{what}: {type(cause).__name__}: {cause}")


def _way_out(status: int, what: str) -> str:
    permission = next((line for part, line in _PERMISSIONS if part in what), "contents: read")
    if status == 401:
        return "; the token is wrong or has expired: pass GITHUB_TOKEN: ${{ github.token }} to the step"
    if status == 403:
        return f"; write `{permission}` under `permissions:` of the job"
    if status == 404:
        return f"; it does not exist, or the token may not see it: `{permission}` under `permissions:` of the job"
    return ""
