"""The command line. Only click is imported here: everything else waits until a command needs it."""

from __future__ import annotations

import sys
from typing import Any

import click

from ml_compliance import __version__
from ml_compliance.cli._shared import (
    Program,
    baseline_option,
    common,
    engine_option,
    json_option,
    model_option,
    policy_option,
    request,
)
from ml_compliance.cli.decisions import decisions
from ml_compliance.cli.init import init
from ml_compliance.cli.platform import collect, doctor, post
from ml_compliance.cli.policy import policy
from ml_compliance.cli.tools import tools


class MeasureCommand(click.Command):
    """Lists the measurements that are installed below the options."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and first docstring lines, read without importing the measurements."""
        from ml_compliance import plugins

        with formatter.section("Measurements"):
            formatter.write_dl([(name, plugins.summary("measure", name)) for name in plugins.names("measure")])


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ml-compliance")
def main() -> None:
    """No machine-learning model reaches production without proof.

    Exit codes: 0 allowed, 1 denied, 2 usage or configuration, 3 could not be evaluated.
    """


@main.command()
@common
@policy_option
@model_option
@engine_option
@baseline_option
@click.option("--timings", is_flag=True, help="Print the seconds that each room took.")
def gate(as_json: bool, timings: bool, **options: Any) -> None:
    """Measure, submit, decide and publish: the whole gate."""
    from ml_compliance.terminal import run_gate

    sys.exit(run_gate(request(**options), as_json=as_json, timings=timings))


@main.command(cls=MeasureCommand)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@common
@policy_option
@model_option
def measure(as_json: bool, **options: Any) -> None:
    """Gather evidence: run the measurements named, or all of them."""
    from ml_compliance import gate, terminal
    from ml_compliance.documents import evidence_document

    found = gate.measure(request(**options))
    if as_json:
        terminal.print_json({"evidence": [evidence_document(item) for item in found]})
    else:
        terminal.print_evidence(found)
    sys.exit(terminal.evidence_exit_code(found))


@main.command()
@common
def submit(as_json: bool, **options: Any) -> None:
    """Build model_submission.json from the evidence."""
    from ml_compliance import files, gate, terminal

    asked = request(**options)
    document = gate.submit(asked)
    if as_json:
        terminal.print_json(document)
    else:
        click.echo(f"{asked.out / files.SUBMISSION_FILE}")


@main.command()
@common
@policy_option
@engine_option
@click.option("--explain", is_flag=True, help="Show which rule read which value.")
def decide(as_json: bool, explain: bool, **options: Any) -> None:
    """Ask the policy whether the submission may be deployed."""
    from ml_compliance import gate, terminal
    from ml_compliance.authoring.terminal import explanation, print_explanation
    from ml_compliance.decisions import decision_document

    asked = request(**options)
    decision = gate.decide(asked)
    reasons = explanation(asked, decision) if explain else []
    if as_json:
        document = decision_document(decision)
        terminal.print_json({"decision": document, "explained": reasons} if explain else document)
    else:
        terminal.print_report(gate.report(asked, decision))
        print_explanation(reasons)
    sys.exit(terminal.exit_code(decision))


@main.command()
@common
@policy_option
@baseline_option
def publish(as_json: bool, **options: Any) -> None:
    """Render the reports of a decision that was made."""
    from ml_compliance import gate, terminal

    asked = request(**options)
    written = gate.publish(gate.report(asked), asked.out)
    if as_json:
        terminal.print_json({"files": [str(path) for path in written]})
    else:
        click.echo("\n".join(str(path) for path in written))


@main.command()
@click.option("--out", type=click.Path(), default="ml-compliance-demo", show_default=True,
              help="A folder for the demo's data, models and reports.")  # fmt: skip
@json_option
def demo(out: str, as_json: bool) -> None:
    """Train two models on real mortgage applications, register them in MLflow, and gate both."""
    from pathlib import Path

    from ml_compliance.demo import run

    sys.exit(run(Path(out), as_json=as_json))


@main.command()
@click.argument("name")
def schema(name: str) -> None:
    """Print the JSON Schema of a file that people or machines write or read."""
    from ml_compliance import terminal
    from ml_compliance.schemas import schema_named

    terminal.print_json(schema_named(name))


main.add_command(collect)
main.add_command(decisions)
main.add_command(doctor)
main.add_command(init)
main.add_command(policy)
main.add_command(post)
main.add_command(tools)
