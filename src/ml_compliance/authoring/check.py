"""`policy check`: is a policy written strictly, does it run in this process, and does it fail closed?"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_compliance.authoring.changes import GONE
from ml_compliance.authoring.judges import Embedded, Judge, Program
from ml_compliance.authoring.reads import reads_of
from ml_compliance.authoring.shipped import alone, part_about, violates, with_library
from ml_compliance.authoring.sweep import NOT_ASKED, Closed, Opened, Scope, Swept, resting, sweep, whole
from ml_compliance.decide import _opa
from ml_compliance.decide._policy import rego_files
from ml_compliance.errors import EvaluationError, UsageError

Step = Callable[[str], object]
# The shipped policy takes 30 times as long as one of a page.
_ELSEWHERE = (GONE, None)


@dataclass(frozen=True)
class Checked:
    """What was found out: of which policies, by how many tries, what opened, and what only the `opa` program can run.

    Of the shipped policy, `policies` are the items of the law, each judged alone; of any other, its files.
    """

    policies: tuple[str, ...]
    tried: int
    opened: tuple[Opened, ...]
    not_embedded: tuple[str, ...]


def check(
    rego: Path | None, submissions: Sequence[Mapping[str, Any]], law: Mapping[str, Any], step: Step = lambda _: None
) -> Checked:
    """Check the policy in `rego`, a file or folder (None: the shipped one), on `submissions`, by `law`.

    `step` is told the name of each policy before it is tried. Raises UsageError when `opa check --strict` refuses the
    policy, and EvaluationError when nothing can be concluded: no submission is allowed, or no value makes it denied.
    """
    from ml_compliance.authoring.embeddable import not_embedded

    files = with_library(rego_files(rego))
    strict(files)
    lacking = not_embedded(files)
    contents = [submission["input"] for submission in submissions]
    if rego is None:
        names, swept = _items(law, contents, step)
    else:
        root = rego if rego.is_dir() else rego.parent
        names = [path.relative_to(root).as_posix() for path in rego_files(rego)]
        step(str(rego))
        reads = reads_of(files, root)
        scope = Scope(reads.touches, reads.constants, lambda path: str(reads.rule_at(path) or NOT_ASKED))
        swept = _swept(Program(files, law), contents, scope)
    opened = {each for part in swept for each in part.opened}
    return Checked(tuple(names), sum(part.tried for part in swept), tuple(sorted(opened)), lacking)


def strict(files: Sequence[Path]) -> None:
    """Hold the files to `opa check --strict`, with the schema of a submission for what they read under `input`.

    Raises UsageError with what `opa` says.
    """
    from ml_compliance.submit import SUBMISSION_SCHEMA

    with tempfile.TemporaryDirectory(prefix="ml-compliance-") as folder:
        schema = Path(folder) / "input.json"
        schema.write_text(json.dumps(SUBMISSION_SCHEMA["properties"]["input"]), encoding="utf-8")
        done = _opa.called("check", "--strict", "--schema", str(schema), *map(str, files))
    if done.returncode != 0:
        raise UsageError(f"the policy is not strict: {_opa.said(done)}",
                         remedy=_opa.remedy(done)
                         or "`ml-compliance schema submission` prints what there is under `input`")  # fmt: skip


def _items(law: Mapping[str, Any], contents: Iterable[Any], step: Step) -> tuple[list[str], list[Swept]]:
    """Each item of the law alone, so that no other violation hides that a lack of evidence satisfied it."""
    swept, names = list[Swept](), [str(item["id"]) for item in law["policies"]]
    for content in contents:
        for name, item, own in zip(names, law["policies"], alone(law), strict=True):
            step(name)
            # What denies whatever the item is, such as another schema, is tried with the first.
            scope = Scope(meant=violates({name, ""} if name == names[0] else {name}), elsewhere=_ELSEWHERE)
            swept += _swept(Embedded(own), [part_about(item, content)], scope)
    return names, swept


def _swept(judge: Judge, contents: Iterable[Any], scope: Scope) -> list[Swept]:
    swept, denials = list[Swept](), list[Closed]()
    for content in contents:
        before = judge(content, [()])[0]
        if before.allowed:
            swept.append(whole(content, judge))
            denials += resting(content, judge, scope)
        else:
            denials.append(Closed(content, (), before))
    if not denials:
        raise EvaluationError("nothing makes the policy deny: no value that it reads, changed alone, does so",
                              remedy="name a submission that it denies with --submission")  # fmt: skip
    if not swept and all(not each.outcome.reasons for each in denials):
        raise EvaluationError("the policy allows none of the submissions, and does not say why, so that it cannot be "
                              "seen which lack would satisfy it",
                              remedy="name one that it allows with --submission")  # fmt: skip
    return swept + [sweep(each, judge, scope) for each in denials]
