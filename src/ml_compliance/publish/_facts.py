"""Facts of the shipped measurement modules as rows of text: data validation, explanation, lineage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ml_compliance.model import Evidence, Json
from ml_compliance.publish._numbers import NONE, number
from ml_compliance.publish._view import mapping, mappings

_NO_CONDITION = ("id", "type", "description")


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite, as text."""

    suite: str
    what: str
    column: str
    arguments: str
    success: bool
    unexpected: str
    examples: str


def expectations(evidence: Evidence) -> tuple[Expectation, ...]:
    """Every expectation that was evaluated, failed ones first."""
    found = [
        _expectation(_text(suite.get("name")), item)
        for suite in mappings(evidence.facts.get("suites"))
        for item in mappings(suite.get("expectations"))
    ]
    return tuple(sorted(found, key=lambda item: item.success))


def _expectation(suite: str, item: Mapping[str, Json]) -> Expectation:
    count, of, percent = item.get("unexpected_count"), item.get("element_count"), item.get("unexpected_percent")
    unexpected = f"{_text(count)} of {_text(of)}" if count is not None and of is not None else _text(count)
    if isinstance(percent, int | float) and unexpected:
        unexpected += f" ({number(percent)} %)"
    return Expectation(
        suite=suite,
        what=_text(item.get("type")).removeprefix("expect_").replace("_", " "),
        column=_text(item.get("column")),
        arguments=", ".join(f"{key} {text}" for key, text in pairs(item.get("kwargs")) if key != "column"),
        success=item.get("success") is True,
        unexpected=unexpected,
        examples=", ".join(_texts(item.get("examples"))),
    )


def drift(evidence: Evidence) -> tuple[tuple[str, str, str], ...]:
    """Kind, column and detail of each difference from the reference table."""
    return tuple(
        (_text(item.get("kind")).replace("_", " "), _text(item.get("column")), _text(item.get("detail")))
        for item in mappings(evidence.facts.get("schema_drift"))
    )


def artifacts(evidence: Evidence) -> tuple[tuple[str, str, str], ...]:
    """Name, value and source of each recorded artifact."""
    found = mapping(evidence.facts.get("artifacts"))
    return tuple(
        (name, _text(mapping(item).get("value")) or NONE, _text(mapping(item).get("source")))
        for name, item in sorted(found.items())
    )


def model(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """What is known of the model and of the code, as labels and texts."""
    described, git, card = (mapping(evidence.facts.get(name)) for name in ("model", "git", "data_card"))
    rows = [
        ("model", " ".join(part for part in (_text(described.get("name")), _text(described.get("version"))) if part)),
        ("uri", _text(described.get("uri"))),
        ("registered", _text(described.get("registered"))),
        ("aliases", ", ".join(_texts(described.get("aliases")))),
        ("run", _text(described.get("run_id"))),
        ("data card", " ".join(part for part in (_text(card.get("path")), _text(card.get("sha256"))) if part)),
        ("git commit", _text(git.get("commit"))),
        ("uncommitted changes", _text(git.get("dirty"))),
    ]
    return tuple((label, text) for label, text in rows if text)


def pairs(value: Json) -> tuple[tuple[str, str], ...]:
    """The entries of an object as text, sorted."""
    return tuple((key, _text(item)) for key, item in sorted(mapping(value).items()))


def recorded(evidence: Evidence, what: str) -> tuple[tuple[str, str], ...]:
    """The model's `params` or `tags`."""
    return pairs(mapping(evidence.facts.get("model")).get(what))


def features(evidence: Evidence) -> tuple[str, ...]:
    """`name (type)` of each feature that the model was trained on."""
    found = mappings(evidence.facts.get("training_features"))
    return tuple(f"{_text(item.get('name'))} ({_text(item.get('type')) or 'type unknown'})" for item in found)


def explainer(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """How the explanation was made, as labels and texts."""
    facts = evidence.facts
    report = mapping(facts.get("report"))
    rows = [(name, _text(facts.get(name))) for name in ("technique", "explainer", "output", "seed")]
    rows += [("report", _text(report.get("path"))), ("sha256", _text(report.get("sha256")))]
    return tuple((label, text) for label, text in rows if text)


def conditions(item: Mapping[str, Json]) -> str:
    """What an item of the law asks for, in one line."""
    asked = ((key.replace("_", " "), _text(value)) for key, value in item.items() if key not in _NO_CONDITION)
    return "; ".join(f"{key}: {text}" for key, text in asked)


def _texts(value: Json) -> Iterable[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return ()
    return (_text(item) for item in value)


def _text(value: Json) -> str:
    """Text as it is, yes and no, numbers, lists with commas; anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value) if isinstance(value, float) else str(value)
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return ", ".join(" × ".join(_texts(item)) if isinstance(item, list | tuple) else _text(item) for item in value)
