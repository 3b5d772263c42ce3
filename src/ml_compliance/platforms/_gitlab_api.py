"""GitLab's API through python-gitlab: one client, which asks again after passing errors and no longer than a minute."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ml_compliance.platforms import ApiError

if TYPE_CHECKING:
    from requests import Session

_TIMEOUT, _RETRIES = 30.0, 4
_PROBE_TIMEOUT, _PROBE_RETRIES = 5.0, 1
"""Somebody waits for the answer of a probe, and nothing is lost when there is none."""
_LONGEST_WAIT = 60.0
_PASSING = (429, 500, 502, 503, 504)
_LONG = 300


class GitlabApi:
    """The API at `url` (CI_API_V4_URL, which may lie below a path). `ca` is a file of certificates, empty for none.

    A `probe` gives up within seconds.

    An access token goes into the header Authorization, which is not sent on when GitLab redirects to an object store.
    """

    def __init__(self, url: str, token: str, *, job_token: bool, ca: str, probe: bool = False) -> None:
        from gitlab import Gitlab

        self._client = Gitlab(
            url.removesuffix("/").removesuffix("/api/v4"),
            job_token=token if job_token and token else None,
            oauth_token=token if token and not job_token else None,
            ssl_verify=ca or True,
            timeout=_PROBE_TIMEOUT if probe else _TIMEOUT,
            keep_base_url=True,
            session=_session(_PROBE_RETRIES if probe else _RETRIES, 0.0 if probe else _LONGEST_WAIT),
        )

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request; the parsed JSON, or None for an answer without content.

        Raises ApiError when GitLab refuses, or gives no answer.
        """
        try:
            answer = self._client.http_request(method.lower(), path, post_data=body, obey_rate_limit=False)
            return answer.json() if answer.content else None
        except Exception as error:
            raise _told(error, method, path) from error

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """The items of every page. Raises ApiError, also in mid-list."""
        try:
            yield from self._client.http_list(
                path, query_data={"per_page": 100, **query}, iterator=True, obey_rate_limit=False
            )
        except Exception as error:
            raise _told(error, "GET", path) from error


def _session(retries: int, longest: float) -> Session:
    from requests import Session
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    class Patience(Retry):
        """Obeys Retry-After up to `longest`: a job is paid for while it sleeps."""

        def get_retry_after(self, response: Any) -> float | None:
            asked = super().get_retry_after(response)
            return None if asked is None else min(asked, longest)

    # A POST that got no answer may have been heard: what it made twice is found, and one of them removed.
    retry = Patience(
        total=retries, status_forcelist=_PASSING, allowed_methods=None, backoff_factor=0.5, raise_on_status=False
    )
    session = Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _told(error: Exception, method: str, path: str) -> ApiError:
    """What went wrong, in one line without tokens. Anything else is a mistake of ours, and raised as it is."""
    from gitlab.exceptions import GitlabError

    asked = f"{method.upper()} {path.split('?', 1)[0]}"
    if isinstance(error, GitlabError):
        said: object = error.error_message  # Text, the parsed `message` of GitLab, or bytes of whatever answered.
        text = said.decode(errors="replace") if isinstance(said, bytes) else said
        text = text if isinstance(text, str) else json.dumps(text, sort_keys=True)
        return ApiError(f"{asked}: {error.response_code or ''} {' '.join(text.split())}"[:_LONG],
                        error.response_code or 0)  # fmt: skip
    if isinstance(error, OSError):  # what requests raises, and a file of certificates that is not there
        cause = _cause(error)
        return ApiError(f"{asked}: {type(cause).__name__}: {' '.join(str(cause).split())}"[:_LONG])
    raise error


def _cause(error: BaseException) -> BaseException:
    """What went wrong at the bottom: the layers above it repeat the address and the number of tries."""
    while deeper := error.__cause__ or error.__context__:
        error = deeper
    return error
