"""`policy check`: it finds what opens a closed gate, leaves alone what does not, and says when it cannot tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ml_compliance.authoring import example
from ml_compliance.authoring.changes import GONE, at, changed, lacks, patch, paths
from ml_compliance.authoring.check import check
from ml_compliance.cli import main
from ml_compliance.decide import Request, decide
from ml_compliance.documents import canonical
from ml_compliance.errors import DENIED, NOT_EVALUATED, USAGE, EvaluationError, UsageError
from ml_compliance.law import catalog

ARTICLE = Path(__file__).parent.parent / "policies" / "article"
HEAD = "package mlpolicy.deploy\ndefault allow := false\n"
METRICS = "input.model.validation_report.metrics"
DIFFERENCE = f"{METRICS}.demographic_parity_difference"


def _own(folder: Path, text: str) -> Path:
    path = folder / "own.rego"
    path.write_text(text, encoding="utf-8")
    return path


def _opened(rego: Path, *submissions: Any) -> dict[str, set[str]]:
    """Path → what opened there."""
    found: dict[str, set[str]] = {}
    for each in check(rego, submissions or [example.submission()], example.law()).opened:
        found.setdefault(each.path, set()).add(each.change)
    return found


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["policy", "check", *arguments])


def test_the_article_as_printed_is_caught(opa: str) -> None:
    """A feature list that is null, empty or text, a metric that is null, and a registration that is text."""
    opened = _opened(ARTICLE)
    assert opened["input.model.training_features"] >= {"null", "[]", '"NaN"', '""'}
    assert opened["input.model.training_features[0]"] >= {"deleted", "{}"}
    assert opened["input.model.training_features[0].name"] >= {"deleted", "null"}
    assert opened[DIFFERENCE] == opened[f"{METRICS}.equalized_odds_difference"] == {"null", "true"}
    assert opened["input.model.artifact_registered"] >= {"null", '""', '"NaN"'}
    assert opened.keys() == {
        DIFFERENCE, f"{METRICS}.equalized_odds_difference", "input.model.artifact_registered",
        "input.model.data_card_generated", "input.model.training_features", "input.model.training_features[0]",
        "input.model.training_features[0].name",
    }  # fmt: skip


def test_the_article_is_caught_on_the_command_line(opa: str) -> None:
    done = _run(str(ARTICLE), "--json")
    assert done.exit_code == DENIED
    found = json.loads(done.stdout)
    assert found["policies"] == ["ml_policy.rego"]
    assert found["tried"] > 500
    assert {
        "rule": "mlpolicy.deploy.allow (ml_policy.rego:7)", "path": DIFFERENCE, "change": "null",
        "when": f"{DIFFERENCE} is 0.100000001",
    } in found["opened"]  # fmt: skip
    told = _run(str(ARTICLE))
    assert told.exit_code == DENIED
    assert f"{DIFFERENCE}: null, true" in told.stdout


CLOSED = """
allow if {
    input.model.artifact_registered == true
    is_number(input.model.validation_report.metrics.demographic_parity_difference)
    input.model.validation_report.metrics.demographic_parity_difference < 0.1
    features := input.model.training_features
    features == input.evidence.lineage.facts.training_features
    is_array(features)
    count(features) > 0
    every feature in features {
        is_string(feature.name)
        not feature.name in {"ssn"}
    }
}
"""


def test_a_policy_that_fails_closed_passes(opa: str, tmp_path: Path) -> None:
    done = _run(str(_own(tmp_path, HEAD + CLOSED)))
    assert done.exit_code == 0, done.output
    assert "none turns deny into allow" in done.stdout


@pytest.mark.parametrize(
    ("body", "path", "change"),
    [
        # No presence and no type.
        (f"{DIFFERENCE} < 0.1", DIFFERENCE, "null"),
        (f"{METRICS}.accuracy > 0.9", f"{METRICS}.accuracy", '"NaN"'),
        # A measurement that was taken out is not missed.
        ("every m in input.evidence.performance.measurements { m.value > 0.1 }",
         "input.evidence.performance.measurements[0]", "deleted"),
        # Another place than the value: what makes the rule look at it.
        ('every m in [m | some m in input.evidence.drift.measurements; m.status == "measured"] { m.value < 0.2 }',
         "input.evidence.drift.measurements[0].status", "null"),
        # Negation of what is not there, by way of a local name and of an import.
        ('count([f | some f in m.training_features; f.name == "ssn"]) == 0', "input.model.training_features", "null"),
        ("not failed", "input.model.data_card_generated", "deleted"),
    ],
)  # fmt: skip
def test_what_opens_is_found(body: str, path: str, change: str, opa: str, tmp_path: Path) -> None:
    text = HEAD.replace("\n", "\nimport input.model as m\n", 1)
    if "m.training" not in body:
        text = HEAD
    text += f"allow if {{ {body} }}\n"
    if "failed" in body:
        text += "failed if input.model.data_card_generated == false\n"
    assert change in _opened(_own(tmp_path, text))[path]


def test_a_measurement_that_is_counted_is_missed(opa: str, tmp_path: Path) -> None:
    body = """
    performance := input.evidence.performance
    count(performance.measurements) == performance.coverage.measurements
    performance.coverage.measurements > 0
    is_array(performance.measurements)
    every m in performance.measurements {
        is_number(m.value)
        m.value > 0.1
    }"""
    assert _opened(_own(tmp_path, HEAD + f"allow if {{{body}\n}}\n")) == {}


def test_a_policy_that_always_allows_opens_at_once(opa: str, tmp_path: Path) -> None:
    text = "package mlpolicy.deploy\nallow if not denied\ndenied if input.model.artifact_registered == false\n"
    assert _opened(_own(tmp_path, text))["input"] >= {"null", "{}"}


def test_a_denied_submission_stays_denied(opa: str, tmp_path: Path) -> None:
    denied = example.submission()
    denied["input"]["model"]["artifact_registered"] = False
    own = _own(tmp_path, HEAD + 'violation contains "no" if input.model.artifact_registered == false\n'
               "allow if count(violation) == 0\n")  # fmt: skip
    assert _opened(own, denied)["input.model.artifact_registered"] >= {"deleted", "null"}
    found = check(own, [denied], example.law()).opened
    assert {(each.rule, each.when) for each in found} == {("no", "")}


def test_functions_that_the_embedded_engine_lacks_are_named(opa: str, tmp_path: Path) -> None:
    text = CLOSED.replace("== true", '== true\n    sprintf("%v", [input.model.name]) != time.format(0)')
    found = check(_own(tmp_path, HEAD + text), [example.submission()], example.law())
    assert found.not_embedded == ("sprintf", "time.format")
    assert found.opened == ()
    assert check(_own(tmp_path, HEAD + CLOSED), [example.submission()], example.law()).not_embedded == ()


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (HEAD + "allow if input.model.artifact_registred", "artifact_registred"),
        (HEAD + "allow if { x := 1 }", "x"),
        (HEAD + "allow if if", "unexpected"),
    ],
)
def test_a_policy_that_is_not_strict_is_refused(text: str, cause: str, opa: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"own\.rego:3: .*{cause}"):
        check(_own(tmp_path, text), [example.submission()], example.law())


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("allow if input.model.artifact_registered == false", "allows none"),
        ("allow if input.model.name", "nothing makes"),
    ],
)
def test_where_nothing_can_be_concluded_it_is_said(text: str, cause: str, opa: str, tmp_path: Path) -> None:
    own = _own(tmp_path, HEAD + text)
    with pytest.raises(EvaluationError, match=cause):
        check(own, [example.submission()], example.law())
    assert _run(str(own)).exit_code == NOT_EVALUATED


def test_one_submission_that_breaks_the_evaluation_off_hides_no_other(opa: str, tmp_path: Path) -> None:
    """Two values for one rule are an error in OPA, which takes all that is evaluated with it."""
    text = "word := input.model.name if true\nword := input.model.version if not is_string(input.model.name)\n"
    opened = _opened(_own(tmp_path, HEAD + text + f"allow if {{ word; {DIFFERENCE} < 0.1 }}\n"))
    assert opened[DIFFERENCE] == {"null", "true"}


def test_the_library_may_be_imported(opa: str, tmp_path: Path) -> None:
    text = HEAD.replace("\n", "\nimport data.mlpolicy.lib.evidence\n", 1)
    body = f"is_number({DIFFERENCE}); {DIFFERENCE} < 0.1; evidence.is_features(input.model.training_features)"
    assert _opened(_own(tmp_path, f"{text}allow if {{ {body} }}\n")) == {}


def test_the_shipped_policy_on_the_command_line(opa: str, tmp_path: Path) -> None:
    law = tmp_path / "law.yaml"
    law.write_text("project: p\npolicies:\n  - {id: kept, type: registry}\n")
    done = _run("--law", str(law), "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["policies"], found["opened"], found["not_embedded"]) == (["kept"], [], [])
    assert found["tried"] > 1000


def test_what_cannot_be_read_is_named(opa: str, tmp_path: Path) -> None:
    for arguments, cause in [
        ([str(tmp_path / "none")], "there is no .rego file"),
        (["--submission", str(tmp_path / "none.json")], "no such file"),
        (["--law", str(tmp_path / "none.yaml")], "none.yaml"),
    ]:
        done = _run(*arguments)
        assert done.exit_code == USAGE
        assert cause in done.output
    for content, cause in (("[]", "this is not a JSON object"), ("{}", "no `input`")):
        (tmp_path / "other.json").write_text(content)
        assert cause in _run("--submission", str(tmp_path / "other.json")).output


def test_without_opa_nothing_is_concluded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = _run(str(ARTICLE))
    assert done.exit_code == NOT_EVALUATED
    assert "not on PATH" in done.output


def test_the_example_is_one() -> None:
    decision = decide(Request(example.submission(), example.law()), "embedded")
    assert (decision.verdict, decision.warnings) == ("allowed", ())
    from ml_compliance.submit import read_submission

    assert len(read_submission(example.submission(), "example")) > 5
    assert {item["type"] for item in example.law()["policies"]} <= catalog()["types"].keys()


def test_a_lack_is_another_kind_or_nothing() -> None:
    assert GONE in lacks("text")
    assert [wrong for wrong in lacks("text") if wrong is not GONE] == [None, "", [], {}, True, [7]]
    assert [wrong for wrong in lacks(False) if wrong is not GONE] == [None, "", [], {}, "NaN", [7]]
    assert [wrong for wrong in lacks([1]) if wrong is not GONE] == [None, "", [], {}, "NaN", True]


def test_a_change_leaves_the_document_as_it_was() -> None:
    document = example.submission()
    before = canonical(document)
    for path in paths(document):
        for wrong in (GONE, -7):
            other = changed(document, [(path, wrong)])
            assert other != document
            if wrong is not GONE:
                assert at(other, path) == -7
    assert canonical(document) == before


def test_a_patch_escapes_what_stands_in_a_name() -> None:
    assert patch([(("a/b", "c~d", 0), GONE)]) == [{"op": "remove", "path": "/a~1b/c~0d/0"}]
