"""The rules explained: every reference exists, every clause has a source, and the document is up to date."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ml_compliance import rulebook
from ml_compliance.cli import main
from ml_compliance.law import catalog

DOCUMENT = Path(__file__).parent.parent / "docs" / rulebook.DOCUMENT


def explain(*words: str) -> Result:
    return CliRunner().invoke(main, ["policy", "explain", *words])


def test_every_reference_of_a_rule_is_a_clause_of_a_pack() -> None:
    known = catalog()
    referred = {item for kind in known["types"].values() for item in kind["regulations"]}
    assert referred
    assert referred <= rulebook.clauses().keys()
    assert all(kind["regulations"] for kind in known["types"].values())


@pytest.mark.parametrize("name", rulebook.packs())
def test_a_pack_has_a_source_dates_and_short_descriptions(name: str) -> None:
    pack = rulebook.packs()[name]
    assert pack["source"].startswith("https://")
    # Of some only the month is known.
    assert all(date.fromisoformat(f"{item['from']}-01"[:10]) and item["what"] for item in pack["applies"])
    assert all(item["source"].startswith("https://") for item in pack["applies"])
    assert date.fromisoformat(pack["read"])
    assert all(clause["title"] and 0 < len(clause["description"]) < 200 for clause in pack["clauses"])


def test_clause_ids_are_used_once() -> None:
    assert len(rulebook.clauses()) == sum(len(pack["clauses"]) for pack in rulebook.packs().values())


def test_the_committed_document_is_what_would_be_generated() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == rulebook.document()
    for rule in catalog()["rules"]:
        assert f"| `{rule}` |" in rulebook.document()


@pytest.mark.parametrize("name", [*catalog()["rules"], *catalog()["types"]])
def test_everything_in_the_catalogue_is_explained(name: str) -> None:
    found = rulebook.explain(name)
    assert found["title"] in rulebook.text(found)
    assert found["reads"] if "rules" not in found else found["rules"]


def test_explain_in_text_and_json() -> None:
    shown = explain("adverse_impact.below_reference")
    assert shown.exit_code == 0
    for part in ("severity: high", "29 CFR 1607.4(D): Four-fifths rule", "  threshold: ", "not compliance"):
        assert part in shown.output
    found = json.loads(explain("adverse_impact.below_reference", "--json").output)
    assert found["references"][0]["id"] == "29 CFR 1607.4(D)"


def test_a_misspelt_rule_gets_the_nearest_name() -> None:
    result = explain("adverse_impact.below_referense")
    assert result.exit_code == 2
    assert "did you mean 'adverse_impact.below_reference'?" in result.output
