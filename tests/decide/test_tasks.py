"""Several classes, numbers and bounds: engines agree, and no deleted or corrupted field turns deny into allow."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from ml_compliance.authoring.check import check
from ml_compliance.decide import Request, binary, decide, embedded
from ml_compliance.decide._check import SETS, normal
from ml_compliance.documents import canonical
from tests.policies import cases, tasks

CASES = tasks.cases()
ITEMS = [(task, item, stricter) for task, laws in tasks.LAWS.items() for item, stricter in laws]
EACH_ITEM = pytest.mark.parametrize(
    ("task", "item", "stricter"), ITEMS, ids=[f"{task} {item['id']}" for task, item, _ in ITEMS]
)
INSTANCE = cache(embedded.shipped)


@pytest.fixture(scope="module", autouse=True)
def free() -> Iterator[None]:
    yield
    INSTANCE.cache_clear()


def _verdict(submission: Any, law: Any) -> str:
    found = INSTANCE().evaluate(submission.get("input"), {"mlpolicy": {"law": law}})
    return str(found["verdict"])


@pytest.mark.parametrize("name", CASES)
def test_engines_agree_and_every_message_is_filled(name: str, opa: str) -> None:
    request = Request(*CASES[name])
    results = [normal(copy.deepcopy(engine.evaluate(request).result)) for engine in (embedded, binary)]
    for result in results:
        for key in SETS:
            result[key].sort(key=canonical)
    assert canonical(results[0]) == canonical(results[1])
    decision = decide(request, "embedded")
    assert decision.verdict == name.split()[1]
    for finding in (*decision.violations, *decision.insufficient):
        assert "{" not in finding.title + finding.message + finding.remedy
        assert "(none)" not in finding.title + finding.message + finding.remedy, finding


@pytest.mark.parametrize("task", tasks.LAWS)
def test_no_lack_turns_deny_into_allow(task: str, opa: str) -> None:
    document = tasks.judged()[task]
    for law in (cases.law(*(item for item, _ in tasks.LAWS[task])),
                cases.law(*({**item, **stricter} for item, stricter in tasks.LAWS[task]))):  # fmt: skip
        assert check(None, [document], law).opened == ()


@EACH_ITEM
def test_what_an_item_rests_on_cannot_be_missing(task: str, item: Any, stricter: Any) -> None:
    """The interval that is decided on, the classes, and the value itself."""
    document = tasks.judged()[task]
    law = cases.law(item)
    assert _verdict(document, law) == "allowed"
    module, about = item["type"], list[cases.Path]()
    if task == "multiclass" and "class" not in item and item["metric"] != "accuracy":
        about.append(("facts", "classes"))
    for place, measurement in enumerate(document["input"]["evidence"][module]["measurements"]):
        same = measurement["name"] == f"{module}/{item['metric']}" and measurement["n"] >= 30
        group = measurement.get("slice", {})
        if same and item.get("class") in (None, group.get("class")) and not ("race" in group and "slices" not in item):
            about.append(("measurements", place, "value"))
            about += [("measurements", place, "interval")] * (item.get("decide_on") == "bound")
    assert len(about) >= 1
    for path in about:
        for wrong in (cases.GONE, None, {}, "text"):
            assert _verdict(cases.changed(document, ("input", "evidence", module, *path), wrong), law) == "denied", (
                path,
                wrong,
            )
