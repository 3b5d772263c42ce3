"""A second engine is asked the same question, and must give the same answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ml_compliance import plugins
from ml_compliance.decide._check import checked
from ml_compliance.decide._contract import Answer, Request
from ml_compliance.errors import EvaluationError

_SHOWN = 300


def cross_check(request: Request, first: Answer, order: Iterable[str]) -> str:
    """Ask the first available engine of `order` that is not the one that gave `first`; return its name and version.

    Raises EvaluationError when there is no such engine, when it gives no answer that can be relied on, and when the
    two differ in anything: the policy they judge by, where both show it, or the answer itself.
    """
    others = [name for name in order if name != first.engine and plugins.load("decide", name).available(request)]
    if not others:
        raise EvaluationError(
            f"there is no second policy engine to check `{first.engine}` with",
            where=str(request.rego or ""),
            remedy="run: ml-compliance tools install opa, or configure a server; a policy of your own runs embedded "
            "once it is built: ml-compliance policy build",
        )
    second: Answer = plugins.load("decide", others[0]).evaluate(request)
    digests = first.policy_digest, second.policy_digest
    if digests[0] != digests[1] and all(each.startswith("sha256:") for each in digests):
        raise _differ(first, second, "policy", *digests)
    here, there = checked(first, request)[0], checked(second, request)[0]
    for name in sorted(here.keys() | there.keys()):
        _compare(first, second, name, here, there)
    return f"{second.engine} {second.version}"


def _compare(first: Answer, second: Answer, name: str, here: Mapping[str, Any], there: Mapping[str, Any]) -> None:
    if name not in here or name not in there:
        raise _differ(first, second, f"`{name}`", *("given" if name in each else "not given" for each in (here, there)))
    one, other = here[name], there[name]
    if isinstance(one, list) and isinstance(other, list):
        # Members that both have say nothing.
        one, other = [item for item in one if item not in other], [item for item in other if item not in one]
    if _text(here[name]) != _text(there[name]):
        raise _differ(first, second, f"`{name}`", _text(one), _text(other))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _differ(first: Answer, second: Answer, what: str, one: str, other: str) -> EvaluationError:
    return EvaluationError(
        f"two policy engines differ in {what}: {first.engine} {one[:_SHOWN]}, {second.engine} {other[:_SHOWN]}",
        remedy="give both the same policy, and report it if they have it",
    )
