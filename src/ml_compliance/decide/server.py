"""An OPA server that already holds the policy and the law; it is asked for a decision and never changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ml_compliance.decide._bundle import is_bundle
from ml_compliance.decide._contract import PACKAGE, Answer, Request
from ml_compliance.decide._policy import Policy, digest_of_modules, load_policy
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.facts import Server

_TRIED_AGAIN = 2
_PASSING = (500, 502, 503, 504)


def available(request: Request) -> bool:
    """Whether a server is configured."""
    return request.server is not None


def evaluate(request: Request) -> Answer:
    """Ask the server. Raises UsageError for settings that cannot be, EvaluationError when it does not answer."""
    settings = request.server
    if settings is None:
        raise UsageError("no policy server is configured", remedy="name its URL, such as http://localhost:8181")
    # A bundle that was tampered with here is not asked about there.
    bundle = load_policy(request) if request.rego is not None and is_bundle(request.rego) else None
    client = _client(settings)
    try:
        with _told_in_one_line(settings):
            found = client.query_rule(request.submission.get("input"), ".".join(PACKAGE),
                                      query_params={"provenance": "true"})  # fmt: skip
        if not isinstance(found, dict):
            raise EvaluationError("this is no OPA server: its answer is no object", where=settings.url)
        if "result" not in found and not _healthy(client):
            raise EvaluationError("the policy server has not activated its bundles", where=settings.url,
                                  remedy="see its log: a bundle is missing, unsigned or broken")  # fmt: skip
        provenance = _object(found.get("provenance"))
        return Answer(found.get("result"), "server", str(provenance.get("version", "")),
                      _policy_digest(client, settings, bundle), _revision(provenance))  # fmt: skip
    finally:
        client.close_connection()


def _client(settings: Server) -> Any:
    from opa_client.opa import OpaClient

    parts = _parts(settings.url)
    token = os.environ.get(settings.token_env, "") if settings.token_env else ""
    if settings.token_env and not token:
        raise UsageError(f"the environment variable {settings.token_env} is empty", where=settings.url,
                         remedy="put the server's token into it")  # fmt: skip
    if settings.ca and not Path(settings.ca).is_file():
        raise UsageError("the file with the server's authority is not there", where=settings.ca)
    secure = parts.scheme == "https"
    client = OpaClient(
        host=f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname),
        port=parts.port or (443 if secure else 8181),
        version=f"{parts.path.strip('/')}/v1".lstrip("/"),
        # The client takes the path of a CA file here and hands it on to `requests`.
        ssl=(settings.ca or True) if secure else False,
        token=token or None,
        retries=_TRIED_AGAIN,
        timeout=settings.timeout,
    )
    _retry_questions(client)
    # Else `requests` takes a token from ~/.netrc and a CA file from the environment instead of those configured.
    client._session.trust_env = not (settings.ca or token)
    return client


def _retry_questions(client: Any) -> None:
    """Ask again after an answer of 5xx, also by POST, which the client itself takes for a change and never repeats.

    A question changes nothing. One that was not answered in time, or not to the end, is not asked again: that would
    multiply the timeout. No server may say how long to wait (`Retry-After`).
    """
    from urllib3.util.retry import Retry

    from ml_compliance.decide._bounded import bounded

    retries = Retry(
        total=_TRIED_AGAIN, read=False, allowed_methods=("GET", "POST"), status_forcelist=_PASSING,
        backoff_factor=0.2, raise_on_status=False, respect_retry_after_header=False,
    )  # fmt: skip
    for scheme in ("http://", "https://"):
        client._session.mount(scheme, bounded(retries))


def _healthy(client: Any) -> bool:
    """Whether the server says that it is ready and that its bundles are activated."""
    health = client.root_url.removesuffix("/v1") + "/health?bundles=true"
    return bool(client.check_health(diagnostic_url=health))


def _parts(url: str) -> SplitResult:
    wrong = UsageError("this is no URL of an OPA server", where=url, remedy="write it as http://localhost:8181")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises ValueError when it is no number
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise wrong
    return parts


@contextmanager
def _told_in_one_line(settings: Server) -> Iterator[None]:
    import requests

    try:
        yield
    except requests.exceptions.SSLError as error:
        raise EvaluationError(f"the server's certificate is not trusted: {_cause(error)}", where=settings.url,
                              remedy="name the PEM file of its authority as the server's `ca`") from error  # fmt: skip
    except requests.exceptions.Timeout as error:
        raise EvaluationError(f"the policy server gave no answer within {settings.timeout:g} s",
                              where=settings.url) from error  # fmt: skip
    except requests.exceptions.HTTPError as error:
        raise EvaluationError(f"the policy server answered {_said(error.response)}", where=settings.url) from error
    except requests.exceptions.ConnectionError as error:
        raise EvaluationError(f"the policy server cannot be reached: {_cause(error)}", where=settings.url,
                              remedy="start it, or put its URL right") from error  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise EvaluationError("this is no OPA server: its answer is no JSON", where=settings.url) from error
    except requests.exceptions.RequestException as error:
        raise EvaluationError(f"the policy server cannot be asked: {_cause(error)}", where=settings.url) from error


def _said(response: Any) -> str:
    """OPA's own message, which the client drops."""
    try:
        body = response.json()
        said = "; ".join([str(body["message"]), *(str(error["message"]) for error in body.get("errors", []))])
    except (ValueError, KeyError, TypeError, AttributeError):
        said = str(response.reason or "no reason given")
    return f"{response.status_code}: {said}"


def _cause(error: BaseException) -> str:
    """The innermost reason of nested connection errors, in one line; that of the system, where it gives one."""
    inner: Any = error
    while deeper := _inside(inner):
        inner = deeper
    return str(getattr(inner, "strerror", None) or inner).split("\n", 1)[0]


def _inside(error: BaseException) -> BaseException | None:
    nested = (getattr(error, "reason", None), *error.args, error.__cause__)
    return next((each for each in nested if isinstance(each, BaseException)), None)


def _policy_digest(client: Any, settings: Server, bundle: Policy | None) -> str:
    """The digest of all modules on the server, where it shows them, that of `bundle` if they are its; else its address.

    A token that may only ask for decisions is good practice, so that a refusal here is no failure.
    """
    import requests

    try:
        answer = client._session.get(f"{client.root_url}/policies", timeout=settings.timeout)
        answer.raise_for_status()
        found = digest_of_modules(module["raw"] for module in answer.json()["result"])
    except (requests.exceptions.RequestException, ValueError, RecursionError, KeyError, TypeError):
        return f"server:{settings.url}"
    return bundle.digest if bundle and found == digest_of_modules(bundle.modules.values()) else found


def _revision(provenance: dict[str, Any]) -> str:
    """The revisions of the bundles that the server answered from: `name@revision`, sorted by name."""
    bundles = _object(provenance.get("bundles"))
    return " ".join(f"{name}@{_object(bundle).get('revision', '')}" for name, bundle in sorted(bundles.items()))


def _object(value: Any) -> dict[str, Any]:
    """`value` if it is an object of JSON, and else one without members."""
    return value if isinstance(value, dict) else {}
