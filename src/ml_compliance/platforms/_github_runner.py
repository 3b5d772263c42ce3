"""What the runner takes without a token: the job summary, outputs, and annotations by workflow commands."""

from __future__ import annotations

import secrets
from pathlib import Path

from ml_compliance.errors import OF_VERDICTS
from ml_compliance.files import SUBMISSION_FILE
from ml_compliance.model import Finding, Report
from ml_compliance.platforms import Delivery, Run, Wish
from ml_compliance.platforms._github_limits import COMMANDS, MESSAGE, SUMMARY, TITLE
from ml_compliance.publish import summary
from ml_compliance.publish._numbers import counted
from ml_compliance.publish._text import clip, plain, terminal
from ml_compliance.publish._view import FULL_REPORT, detail, headline, ordered, place


def deliver_summary(report: Report, run: Run, *, dry: bool) -> Delivery:
    """Append the report to the job's summary, if it fits beside what earlier commands of the step have written."""
    if not run.summary:
        return Delivery("summary", "skipped", "GITHUB_STEP_SUMMARY is not set")
    path, text = Path(run.summary), summary.render(report).text
    if dry:
        return Delivery("summary", "planned")
    try:
        room = SUMMARY - (path.stat().st_size if path.exists() else 0)
        if len(text.encode()) > room:
            return Delivery(
                "summary", "failed", f"there is room for {max(room, 0):,} bytes more in this step's summary"
            )
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        return Delivery("summary", "failed", f"{path}: {error.strerror}")
    return Delivery("summary", "delivered")


def outputs(report: Report, wish: Wish) -> dict[str, str]:
    """The outputs of the step, by name. Paths are absolute; a report of several gates has no submission of its own."""
    decision, out = report.decision, wish.out.absolute()
    return {
        "verdict": decision.verdict,
        "decision-id": plain(decision.id),
        "violations": str(len(decision.violations)),
        "warnings": str(len(decision.warnings)),
        "waived": str(len(decision.waived)),
        "insufficient": str(len(decision.insufficient)),
        "report-path": str(out / FULL_REPORT),
        "submission-path": "" if report.parts else str(out / SUBMISSION_FILE),
        "exit-code": str(OF_VERDICTS[decision.verdict]),
    }


def deliver_outputs(report: Report, run: Run, wish: Wish) -> Delivery:
    """Append the outputs, each between delimiters that nobody can foresee: a value cannot begin another output.

    In a dry run, too: they are sent nowhere, and without them a later step would take a denied model for one that has
    no violations.
    """
    if not run.outputs:
        return Delivery("outputs", "skipped", "GITHUB_OUTPUT is not set")
    text = ""
    for name, value in outputs(report, wish).items():
        end = f"end-{secrets.token_hex(16)}"
        text += f"{name}<<{end}\n{value}\n{end}\n"
    try:
        with Path(run.outputs).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        return Delivery("outputs", "failed", f"{run.outputs}: {error.strerror}")
    return Delivery("outputs", "delivered")


def commands(report: Report) -> list[str]:
    """Workflow commands that annotate the lines of the law: as many as a step may give, the gravest first."""
    decision = report.decision
    errors = [_command("error", report, item) for item in ordered(decision.violations)]
    # An error of the gate itself has no line; it goes before what rests on it.
    errors = [f"::error title=ml-compliance::{_data(error)}" for error in decision.errors] + errors
    others = (*ordered(decision.insufficient), *ordered(decision.warnings))
    return errors[:COMMANDS] + [_command("warning", report, item) for item in others][:COMMANDS]


def deliver_commands(report: Report, *, dry: bool) -> Delivery:
    """Print the workflow commands to stderr, which the runner reads too: stdout belongs to whoever called."""
    import click

    lines = commands(report)
    if dry:
        return Delivery("annotations", "planned", counted(len(lines), "annotation"))
    if not lines:
        return Delivery("annotations", "skipped", "there is nothing to annotate")
    click.echo("\n".join(lines), err=True)
    return Delivery("annotations", "delivered", counted(len(lines), "annotation"))


def _command(level: str, report: Report, finding: Finding) -> str:
    at = place(report, finding)
    title = _property(clip(headline(finding), TITLE))
    return f"::{level} file={_property(at.file)},line={at.line},title={title}::{_data(_said(finding))}"


def _said(finding: Finding) -> str:
    lines = (detail(finding) or headline(finding), f"→ {finding.remedy}" if finding.remedy else "")
    return "\n".join(line for line in map(plain, lines) if line)


def _data(text: str) -> str:
    """A message: no command in it is obeyed, and it stays one line."""
    lines = "\n".join(terminal(line) for line in clip(text, MESSAGE).split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(plain(text)).replace(":", "%3A").replace(",", "%2C")
