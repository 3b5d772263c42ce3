"""What every command has in common: options, and errors that become one message and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from errno import ENAMETOOLONG
from io import StringIO, TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from ml_compliance.errors import INTERRUPTED, NOT_EVALUATED, USAGE, ComplianceError, UsageError

if TYPE_CHECKING:
    from ml_compliance.request import Request

Command = TypeVar("Command", bound=Callable[..., Any])
ENGINES = ("auto", "server", "binary", "embedded")


class Guarded(click.Command):
    """Turns every error into one message and an exit code."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and leave with 0 allowed, 1 denied, 2 usage, 3 could not be evaluated, 130 interrupted."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                # A terminal that cannot show "→" must not undo a verdict.
                stream.reconfigure(errors="replace")
        try:
            return super().main(*args, **{**kwargs, "standalone_mode": False}) or sys.exit(0)
        except click.exceptions.Exit as stop:
            sys.exit(stop.exit_code)
        except click.ClickException as error:
            shown = StringIO()
            error.show(shown)
            _say(shown.getvalue().rstrip("\n"))
            sys.exit(error.exit_code)
        except ComplianceError as error:
            _say(f"ml-compliance: {error}")
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo("ml-compliance: interrupted; nothing was decided", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # Whoever read the output has gone; the verdict is in the files, and the exit code must not say "allowed".
            sys.stdout = None
            sys.exit(NOT_EVALUATED)
        except Exception as error:
            sys.exit(_unforeseen(error))


def _unforeseen(error: Exception) -> int:
    """The outer border: Python would exit with 1 here, which means "denied"."""
    if isinstance(error, OSError) and error.errno == ENAMETOOLONG:
        _say(f"ml-compliance: {error.filename}: the name is too long for a file or folder\n  → name another one")
        return USAGE
    if sys.flags.dev_mode:
        raise error
    _say(f"ml-compliance: {type(error).__name__}: {error}\n  → this is a bug; nothing was decided. "
         "Repeat with PYTHONDEVMODE=1 for a traceback, and report it")  # fmt: skip
    return NOT_EVALUATED


def _say(text: str) -> None:
    """An error on stderr. It names files and columns, and a CI runner would obey a command in one of their names."""
    from ml_compliance.publish._text import message

    click.echo(message(text), err=True)


class Program(Guarded, click.Group):
    """The program of all commands."""


def json_option(command: Command) -> Command:
    """JSON instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines instead of text.")(command)


def common(command: Command) -> Command:
    """The options that every command has."""
    options = (
        click.option("--config", type=click.Path(), default="compliance.yaml", show_default=True,
                     help="The facts: which model, which data, which columns."),
        click.option("--out", type=click.Path(), default="ml-compliance-out", show_default=True,
                     help="Where to leave evidence, submission, decision and reports."),
        json_option,
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def policy_option(command: Command) -> Command:
    """The law, on the command line."""
    return click.option("--policy", type=click.Path(),
                        help="The law: what is required  [default: the `policy` of the config]")(command)  # fmt: skip


def baseline_option(command: Command) -> Command:
    """What the report is compared with."""
    return click.option("--baseline", type=click.Path(), metavar="PATH", help="Compare with this snapshot.json, or "
                        "output folder, of a run of the base.")(command)  # fmt: skip


def model_option(command: Command) -> Command:
    """The model, on the command line."""
    return click.option("--model-uri", default="", help="The MLflow model to judge, instead of the config's.")(command)


def engine_option(command: Command) -> Command:
    """The policy engine, on the command line, and the rules that it has to judge by."""
    command = click.option("--cross-check", is_flag=True, help="A second policy engine must give the same answer.")(
        command
    )
    command = click.option("--policy-digest", default="", metavar="sha256:…",
                           help="The rules agreed on (`policy digest`); others decide nothing.")(command)  # fmt: skip
    command = click.option("--base", default="", help="The branch or commit that the law is compared with "
                           "[default: as the CI platform says]")(command)  # fmt: skip
    command = click.option("--opa-url", default="", help="The OPA server that decides, instead of the config's.")(
        command
    )
    return click.option("--engine", type=click.Choice(ENGINES), help="Which policy engine decides.")(command)


def channel_options(command: Command) -> Command:
    """Where a decision is published."""
    command = click.option("--check/--no-check", default=True, help="Report a check or status on the commit.")(command)
    return click.option("--comment/--no-comment", default=True, help="Comment on the pull or merge request.")(command)


def post_option(command: Command) -> Command:
    """Publishing, for a command that judges: by the same options it finds the same law."""
    return click.option("--post", metavar="NAME", default="", help="Judge nothing; publish under this name what was "
                        "judged by the same options.")(channel_options(command))  # fmt: skip


def request(config: str, out: str, policy: str | None = None, baseline: str | None = None, **options: Any) -> Request:
    """What the options of a command ask of the gate, with progress shown where somebody watches."""
    from pathlib import Path

    from ml_compliance.request import Request
    from ml_compliance.terminal import progress

    _refuse_empty("policy_digest", "model_uri", "out")
    given = {name: value for name, value in options.items() if value}
    if baseline:
        given["baseline"] = Path(baseline)
    return Request(Path(config), Path(out), Path(policy) if policy else None, progress=progress, **given)


def publish_decision(
    asked: Request, name: str, *, comment: bool, check: bool, as_json: bool, dry_run: bool = False
) -> NoReturn:
    """Publish the decision in the output folder, say what became of it, and leave with its exit code."""
    import os

    from ml_compliance import delivery, terminal
    from ml_compliance.platforms import Wish

    posted = delivery.post(asked, os.environ, Wish(name, comment, check, asked.out), dry_run=dry_run)
    terminal.print_posted(posted, asked.out, dry_run=dry_run, as_json=as_json)
    sys.exit(terminal.posted_exit_code(posted))


def _refuse_empty(*names: str) -> None:
    """A variable that nobody set must not switch off the agreed rules, or choose another model or folder, silently."""
    context = click.get_current_context()
    for name in names:
        given = context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE
        if given and not context.params[name]:
            flag = "--" + name.replace("_", "-")
            raise UsageError(f"{flag} is given, and empty", remedy=f"give {flag} a value, or leave it out")
