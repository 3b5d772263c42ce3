"""The page `explainability.html`: a pure function of the evidence, without scripts, fonts or anything from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_compliance.model import Json, Measurement

SHOWN = 100
"""Features drawn and listed; with more of them the page says how many were left out."""


def page(project: str, model: str, measurements: Sequence[Measurement], facts: Mapping[str, Json]) -> str:
    """The HTML text, the same for the same arguments."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.filters["number"] = _number
    template = environment.from_string(Path(__file__).with_name("_explainability.html.j2").read_text(encoding="utf-8"))
    ranked = sorted(measurements, key=lambda item: (-(item.value or 0.0), item.slice["feature"]))
    return template.render(
        project=project,
        model=model,
        facts=facts,
        bars=_bars(ranked[:SHOWN]),
        left_out=len(ranked) - len(ranked[:SHOWN]),
        features=len(ranked),
        rows=max((item.n or 0 for item in ranked), default=0),
        examples=[_example(example) for example in _list(facts["local"])],
    )


def _bars(ranked: Sequence[Measurement]) -> list[dict[str, Any]]:
    """One bar per feature, in percent of the longest interval."""
    longest = max((item.interval.high if item.interval else item.value or 0.0 for item in ranked), default=0.0) or 1.0
    return [
        {
            "feature": item.slice["feature"],
            "value": item.value,
            "interval": item.interval,
            "width": round(100 * (item.value or 0.0) / longest, 2),
            "low": round(100 * item.interval.low / longest, 2) if item.interval else None,
            "high": round(100 * item.interval.high / longest, 2) if item.interval else None,
        }
        for item in ranked
    ]


def _example(example: Mapping[str, Any]) -> dict[str, Any]:
    contributions = _list(example["contributions"])
    longest = max((abs(item["shap"]) for item in contributions), default=0.0) or 1.0
    shown = []
    for item in contributions:
        half = round(50 * abs(item["shap"]) / longest, 2)
        shown.append({**item, "width": half, "left": 50 if item["shap"] >= 0 else round(50 - half, 2)})
    rest = example["output"] - example["base"] - sum(item["shap"] for item in contributions)
    return {**example, "contributions": shown, "rest": rest}


def _list(value: Any) -> list[Any]:
    return list(value or ())


def _number(value: Any) -> str:
    """Three significant digits for reading; the evidence has them all."""
    if value is None:
        return "missing"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return str(value) if isinstance(value, int) else f"{value:.3g}"
