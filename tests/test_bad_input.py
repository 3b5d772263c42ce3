"""For each kind of bad input: one message with the place and the remedy, the right exit code, no result left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ml_compliance.cli import main
from ml_compliance.files import RESULTS
from ml_compliance.law import read_law
from ml_compliance.model import Location
from tests import project as example
from tests.project import FACTS, LAW, Project

Change = Callable[[Project], Any]


def table(change: Callable[[list[dict[str, Any]]], Any]) -> Change:
    """Change the rows of the predictions."""

    def apply(project: Project) -> None:
        rows = example.rows()
        change(rows)
        project.write("predictions.csv", example.csv(rows))

    return apply


def each(**values: Any) -> Change:
    """Give every row the same values."""
    return table(lambda rows: [row.update(values) for row in rows])


def row(number: int, **values: Any) -> Change:
    """Change the row `number`, counted from 1."""
    return table(lambda rows: rows[number - 1].update(values))


def drop(column: str) -> Change:
    return table(lambda rows: [row.pop(column) for row in rows])


def text(name: str, content: str) -> Change:
    return lambda project: project.write(name, content)


def facts(old: str, new: str) -> Change:
    assert old in FACTS
    return text("compliance.yaml", FACTS.replace(old, new))


def law(old: str, new: str) -> Change:
    assert old in LAW
    return text("compliance_policy.yaml", LAW.replace(old, new))


USAGE: dict[str, tuple[Change, str]] = {
    "facts absent": (lambda p: (p.folder / "compliance.yaml").unlink(), "compliance.yaml: there is no such file"),
    "facts empty": (text("compliance.yaml", ""), "compliance.yaml:1: the file does not hold a mapping"),
    "YAML syntax": (facts("[race, sex]", "[race, sex"), "this is not YAML"),
    "duplicate key": (facts("project: loans\n", "project: loans\nproject: x\n"), "compliance.yaml:2: 'project' stands"),
    "wrong type": (facts("[race, sex]", "race"), "compliance.yaml:7: data.sensitive: 'race' is not of type array"),
    "unknown key": (
        facts("sensitive", "sensitve"),
        "compliance.yaml:7: unknown key 'sensitve' in data\n  → did you mean",
    ),
    "law absent": (lambda p: (p.folder / "compliance_policy.yaml").unlink(), "compliance_policy.yaml: there is no"),
    "law without policies": (text("compliance_policy.yaml", "project: x\n"), "'policies' is missing"),
    "law with no item": (text("compliance_policy.yaml", "project: x\npolicies: []\n"), "policies"),
    "law of unknown type": (
        law("type: fairness", "type: fairnes"),
        "compliance_policy.yaml:8: policies[1].type: 'fairnes'",
    ),
    "law with unknown key": (law("threshold", "treshold"), "did you mean 'threshold'?"),
    "law with a text threshold": (law("0.3", "low"), "compliance_policy.yaml:10: policies[1].threshold: 'low'"),
    "law with no number": (law("0.3", ".nan"), "compliance_policy.yaml:10: policies[1].threshold is nan"),
    "sensitive twice": (facts("[race, sex]", "[race, race]"), "compliance.yaml:7: data.sensitive"),
    "two items of one id": (law("id: parity", "id: accuracy"), "'accuracy' stands on line 3 already"),
    "table absent": (lambda p: (p.folder / "predictions.csv").unlink(), "predictions.csv: the table does not exist"),
    "table of unknown kind": (facts("predictions.csv", "predictions.xlsx"), "predictions.xlsx"),
    "label absent": (drop("approved"), "predictions.csv: there is no column 'approved'"),
    "prediction absent": (drop("predicted"), "predictions.csv: there is no column 'predicted'"),
    "score absent": (drop("score"), "predictions.csv: there is no column 'score'"),
    "sensitive absent": (drop("race"), "predictions.csv: there is no column 'race'"),
    "no prediction and no model": (facts("  prediction: predicted\n", ""), "neither a prediction column nor a model"),
    "law with a number beyond all": (
        law("0.3", "9" * 400),
        "compliance_policy.yaml:10: policies[1].threshold is beyond",
    ),
    "law with a number too long to read": (law("0.3", "9" * 5_000), "compliance_policy.yaml: this is not YAML"),
    "law that runs code": (law("0.3", "!!python/object/apply:os.system [touch]"), "policies[1].threshold: ['touch']"),
    "law without end": (
        text(
            "compliance_policy.yaml",
            "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)),
        ),
        "compliance_policy.yaml: the aliases in it make this file endless",
    ),
    "facts in facts": (
        lambda project: project.write("compliance.yaml", f"{FACTS}server: {'{url: ' * 150}x{'}' * 150}\n"),
        "compliance.yaml:9: this is nested more than 100 levels deep",
    ),
    "facts in facts without end": (
        lambda project: project.write("compliance.yaml", f"{FACTS}server: {'[' * 5_000}{']' * 5_000}\n"),
        "compliance.yaml:9: this is nested more than 100 levels deep",
    ),
    "one key in two types": (
        facts("project: loans\n", "project: loans\n1: x\n'1': y\n"),
        "compliance.yaml:3: '1' stands",
    ),
    "facts in another encoding": (
        lambda project: (project.folder / "compliance.yaml").write_text(f"{FACTS}# \xe9", "latin-1"),
        "compliance.yaml:9: the file is not UTF-8",
    ),
    "no time to answer": (
        lambda p: p.write("compliance.yaml", FACTS + "server: {url: 'http://localhost', timeout: 0}\n"),
        "compliance.yaml:9: server.timeout: 0 is less than",
    ),
    "less than no time": (
        lambda p: p.write("compliance.yaml", FACTS + "server: {url: 'http://localhost', timeout: -1}\n"),
        "compliance.yaml:9: server.timeout: -1 is less than",
    ),
    "rego that is not there": (
        lambda p: p.write("compliance.yaml", FACTS + "rego: nope\n"),
        "compliance.yaml:9: rego: there is no file or folder 'nope'",
    ),
    "positive and negative": (
        facts("label: approved", "label: {column: approved, positive: 1, negative: 0}"),
        "data.label says positive and negative",
    ),
}

NOT_EVALUATED: dict[str, tuple[Change, str]] = {
    "empty table": (text("predictions.csv", ""), "predictions.csv: the file is empty"),
    "zero rows": (text("predictions.csv", "id,approved,predicted,score,race,sex\n"), "a header but no rows"),
    "short row": (text("predictions.csv", example.csv(example.rows()) + "A1,1\n"), "predictions.csv:242: the table"),
    "long last row": (text("predictions.csv", example.csv(example.rows()) + "A1,1,1,1,a,b,c\n"), "predictions.csv:242"),
    "not text": (lambda project: _bytes(project, b"a,b\n\xff\xfe,1\n"), "predictions.csv:2:"),
    "mixed line endings": (
        lambda project: _bytes(project, b"a,b\r\n1,2\r\n3,4\n5,6\r\n"),
        "predictions.csv:3: the table cannot be read: the line endings are mixed: CR LF, LF",
    ),
    "bare carriage returns": (lambda project: _bytes(project, b"a,b\n1,2\r3,4\n"), "predictions.csv:2: "),
    "column twice": (text("predictions.csv", "approved,approved\n1,0\n"), "predictions.csv:1: the header names"),
    "column twice but for spaces": (text("predictions.csv", " race,race\n1,0\n"), "names ' race', 'race' more"),
    "column twice but for case": (text("predictions.csv", "Race,race\n1,0\n"), "names 'Race', 'race' more than once"),
    "constant label": (each(approved=1), "column 'approved': the label is 1 in every row"),
    "constant prediction": (each(predicted=0), "column 'predicted': the prediction is 0 in every row"),
    "missing label": (row(7, approved=None), "column 'approved': 1 row has no label (the first is row 7)"),
    "missing prediction": (row(9, predicted=None), "column 'predicted': 1 row has no prediction (the first is row 9)"),
    "missing score": (row(3, score=None), "column 'score': 1 row has no score (the first is row 3)"),
    "three classes": (row(5, approved=2), "column 'approved': the label has more than two values: 0, 1, 2"),
    "label of words": (
        table(lambda rows: [row.update(approved="good" if row["approved"] else "bad") for row in rows]),
        "the value 1 of the label does not occur; it holds 'bad', 'good'",
    ),
    "score above one": (row(12, score=1.5), "the score is outside [0, 1] in 1 row (the first is row 12)"),
    "score of words": (each(score="high"), "column 'score': the score holds string, not numbers"),
    "sensitive all null": (each(race=None), "column 'race': the sensitive attribute is missing in every row"),
}  # fmt: skip


def _bytes(project: Project, content: bytes) -> None:
    (project.folder / "predictions.csv").write_bytes(content)


@pytest.mark.parametrize("name", USAGE)
def test_usage(name: str, tmp_path: Path) -> None:
    change, message = USAGE[name]
    project = example.make(tmp_path)
    change(project)
    result = project.run("gate")
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "Traceback" not in result.err
    assert [name for name in RESULTS if (project.out / name).exists()] == []


def test_items_that_share_by_merge(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("compliance_policy.yaml", LAW.replace("  - id: parity", "  - &parity\n    id: parity")
                  + "  - <<: *parity\n    id: stricter\n    threshold: 0.0\n")  # fmt: skip
    law = read_law(tmp_path / "compliance_policy.yaml", "law.yaml")
    assert {**law.policies[1], "id": "stricter", "threshold": 0.0} == law.policies[-1]
    assert law.locate("stricter", "metric") == Location("law.yaml", 13)


@pytest.mark.parametrize("name", NOT_EVALUATED)
def test_not_evaluated(name: str, tmp_path: Path) -> None:
    change, message = NOT_EVALUATED[name]
    project = example.make(tmp_path)
    change(project)
    result = project.run("gate", "--json")
    assert result.code == 3
    assert message in result.out
    assert '"verdict": "not_evaluated"' in result.out
    assert "Traceback" not in result.out + result.err
    assert "NOT EVALUATED" in (project.out / "report.md").read_text()


def test_a_corrupt_parquet_file(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("compliance.yaml", FACTS.replace("predictions.csv", "predictions.parquet"))
    (tmp_path / "predictions.parquet").write_bytes(b"PAR1 and nothing else that makes sense in here PAR1")
    result = project.run("gate", "--json")
    assert result.code == 3
    assert "predictions.parquet: the table cannot be read" in result.out


def test_an_identifier_is_no_group(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("predictions.csv", example.csv(example.rows(10_000)))
    project.write("compliance.yaml", FACTS.replace("[race, sex]", "[race, id]"))
    result = project.run("gate", "--json")
    assert result.code == 3
    assert "column 'id': the sensitive attribute has 10000 groups, more than 2000" in result.out


@pytest.mark.parametrize("words", [("measure", "x\n::error::no"), ("gate", "--x\n::error::no"), ("gate",)])
def test_no_name_gives_a_command_to_the_ci(words: tuple[str, ...], tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("compliance.yaml", FACTS.replace("predictions.csv", r'"d\n::error::\e[31mno.csv"'))
    result = project.run(*words)
    assert result.code == 2
    assert "error:" in result.err
    assert "::" not in result.err
    assert "\x1b" not in result.err


def test_no_output_folder(tmp_path: Path) -> None:
    example.make(tmp_path)
    result = CliRunner().invoke(main, ["gate", "--config", str(tmp_path / "compliance.yaml"), "--out", ""])
    assert result.exit_code == 2
    assert "--out is given, and empty" in result.stderr


def test_an_output_folder_that_cannot_be_written(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    project.write("out", "a file where the folder should be")
    result = project.run("gate")
    assert result.code == 2
    assert "the output folder cannot be written" in result.err
    assert "--out DIR" in result.err


def test_commands_without_what_they_build_on(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    for command, remedy in (("submit", "measure"), ("decide", "submit"), ("publish", "submit")):
        result = project.run(command)
        assert result.code == 2
        assert f"run: ml-compliance {remedy}" in result.err


def test_an_edited_submission_is_refused(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    assert project.run("gate").code == 0
    path = project.out / "model_submission.json"
    path.write_text(path.read_text().replace('"status": "measured"', '"status": "fine"', 1))
    result = project.run("decide")
    assert result.code == 2
    assert "model_submission.json: $.input.evidence." in result.err


def test_names_that_do_not_exist(tmp_path: Path) -> None:
    project = example.make(tmp_path)
    result = project.run("measure", "fairnes")
    assert result.code == 2
    assert "there is no measure plugin called 'fairnes'" in result.err
    assert "fairness" in result.err


@pytest.mark.parametrize("check", ["AVD-AWS-088", "AWS-0088", "avd-aws-0088"])
def test_a_check_that_there_is_not_is_no_law(tmp_path: Path, check: str) -> None:
    project = example.make(tmp_path)
    project.write(
        "compliance_policy.yaml", f"project: loans\npolicies:\n  - {{id: d, type: deployment, checks: [{check}]}}\n"
    )
    done = project.run("gate")
    assert done.code == 2
    assert f"compliance_policy.yaml:3: policies[0].checks[0]: '{check}' is none of AVD-AWS-0001" in done.err
    assert "did you mean 'AVD-AWS-0088'?" in done.err
    assert len(done.err) < 1_000
