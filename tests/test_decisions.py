"""decision.json: written, validated and read back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ml_compliance.decisions import _NAMES, DECISION_SCHEMA, decision_document, read_decision
from ml_compliance.documents import canonical
from ml_compliance.errors import UsageError
from ml_compliance.model import Decision, Finding, Location
from tests.publish import reports

NUMBER = st.floats(allow_nan=False, allow_infinity=False)
FINDINGS = st.builds(
    Finding,
    rule=st.text(min_size=1),
    policy=st.text(),
    severity=st.sampled_from(["critical", "high", "medium", "low"]),
    title=st.text(),
    message=st.text(),
    slice=st.dictionaries(st.text(), st.text(), max_size=3),
    across=st.lists(st.text(), max_size=3).map(tuple),
    value=st.none() | NUMBER,
    interval=st.none() | st.tuples(NUMBER, NUMBER),
    n=st.none() | st.integers(0, 10**12),
    limit=st.none() | NUMBER,
    references=st.lists(st.text(), max_size=3).map(tuple),
    location=st.none() | st.builds(Location, st.text(), st.integers(1, 10**6)),
)
LISTS = st.lists(FINDINGS, max_size=3).map(tuple)
DECISIONS = st.builds(
    Decision,
    verdict=st.sampled_from(["denied", "not_evaluated"]),
    violations=LISTS,
    warnings=LISTS,
    waived=LISTS,
    insufficient=LISTS,
    errors=st.lists(st.text(), max_size=3).map(tuple),
    **{**dict.fromkeys(_NAMES, st.text()), "id": st.from_regex("[0-9a-f]{64}", fullmatch=True)},
)


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(DECISION_SCHEMA)


@given(DECISIONS)
def test_round_trip(decision: Decision) -> None:
    text = canonical(decision_document(decision))
    assert read_decision(json.loads(text)) == decision


def test_an_allowed_decision_round_trips() -> None:
    decision = reports.decision(verdict="allowed", violations=())
    assert read_decision(decision_document(decision)) == decision


@pytest.mark.parametrize("key", decision_document(reports.decision()))
def test_every_field_is_required(key: str) -> None:
    document = decision_document(reports.decision())
    del document[key]
    with pytest.raises(UsageError, match="not a decision that ml-compliance wrote"):
        read_decision(document)


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "allowed"},
        {"verdict": "allowed", "allow": True},
        {"allow": True},
        {"allow": "true"},
        {"verdict": "perhaps"},
        {"schema": "ml-compliance/decision/v2"},
        {"extra": 1},
        {"violations": None},
        {"errors": [1]},
    ],
)
def test_a_decision_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        read_decision({**decision_document(reports.decision()), **change}, where="out/decision.json")
    assert caught.value.where == "out/decision.json"
    assert "ml-compliance decide" in caught.value.remedy


@pytest.mark.parametrize("document", [None, [], "allowed", 1, {}])
def test_what_is_no_decision_is_refused(document: object) -> None:
    with pytest.raises(UsageError):
        read_decision(document)
