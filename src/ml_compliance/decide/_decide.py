"""The third room: the policy judges the submission. It alone says allow or deny, and gives every reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_compliance import plugins
from ml_compliance.decide._check import checked
from ml_compliance.decide._contract import Answer, Request
from ml_compliance.decide._cross_check import cross_check as cross_checked_by
from ml_compliance.decide._findings import FINDINGS, LAW_NOT_APPLIED, WITHOUT_A_REASON, Locate, catalogued, ordered, own
from ml_compliance.decide._opa import INSTALL
from ml_compliance.documents import digest
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.model import Decision, Verdict

AUTO = "auto"
_ORDER = ("server", "binary", "embedded")


def decide(
    request: Request, engine: str = AUTO, locate: Locate | None = None, *, cross_check: bool = False
) -> Decision:
    """Judge `request.submission` by `request.law`.

    `engine` is `auto` (a server if one is configured, else `opa` if it is on PATH, else embedded) or the name of an
    engine. `locate` tells on which line of the law a key of one of its items is written. With `cross_check`, a second
    engine must give the same answer.

    Raises UsageError for an engine that does not exist and a document that is no submission, and EvaluationError when
    no engine gives an answer that can be relied on.
    """
    created = _created(request.submission)
    name = _first_available(request) if engine == AUTO else engine
    answer: Answer = plugins.load("decide", name).evaluate(request)
    result, shipped = checked(answer, request)
    cross_checked = cross_checked_by(request, answer, _ORDER) if cross_check else ""
    compose = catalogued(locate) if shipped else own
    found = {kind: ordered(map(compose, result.get(kind, ()))) for kind in FINDINGS}
    verdict: Verdict = result["verdict"] if shipped else "allowed" if result["allow"] else "denied"
    violations = found["violation"]
    if verdict == "denied" and not violations:
        violations = (WITHOUT_A_REASON,)
    input_digest = digest(request.submission)
    grounds = {"input": input_digest, "policy": answer.policy_digest, "law": request.law["digest"], "result": result}
    return Decision(
        verdict=verdict,
        violations=violations,
        warnings=found["warning"] if shipped else (LAW_NOT_APPLIED,),
        waived=found["waived"],
        insufficient=found["insufficient"],
        errors=tuple(finding.message for finding in found["error"]),
        engine=answer.engine,
        engine_version=answer.version,
        policy_digest=answer.policy_digest,
        policy_revision=answer.revision,
        law_digest=request.law["digest"],
        input_digest=input_digest,
        id=digest(grounds).removeprefix("sha256:"),
        time=created,
        cross_checked=cross_checked,
    )


def not_evaluated(request: Request, engine: str, reason: str) -> Decision:
    """The decision when no engine answered: nothing was judged, so nothing is allowed."""
    law_digest, input_digest = str(request.law["digest"]), digest(request.submission)
    return Decision(
        verdict="not_evaluated", violations=(), warnings=(), waived=(), insufficient=(), errors=(reason,),
        engine=engine, engine_version="", policy_digest="", law_digest=law_digest, input_digest=input_digest,
        id=digest({"input": input_digest, "law": law_digest, "reason": reason}).removeprefix("sha256:"),
        time=_created(request.submission),
    )  # fmt: skip


def _first_available(request: Request) -> str:
    for name in _ORDER:
        if plugins.load("decide", name).available(request):
            return name
    raise EvaluationError("a policy of your own needs the program `opa`, or a server that holds it",
                          where=str(request.rego), remedy=INSTALL)  # fmt: skip


def _created(submission: Mapping[str, Any]) -> str:
    content = submission.get("input")
    created = content.get("created") if isinstance(content, Mapping) else None
    if not isinstance(created, str):
        raise UsageError("this is no submission: it has no text `input.created`", remedy="run: ml-compliance submit")
    return created
