"""What the policy is tried on where several classes or numbers are predicted, or the law decides on the bound."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ml_compliance.context import Context
from ml_compliance.documents import canonical
from ml_compliance.facts import Data, Facts, NoSettings, Task
from ml_compliance.measure import fairness, performance
from ml_compliance.submit import submission
from tests.policies.cases import ALLOWED, Document, law

JUDGED = {
    "multiclass": ("accuracy", "recall", "selection_rate", "demographic_parity_difference"),
    "regression": ("mae", "r2", "mean_residual", "mean_residual_difference", "group_loss_ratio"),
}
"""The measurements that the laws below rest on; others would only make the tests longer."""


@cache
def submitted(task: Task) -> Document:
    """A real submission: 300 rows, two groups of `race` that are compared and one that is too small."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "t.csv").write_text(_rows(task), encoding="utf-8")
        data = Data(evaluation="t.csv", label="y", prediction="p", task=task, sensitive=("race",))
        context = Context(Facts("p", data), None, path, path)
        try:
            found = [module.measure(context, NoSettings()) for module in (fairness, performance)]
        finally:
            context.close()
    kept = [
        replace(each, measurements=tuple(m for m in each.measurements if m.name.split("/")[1] in JUDGED[task]))
        for each in found
    ]
    document = submission("loan", "holdout", kept, "2026-11-23T00:00:00Z")
    read: Document = json.loads(canonical(document))
    return read


def _rows(task: Task) -> str:
    random = np.random.default_rng(4)
    race = ["c"] * 10 + ["a", "b"] * 145
    if task == "multiclass":
        y = random.choice(["red", "blue", "green"], 300)
        p = np.where(random.random(300) < 0.8, y, random.choice(["red", "blue", "green"], 300))
    else:
        y = random.normal(0, 5, 300).round(3)
        p = (y + random.normal(0, 1, 300) + 0.5 * (np.array(race) == "a")).round(3)
    lines = ["y,p,race", *(",".join(map(str, row)) for row in zip(y, p, race, strict=True))]
    return "\n".join(lines) + "\n"


_FAIRNESS: Mapping[str, Any] = {"type": "fairness", "sensitive_attributes": ["race"]}
_PERFORMANCE: Mapping[str, Any] = {"type": "performance", "slices": ["race"]}
PARITY = "demographic_parity_difference"

Laws = tuple[tuple[Document, Document], ...]
"""Items that allow, each with what makes it deny."""
LAWS: dict[str, Laws] = {
    "multiclass": (
        ({**_PERFORMANCE, "id": "right", "metric": "accuracy", "minimum": 0.7}, {"minimum": 0.95}),
        ({**_PERFORMANCE, "id": "each", "metric": "recall", "minimum": 0.6}, {"minimum": 0.9}),
        ({**_PERFORMANCE, "id": "red", "metric": "recall", "minimum": 0.5, "class": "red", "decide_on": "bound"},
         {"minimum": 0.78}),
        ({**_FAIRNESS, "id": "fair", "metric": PARITY, "threshold": 0.2}, {"threshold": 0.01}),
        ({**_FAIRNESS, "id": "blue", "metric": PARITY, "threshold": 0.3, "class": "blue", "decide_on": "bound"},
         {"threshold": 0.12}),
    ),
    "regression": (
        ({**_PERFORMANCE, "id": "loss", "metric": "mae", "maximum": 1.2, "decide_on": "bound"}, {"maximum": 0.9}),
        ({**_PERFORMANCE, "id": "fit", "metric": "r2", "minimum": 0.9}, {"minimum": 0.99}),
        ({**_PERFORMANCE, "id": "bias", "metric": "mean_residual", "maximum": 0.7, "minimum": -0.7}, {"minimum": -0.2}),
        ({**_FAIRNESS, "id": "shift", "metric": "mean_residual_difference", "threshold": 0.9}, {"threshold": 0.2}),
        ({**_FAIRNESS, "id": "ratio", "metric": "group_loss_ratio", "threshold": 1.5, "decide_on": "bound"},
         {"threshold": 1.05}),
    ),
    "binary": (
        ({**_FAIRNESS, "id": "fair", "metric": PARITY, "threshold": 0.35, "decide_on": "bound"}, {"threshold": 0.25}),
        ({**_FAIRNESS, "id": "ratio", "metric": "demographic_parity_ratio", "threshold": 0.6, "decide_on": "bound"},
         {"threshold": 0.7}),
        ({"type": "performance", "id": "right", "metric": "accuracy", "minimum": 0.85, "decide_on": "bound"},
         {"minimum": 0.89}),
    ),
}  # fmt: skip


def judged() -> dict[str, Document]:
    """Task → the submission that the laws are about."""
    return {"multiclass": submitted("multiclass"), "regression": submitted("regression"), "binary": ALLOWED}


def cases() -> dict[str, tuple[Document, Document]]:
    """Name → (submission, law): what the three engines have to agree on."""
    found = {}
    for task, document in judged().items():
        found[f"{task} allowed"] = (document, law(*(item for item, _ in LAWS[task])))
        found[f"{task} denied"] = (document, law(*({**item, **stricter} for item, stricter in LAWS[task])))
    return found
