"""Server, program and embedded policy give the same answer to generated submissions, most of them broken.

How many is set by the environment variable AGREEMENT; 10,000 take some minutes. The program would need 10,000 starts:
here one `opa eval --strict-builtin-errors` judges a batch, each `with input as` the submission.
"""

from __future__ import annotations

import copy
import json
import os
import random
from typing import Any

import pytest
import requests

from ml_compliance.authoring.changes import Edit, at, changed, lacks, others, paths
from ml_compliance.authoring.judges import Edits, Embedded, Program
from ml_compliance.decide._check import SETS, normal
from ml_compliance.decide._policy import rego_files
from ml_compliance.documents import canonical
from tests.decide.opa_server import Running
from tests.policies import cases, tasks

COUNT = int(os.environ.get("AGREEMENT", "240"))
_MOST_EDITS = 4
_STATUSES = ("error", "measured", "missing")


def _grounds() -> list[tuple[Any, Any]]:
    """Submissions and laws: all items that allow, all that deny, some alone, and one law that cannot be applied."""
    found = [(cases.ALLOWED, cases.LAW), (cases.ALLOWED, cases.STRICT), (cases.ALLOWED, cases.article())]
    found += [(cases.ALLOWED, cases.law(item)) for item in cases.POLICIES[:6]]
    found += [
        (document, cases.law(*(item for item, _ in tasks.LAWS[task]))) for task, document in tasks.judged().items()
    ]
    return [*found, (cases.ALLOWED, cases.law({"id": "x", "type": "fairness", "threshold": None}, minimum=7))]


def _edits(document: Any, chance: random.Random) -> Edits:
    """Up to four edits, one after the other: something gone, of another kind, of another value, or there twice."""
    edits = list[Edit]()
    if chance.random() < 0.01:  # the whole of it is another document
        return (((), chance.choice([None, [], "text", {}, 7, {"evidence": document.get("evidence")}])),)
    if chance.random() < 0.05:  # what a failed measurement leaves
        return ((("evidence", chance.choice(list(document["evidence"])), "status"), "error"),)
    for _ in range(chance.randint(0, _MOST_EDITS)):
        path = chance.choice([*paths(document)])
        value = at(document, path)
        if isinstance(value, list) and value and chance.random() < 0.5:
            other: Any = [*value, chance.choice(value)]
        else:
            other = chance.choice([*lacks(value), *others(value, _STATUSES)])
        edits.append((path, other))
        document = changed(document, edits[-1:])
    return tuple(edits)


def _asked(server: Running, session: requests.Session, law: Any, contents: list[Any]) -> list[Any]:
    server.put_law(law)
    url, head = f"{server.url}/v1/data/mlpolicy/deploy", {"Content-Type": "application/json"}
    found = []
    for content in contents:
        answer = session.post(url, json.dumps({"input": content}), headers=head, timeout=60)
        answer.raise_for_status()
        found.append(answer.json().get("result"))
    return found


def _text(answer: Any) -> str:
    found = normal(copy.deepcopy(answer))
    for name in SETS:
        found[name].sort(key=canonical)
    return canonical(found)


def test_generated_submissions_are_judged_alike(opa: str, server: Running, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(20261123)  # noqa: S311  repeatable, and no secret
    grounds = _grounds()
    verdicts: dict[str, int] = {}
    with requests.Session() as session:
        for index, (document, law) in enumerate(grounds):
            base = document["input"]
            count = COUNT // len(grounds) + (index < COUNT % len(grounds))
            tries = [_edits(base, chance) for _ in range(count)]
            contents = [changed(base, edits) for edits in tries]
            judge = Embedded(law)
            embedded = [judge.answer(content) for content in contents]
            program = Program(rego_files(), law, strict=True).answers(None, [(((), content),) for content in contents])
            asked = _asked(server, session, law, contents)
            for edits, *answers in zip(tries, embedded, program, asked, strict=True):
                assert len({_text(answer) for answer in answers}) == 1, (index, edits)
                verdict = str(answers[0]["verdict"])
                verdicts[verdict] = verdicts.get(verdict, 0) + 1
    with capsys.disabled():
        print(f"\n{COUNT} generated submissions judged alike by three engines: {verdicts}")  # noqa: T201
    assert sum(verdicts.values()) == COUNT
    assert min(verdicts.get(verdict, 0) for verdict in ("allowed", "denied", "not_evaluated")) > 0
