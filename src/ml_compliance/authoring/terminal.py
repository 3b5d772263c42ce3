"""What a person sees while working on policies; progress goes to stderr, results to stdout."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ml_compliance.errors import ALLOWED, DENIED, UsageError
from ml_compliance.files import read_json

if TYPE_CHECKING:
    from ml_compliance.authoring.check import Checked
    from ml_compliance.model import Decision, Json
    from ml_compliance.request import Request

_SHOWN = 20
_WIDTH = 160


def run_check(path: str | None, submissions: Sequence[str], law: str | None, *, as_json: bool) -> int:
    """Check a policy, print what was found, and return 0 if nothing opened, else 1."""
    from ml_compliance.authoring import example
    from ml_compliance.authoring.check import check
    from ml_compliance.documents import canonical
    from ml_compliance.law import read_law

    documents = [_submission(Path(each)) for each in submissions] or [example.submission()]
    judged_by = read_law(Path(law), law).document() if law else example.law()
    checked = check(Path(path) if path else None, documents, judged_by,
                    lambda name: click.echo(f"  {name} …", err=True))  # fmt: skip
    if as_json:
        click.echo(canonical(json.loads(json.dumps(asdict(checked)))), nl=False)
    else:
        _print(checked)
    return DENIED if checked.opened else ALLOWED


def run_tests(folder: str, *, as_json: bool) -> int:
    """Test policies, print what failed and what is not covered, and return 0 if all passed, else 1."""
    from ml_compliance.authoring import rego_tests
    from ml_compliance.documents import canonical

    tested = rego_tests.run(Path(folder))
    if as_json:
        click.echo(canonical(json.loads(json.dumps(asdict(tested)))), nl=False)
    else:
        for line in tested.failed:
            click.echo(f"✗ {line}")
        for line in tested.not_covered:
            click.echo(f"  not covered: {line}")
        passed = tested.tests - len(tested.failed)
        covered = "" if tested.coverage is None else f"; {tested.coverage:.0f} % of the lines are covered"
        click.echo(f"{passed} of {tested.tests} tests passed{covered}")
    return DENIED if tested.failed else ALLOWED


def explanation(asked: Request, decision: Decision) -> list[Json]:
    """Which rule read which value, in JSON: for each finding, and for each rule that found nothing."""
    from ml_compliance.authoring.explain import explained, explained_own
    from ml_compliance.files import SUBMISSION_FILE

    submission = read_json(asked.out / SUBMISSION_FILE)
    law, rego = asked.law.policies, asked.rego
    found = explained_own(rego, submission) if rego else explained(decision, submission, law)
    return [json.loads(json.dumps(asdict(each))) for each in found]


def print_explanation(explained: Sequence[Any]) -> None:
    """One paragraph for each rule, and one line for each value that it read."""
    for each in explained:
        about = f" on {each['policy']}" if each["policy"] else ""
        limit = "" if each["limit"] is None else f", limit {each['limit']:g}"
        click.echo(f"{each['rule']}{about}: {each['outcome']}{limit}  ({each['source']})")
        for path, value in list(each["read"].items())[:_SHOWN]:
            text = json.dumps(value, ensure_ascii=False, sort_keys=True)
            click.echo(f"    {path} = {text if len(text) <= _WIDTH else text[:_WIDTH] + '…'}")
        if len(each["read"]) > _SHOWN:
            click.echo(f"    … and {len(each['read']) - _SHOWN} more; --json lists all")


def _print(checked: Checked) -> None:
    if checked.not_embedded:
        click.echo(f"not part of the embedded engine: {', '.join(checked.not_embedded)}; "
                   "the policy needs the `opa` program or a server")  # fmt: skip
    places = {(each.rule, each.path, each.when): list[str]() for each in checked.opened}
    for each in checked.opened:
        places[each.rule, each.path, each.when].append(each.change)
    for rule, path, when in list(places)[:_SHOWN]:
        denied = f"{rule} denies that {when}" if when else f"{rule} denies it"
        click.echo(f"✗ {path}: {', '.join(places[rule, path, when])}\n    is allowed, though {denied}")
    if len(places) > _SHOWN:
        click.echo(f"  … and {len(places) - _SHOWN} places more; --json lists all")
    policies = "policies" if len(checked.policies) > 1 else "policy"
    count = f"{checked.tried:,} lacks tried on {len(checked.policies)} {policies}"
    if checked.opened:
        click.echo(f"✗ {count}: {len(checked.opened)} turn deny into allow\n"
                   "  → ask for presence and type before a comparison: `is_number(x)`, `x == true`, `count(list) > 0`; "
                   "and for all that is compared: `count(found) == coverage`")  # fmt: skip
    else:
        click.echo(f"✓ {count}: none turns deny into allow")


def _submission(path: Path) -> Mapping[str, Any]:
    document = read_json(path)
    if "input" not in document:
        raise UsageError("this is no submission: it has no `input`", where=str(path),
                         remedy="run: ml-compliance submit")  # fmt: skip
    return document
