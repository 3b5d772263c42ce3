"""What a policy engine may answer. Anything else is no answer, and nothing is ever allowed by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_compliance.decide._contract import PACKAGE, Answer, Request
from ml_compliance.documents import canonical
from ml_compliance.errors import EvaluationError

SETS = ("violation", "warning", "waived", "insufficient", "error", "judged")
_VERDICTS = ("allowed", "denied", "not_evaluated")
_NAME = ".".join(PACKAGE)


def normal(value: Any) -> Any:
    """The same content in one form: engines write 1 or 1.0, and the members of a set in any order."""
    if isinstance(value, dict):
        return {key: normal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def checked(answer: Answer, request: Request) -> tuple[dict[str, Any], bool]:
    """The answer in normal form, and whether it comes from the shipped policy (or one that echoes the law as it does).

    Raises EvaluationError, naming the cause, when the answer is not one to rely on.
    """
    where = _where(answer, request)
    result = answer.result
    if result is None:
        raise EvaluationError(f"the policy has no package `{_NAME}`, or nothing in it is defined", where=where,
                              remedy=f"begin the policy with `package {_NAME}`")  # fmt: skip
    result = _in_normal_form(result, where)
    if not isinstance(result, dict):
        raise EvaluationError(f"`data.{_NAME}` is no object of rules", where=where)
    if "allow" not in result:
        raise EvaluationError("the policy defines no `allow`, or leaves it undefined", where=where,
                              remedy="write `default allow := false` above the rule")  # fmt: skip
    if not isinstance(result["allow"], bool):
        raise EvaluationError(f"`allow` is {canonical(result['allow']).strip()}, and not true or false", where=where)
    ours = "law" in result or "judged" in result
    if not ours and request.rego is None:
        raise EvaluationError("the engine runs a policy that is not the shipped one", where=where,
                              remedy="name a policy of your own with `rego:` in compliance.yaml")  # fmt: skip
    kept = _shipped(result, request.law, where) if ours else _own(result, where)
    return kept, ours


def _in_normal_form(result: Any, where: str) -> Any:
    """`result` as `normal` gives it, if it is JSON: Python also reads NaN, and more depth than it can write."""
    try:
        found = normal(result)
        canonical(found)
    except (ValueError, OverflowError, RecursionError) as error:
        raise EvaluationError(f"the answer is not JSON that can be recorded: {error}", where=where) from error
    return found


def _where(answer: Answer, request: Request) -> str:
    if answer.engine == "server" and request.server is not None:
        return request.server.url
    return answer.engine if request.rego is None else str(request.rego)


def _shipped(result: dict[str, Any], law: Mapping[str, Any], where: str) -> dict[str, Any]:
    for name in SETS:
        _list(result, name, where)
        result[name].sort(key=canonical)
    if result.get("verdict") not in _VERDICTS:
        raise EvaluationError("the policy gives no `verdict` that is known", where=where)
    _same_law(result.get("law"), law, where)
    verdict, allow = result["verdict"], result["allow"]
    expected = "not_evaluated" if result["error"] else "denied" if result["violation"] else "allowed"
    if verdict != expected or allow != (verdict == "allowed"):
        raise EvaluationError(
            f"the answer contradicts itself: allow {str(allow).lower()}, verdict {verdict}, "
            f"{len(result['violation'])} violations, {len(result['error'])} errors",
            where=where,
        )
    asked = sorted(str(item["id"]) for item in law["policies"]) if allow else []
    if allow and result["judged"] != asked:
        raise EvaluationError(f"judged were {result['judged']}, the law has {asked}", where=where)
    return result


def _same_law(echo: Any, law: Mapping[str, Any], where: str) -> None:
    judged_by = echo.get("digest") if isinstance(echo, dict) else None
    if judged_by is None:
        raise EvaluationError("the policy engine holds no law", where=where,
                              remedy="put the law there as data.mlpolicy.law")  # fmt: skip
    if judged_by != law["digest"]:
        raise EvaluationError(f"the policy engine judges by another law: {judged_by}, here it is {law['digest']}",
                              where=where, remedy="publish the law of this commit to the server")  # fmt: skip


def _own(result: dict[str, Any], where: str) -> dict[str, Any]:
    violations = _list(result, "violation", where) if "violation" in result else []
    if result["allow"] and violations:
        raise EvaluationError(f"the policy allows, and names {len(violations)} violations", where=where,
                              remedy="make `allow` depend on `count(violation) == 0`")  # fmt: skip
    if result["allow"] and result.get("error"):
        raise EvaluationError("the policy allows, and names errors", where=where,
                              remedy="make `allow` depend on `count(error) == 0`")  # fmt: skip
    for violation in violations:
        message = violation.get("msg") if isinstance(violation, dict) else violation
        if not isinstance(message, str):
            raise EvaluationError(f"a violation has no message: {canonical(violation).strip()}", where=where,
                                  remedy="make it a string, or an object with a string `msg`")  # fmt: skip
    return {"allow": result["allow"], "violation": sorted(violations, key=canonical)}


def _list(result: Mapping[str, Any], name: str, where: str) -> list[Any]:
    found = result.get(name)
    if not isinstance(found, list):
        raise EvaluationError(f"`{name}` is no set", where=where, remedy=f"write `{name} contains … if …`")
    return found
