"""What can go wrong, and the exit code that says so.

0 allowed, 1 denied, 2 usage or configuration, 3 could not be evaluated. Nothing here is ever an "allowed".
"""

from __future__ import annotations

ALLOWED = 0
DENIED = 1
USAGE = 2
NOT_EVALUATED = 3
INTERRUPTED = 130
OF_VERDICTS = {"allowed": ALLOWED, "denied": DENIED, "not_evaluated": NOT_EVALUATED}


class ComplianceError(Exception):
    """A problem told to the user in one message: where it is, what it is, and how to put it right.

    `named` is what was looked for, as a file that people write names it; its line can be found by that.
    """

    exit_code = NOT_EVALUATED

    def __init__(self, message: str, *, where: str = "", remedy: str = "", named: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy
        self.named = named

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  → {self.remedy}" if self.remedy else text


class UsageError(ComplianceError):
    """The command line, compliance.yaml or compliance_policy.yaml asks for something that cannot be."""

    exit_code = USAGE


class EvaluationError(ComplianceError):
    """The request is well formed, but data, a model, a tool or a server did not allow an answer."""

    exit_code = NOT_EVALUATED
