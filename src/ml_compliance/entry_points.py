"""The entry points in `scripts/`: single tasks under short names, with thresholds as flags.

A flag becomes an item of law, judged with those in compliance_policy.yaml by the same rules.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ml_compliance.cli._shared import (
    Guarded,
    common,
    engine_option,
    model_option,
    policy_option,
    post_option,
    publish_decision,
    request,
)  # fmt: skip
from ml_compliance.errors import UsageError


def fairness_item(config: str, threshold: float) -> Mapping[str, Any]:
    """Demographic parity for every sensitive attribute of the config. Raises UsageError when it names none."""
    from ml_compliance.facts_file import read_facts

    sensitive = read_facts(Path(config)).data.sensitive
    if not sensitive:
        raise UsageError("a fairness threshold needs sensitive attributes", where=config,
                         remedy="write data.sensitive: [COLUMN, …]")  # fmt: skip
    return {
        "id": "--fairness-threshold",
        "type": "fairness",
        "metric": "demographic_parity_difference",
        "threshold": threshold,
        "sensitive_attributes": list(sensitive),
    }


class Share(click.FloatRange):
    """A number from 0 to 1; "nan" is none, though no comparison refuses it."""

    name = "share"

    def __init__(self) -> None:
        super().__init__(0, 1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Fails for what is no number from 0 to 1."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


@click.command(cls=Guarded)
@common
@policy_option
@model_option
@engine_option
@post_option
@click.option("--fairness-threshold", type=Share(), help="Largest demographic parity difference.")
@click.option("--min-accuracy", type=Share(), help="Smallest accuracy.")
@click.option("--require-explainability", is_flag=True, help="A SHAP report must exist.")
def validate_model(
    fairness_threshold: float | None, min_accuracy: float | None, require_explainability: bool, **options: Any
) -> None:
    """Judge a model by the law and by the thresholds given here."""
    required: list[Mapping[str, Any]] = []
    if fairness_threshold is not None:
        required.append(fairness_item(options["config"], fairness_threshold))
    if min_accuracy is not None:
        required.append({"id": "--min-accuracy", "type": "performance", "metric": "accuracy", "minimum": min_accuracy})
    if require_explainability:
        required.append({"id": "--require-explainability", "type": "explainability", "requirement": "mandatory",
                         "technique": "SHAP", "report_format": "html"})  # fmt: skip
    _gate(tuple(required), **options)


@click.command(cls=Guarded)
@common
@policy_option
@model_option
@engine_option
@post_option
@click.option("--threshold", type=Share(), help="Largest demographic parity difference.")
def compliance_gateway(threshold: float | None, **options: Any) -> None:
    """Judge a model by the law and by one fairness threshold."""
    _gate(() if threshold is None else (fairness_item(options["config"], threshold),), **options)


@click.command(cls=Guarded)
@common
@engine_option
@post_option
def validate_data(**options: Any) -> None:
    """Judge the data alone: the law's items on data validation, or else that no expectation fails."""
    _gate(({"id": "validate_data", "type": "data_validation"},), only="data_validation", names=("data",), **options)


@click.command(cls=Guarded)
@common
@policy_option
@engine_option
@post_option
def scan_image(**options: Any) -> None:
    """Judge the image alone: the law's items on images, or else that no grave vulnerability and no secret is in it."""
    _gate(({"id": "scan_image", "type": "image"},), only="image", names=("image",), **options)


@click.command(cls=Guarded)
@common
@policy_option
@engine_option
@post_option
def monitor(**options: Any) -> None:
    """Judge whether data has drifted: the law's items on drift, or else that no column's PSI is above 0.25.

    The facts name what production has seen as data.evaluation, and what the model was built on as data.reference.
    Where they name a data.id, the law needs an item on drift that leaves it out: `ignore: [ID]`.
    """
    # 0.25 is where credit scoring calls a shift significant: Siddiqi, Credit Risk Scorecards, 2006.
    item = {"id": "monitor", "type": "drift", "metric": "psi", "threshold": 0.25}
    _gate((item,), only="drift", names=("drift",), **options)


@click.command(cls=Guarded)
@common
@policy_option
@model_option
@engine_option
@post_option
def fairness_report(**options: Any) -> None:
    """Judge how groups fare by the law's items on fairness, and by no others."""
    _gate((), only="fairness", names=("fairness",), **options)


@click.command(cls=Guarded)
@common
@policy_option
@model_option
def build_submission(as_json: bool, **options: Any) -> None:
    """Measure everything and write model_submission.json."""
    from ml_compliance import files, gate, terminal

    asked = request(**options)
    found = gate.measure(asked)
    document = gate.submit(asked, found)
    if as_json:
        terminal.print_json(document)
    else:
        terminal.print_evidence(found)
        click.echo(f"{asked.out / files.SUBMISSION_FILE}")
    sys.exit(terminal.evidence_exit_code(found))


@click.command(cls=Guarded)
@click.option("--source", type=click.Path(), required=True, help="The folder with the other run's results.")
@click.option("--out", type=click.Path(), default="ml-compliance-out", show_default=True, help="Where to leave them.")
def accept_result(source: str, out: str) -> None:
    """Take over the result of a run that nobody vouches for, if it is what it should be: for `ml-compliance post`."""
    from ml_compliance.platforms._untrusted import accept

    accept(Path(source), Path(out))


def query_opa() -> None:
    """Ask the policy about the submission that is there: `ml-compliance decide`."""
    from ml_compliance.cli import main

    main(["decide", *sys.argv[1:]])


def _gate(
    required: tuple[Mapping[str, Any], ...], *, post: str, comment: bool, check: bool, as_json: bool, **options: Any
) -> None:
    from ml_compliance.terminal import run_gate

    asked = request(required=required, **options)
    if post:
        publish_decision(asked, post, comment=comment, check=check, as_json=as_json)
    sys.exit(run_gate(asked, as_json=as_json, timings=False))
