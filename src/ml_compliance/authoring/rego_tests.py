"""`policy test`: the tests that stand beside a policy, run by `opa test`, and the lines that they leave out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ml_compliance.authoring.shipped import with_library
from ml_compliance.decide import _opa
from ml_compliance.errors import EvaluationError, UsageError


@dataclass(frozen=True)
class Tested:
    """How many tests ran, those that failed, the share of lines covered (0 to 100), and the lines that are not.

    OPA tells no coverage where a test failed: it is None.
    """

    tests: int
    failed: tuple[str, ...]
    coverage: float | None
    not_covered: tuple[str, ...]


def run(folder: Path) -> Tested:
    """Run the tests in `folder`, with the shipped library where the policies import it.

    The coverage is that of the folder's own rules. Raises UsageError when the folder has no policy or no test, or OPA
    refuses it, and EvaluationError when `opa` is missing.
    """
    own = tuple(sorted(folder.rglob("*.rego"))) if folder.is_dir() else ()
    if not own:
        raise UsageError("there is no folder with .rego files here", where=str(folder),
                         remedy="write a rule with its test: ml-compliance policy new NAME")  # fmt: skip
    files = [str(path) for path in with_library(own)]
    done = _opa.called("test", "--format", "json", *files)
    try:
        results = json.loads(done.stdout or "[]") or []
    except ValueError:
        results = None
    if not isinstance(results, list):
        raise UsageError(f"the policy cannot be tested: {_opa.said(done)}", where=str(folder))
    if not results:
        raise UsageError(f"there is no test: {done.stderr.strip() or 'no rule is called test_…'}", where=str(folder),
                         remedy=_opa.remedy(done)
                         or "write rules that begin with `test_` into files that end with _test.rego")  # fmt: skip
    failed = tuple(f"{each['location']['file']}:{each['location']['row']}: {each['name']}"
                   for each in results if each.get("fail") or each.get("error") or each.get("skip"))  # fmt: skip
    if done.returncode and not failed:
        raise EvaluationError(f"`opa test` failed: {_opa.said(done)}", where=str(folder))
    coverage, not_covered = (None, ()) if failed else _coverage(files, {str(path) for path in own})
    return Tested(len(results), failed, coverage, not_covered)


def _coverage(files: list[str], own: set[str]) -> tuple[float, tuple[str, ...]]:
    done = _opa.called("test", "--coverage", "--format", "json", *files)
    try:
        report = json.loads(done.stdout)["files"]
    except (ValueError, KeyError) as error:
        raise EvaluationError(f"`opa test --coverage` failed: {_opa.said(done)}") from error
    covered, lacking = 0, list[str]()
    for name, parts in sorted(report.items()):
        if name in own and not name.endswith("_test.rego"):
            rows = _rows(parts.get("not_covered", ()))
            covered += len(_rows(parts.get("covered", ())) - rows)
            lacking += [f"{name}:{row}" for row in sorted(rows)]
    total = covered + len(lacking)
    return (100 * covered / total if total else 0.0), tuple(lacking)


def _rows(parts: Iterable[dict[str, dict[str, int]]]) -> set[int]:
    return {row for part in parts for row in range(part["start"]["row"], part["end"]["row"] + 1)}
