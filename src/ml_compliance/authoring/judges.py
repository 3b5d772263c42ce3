"""How thousands of changed submissions are judged: the shipped policy in this process, others by one `opa` for many.

A judge takes edits of one submission and answers for each. What breaks the evaluation off is no permission.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ml_compliance.authoring.changes import Edit, changed, patch
from ml_compliance.decide import _opa
from ml_compliance.decide._contract import PACKAGE
from ml_compliance.errors import EvaluationError

Edits = tuple[Edit, ...]
_BATCH = 4000
# Seconds for a batch, and for one submission, where an endless policy is seen first, before it has filled the memory.
_SECONDS, _SECONDS_OF_ONE = 900, 30
_QUERY = ("{i: answer | some i, edits in data.policy_check.tries; "
          f"answer := data.{'.'.join(PACKAGE)} with input as json.patch(data.policy_check.base, edits)}}")  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """Whether a submission was allowed, and the policy's findings, as it gave them."""

    allowed: bool
    violations: tuple[Any, ...] = ()

    @property
    def reasons(self) -> frozenset[str]:
        """The rules that were violated; of a policy that names no rules, its messages."""
        return frozenset(_reason(violation) for violation in self.violations)


NO_ANSWER = Outcome(allowed=False)


class Judge(Protocol):
    """Judges `base` (the content of `input`) after each of `tries`."""

    def __call__(self, base: Any, tries: Sequence[Edits]) -> list[Outcome]:
        """One outcome for each of `tries`, in their order."""


def outcome(result: Any) -> Outcome:
    """What a policy's whole answer comes to, read as generously as any reader of `allow` could."""
    if not isinstance(result, Mapping):
        return NO_ANSWER
    found = result.get("violation")
    return Outcome(result.get("allow") is True, tuple(found) if isinstance(found, list) else ())


def _reason(violation: Any) -> str:
    if isinstance(violation, Mapping):
        return str(violation.get("rule") or violation.get("msg") or "")
    return str(violation)


class Embedded:
    """The shipped policy in this process, by one instance for all."""

    def __init__(self, law: Mapping[str, Any]) -> None:
        from ml_compliance.decide import embedded

        self._instance = embedded.shipped()
        self._data = {"mlpolicy": {"law": law}}

    def answer(self, submission: Any) -> Any:
        """The whole answer to one submission; None where there is none."""
        return self._instance.evaluate(submission, self._data)

    def __call__(self, base: Any, tries: Sequence[Edits]) -> list[Outcome]:
        """One outcome for each of `tries`."""
        return [outcome(self.answer(changed(base, edits))) for edits in tries]


class Program:
    """Any policy, by `opa eval`: one process judges thousands, which are patches of one document.

    A builtin that fails breaks the evaluation off only if it is `strict`, as the gate's engine is. An OPA server is
    not: there it is undefined, and `not` makes it true.
    """

    def __init__(self, files: Iterable[Path], law: Mapping[str, Any], *, strict: bool = False) -> None:
        self._files = tuple(files)
        self._law = law
        self._options = ("--strict-builtin-errors",) if strict else ()

    def __call__(self, base: Any, tries: Sequence[Edits]) -> list[Outcome]:
        """One outcome for each of `tries`. Raises EvaluationError when `opa` is missing or refuses the policy."""
        return [outcome(answer) for answer in self.answers(base, tries)]

    def answers(self, base: Any, tries: Sequence[Edits]) -> list[Any]:
        """The whole answer to each of `tries`; None where the policy gives none, or breaks off."""
        found = list[Any]()
        for start in range(0, len(tries), _BATCH):
            found += self._batch(base, tries[start : start + _BATCH])
        return found

    def _batch(self, base: Any, tries: Sequence[Edits]) -> list[Any]:
        with tempfile.TemporaryDirectory(prefix="ml-compliance-") as folder:
            data = Path(folder) / "data.json"
            numbered = {str(index): patch(edits) for index, edits in enumerate(tries)}
            document = {"mlpolicy": {"law": self._law}, "policy_check": {"base": base, "tries": numbered}}
            data.write_text(json.dumps(document), encoding="utf-8")
            sources = [argument for path in (*self._files, data) for argument in ("--data", str(path))]
            seconds = _SECONDS_OF_ONE if len(tries) == 1 else _SECONDS
            done = _opa.called("eval", "--format", "json", *self._options, *sources, _QUERY, seconds=seconds)
        if done.returncode == 0:
            answers = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
            return [answers.get(str(index)) for index in range(len(tries))]
        if '"eval_' not in done.stdout:
            raise EvaluationError(f"`opa eval` failed: {_opa.said(done)}")
        # One submission that breaks the evaluation off takes the others with it: it is found by halves.
        if len(tries) == 1:
            return [None]
        middle = len(tries) // 2
        return [*self._batch(base, tries[:middle]), *self._batch(base, tries[middle:])]
