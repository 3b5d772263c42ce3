"""The result of a run that nobody vouches for, such as one of a fork: looked at before a run with a token shows it.

Whoever may open a pull request decides what such a result holds. Nothing of it is executed or unpacked; two files of it
are read, if they are plain, small and valid against their schemas, and are written anew.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from ml_compliance import files
from ml_compliance.decisions import decision_document, read_decision
from ml_compliance.documents import canonical, digest
from ml_compliance.errors import ComplianceError, EvaluationError, UsageError
from ml_compliance.files import DECISION_FILE, SUBMISSION_FILE
from ml_compliance.publish._text import clip, terminal
from ml_compliance.submit import read_submission

LARGEST = 16 * 1024 * 1024
"""Bytes of one file. The submission of a model with hundreds of groups has a tenth of it."""
_MESSAGE = 500


def accept(source: Path, out: Path) -> None:
    """Copy decision and submission from the folder `source` to `out`, which is emptied of earlier results.

    Raises EvaluationError, with nothing written, when one of them is missing, is no plain file, is larger than
    `LARGEST`, is no strict JSON, does not fit its schema, or when the decision is about another submission. Raises
    UsageError when `out` is a link: what it leads to would be emptied.
    """
    if out.is_symlink():
        raise UsageError("the output folder is a link", where=str(out), remedy="name a folder of its own with --out")
    decided, submission = read_strict(source / DECISION_FILE), read_strict(source / SUBMISSION_FILE)
    try:
        decision = read_decision(decided, DECISION_FILE)
        read_submission(submission, SUBMISSION_FILE)
        texts = {DECISION_FILE: canonical(decision_document(decision)), SUBMISSION_FILE: canonical(submission)}
    except (ComplianceError, ValueError, RecursionError) as error:
        _refuse(str(error))
    if decision.input_digest != digest(submission):
        _refuse(f"{DECISION_FILE} is about another submission")
    files.prepare(out)
    for name, text in texts.items():
        files.write(out / name, text)


def read_strict(path: Path) -> dict[str, Any]:
    """The JSON object in a file that nobody vouches for.

    Raises EvaluationError when it is no plain file, larger than `LARGEST`, or no strict JSON.
    """
    try:
        # Not followed, and not waited for: it might be a link to a secret, or a pipe.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                _refuse(f"{path.name} is no plain file")
            with os.fdopen(handle, "rb", closefd=False) as file:
                content = file.read(LARGEST + 1)
        finally:
            os.close(handle)
    except OSError as error:
        _refuse(f"{path.name} cannot be read: {error.strerror}")
    if len(content) > LARGEST:
        _refuse(f"{path.name} is larger than {LARGEST:,} bytes")
    try:
        loaded = json.loads(content, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        _refuse(f"{path.name} is no JSON: {error}")
    if not isinstance(loaded, dict):
        _refuse(f"{path.name} is no JSON object")
    return loaded


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse(reason: str) -> NoReturn:
    """The reason may quote the file, so it is made harmless for a log."""
    raise EvaluationError(clip(terminal(reason), _MESSAGE), where="the result of the other run",
                          remedy="nothing of it was shown; look at that run") from None  # fmt: skip
