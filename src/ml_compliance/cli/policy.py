"""The commands of the group `policy`."""

from __future__ import annotations

import sys
from typing import Any

import click

from ml_compliance.cli._shared import common, json_option, policy_option, request


@click.group()
def policy() -> None:
    """Work on policies: what judges a model."""


@policy.command()
@click.argument("source", type=click.Path(exists=True))
@click.option("--out", type=click.Path(), default="bundle.tar.gz", show_default=True, help="The bundle to write.")
@click.option("--signing-key", type=click.Path(), help="A PEM file with the private key that signs it.")
@click.option("--signing-key-env", default="", metavar="NAME", help="The environment variable that holds that key.")
@json_option
def build(source: str, out: str, signing_key: str | None, signing_key_env: str, as_json: bool) -> None:
    """Compile a policy of your own (a file or folder) into a bundle that runs on every policy engine."""
    from pathlib import Path

    from ml_compliance.decide import _bundle_build
    from ml_compliance.terminal import print_json

    key = _bundle_build.signing_key(Path(signing_key) if signing_key else None, signing_key_env)
    built = _bundle_build.build_bundle(Path(source), Path(out), key)
    if as_json:
        print_json({"bundle": out, "policy_digest": built.policy_digest, "signed": built.signed,
                    "embedded_lacks": list(built.lacking)})  # fmt: skip
        return
    click.echo(f"{out}\n{built.policy_digest}{'' if built.signed else '  (not signed)'}")
    if built.lacking:
        click.echo(f"ml-compliance: the embedded engine lacks {', '.join(built.lacking)}: where the policy calls it, "
                   "only the `opa` program and servers decide", err=True)  # fmt: skip


@policy.command(name="digest")
@common
@policy_option
def digest(as_json: bool, **options: Any) -> None:
    """Print the digest of policy and law, to agree on before a model is judged: `gate --policy-digest`.

    A server that holds the same policy has the same digest, if it lets its policies be read.
    """
    from ml_compliance import terminal

    found = request(**options).rules_digest
    if as_json:
        terminal.print_json({"rules_digest": found})
    else:
        click.echo(found)


@policy.command()
@click.argument("path", required=False, type=click.Path())
@click.option("--submission", "submissions", multiple=True, type=click.Path(), metavar="FILE",
              help="What to try it on, allowed or denied; may be repeated  [default: an example]")  # fmt: skip
@click.option("--law", type=click.Path(), help="The law that the policy judges by  [default: an example]")
@json_option
def check(path: str | None, submissions: tuple[str, ...], law: str | None, as_json: bool) -> None:
    """Check that the policy PATH, a file or folder, fails closed: that no lack of evidence turns deny into allow.

    Without PATH the shipped policy is checked. Exit code 1 says that something opened.
    """
    from ml_compliance.authoring.terminal import run_check

    sys.exit(run_check(path, submissions, law, as_json=as_json))


@policy.command()
@click.argument("folder", type=click.Path())
@json_option
def test(folder: str, as_json: bool) -> None:
    """Run the tests of the policies in FOLDER with `opa test`, and show which lines they leave out.

    Exit code 1 says that a test failed.
    """
    from ml_compliance.authoring.terminal import run_tests

    sys.exit(run_tests(folder, as_json=as_json))


@policy.command()
@click.argument("name")
@click.option("--dir", "folder", type=click.Path(), default="policies", show_default=True, help="Where to write it.")
def new(name: str, folder: str) -> None:
    """Write the rule NAME, documented and failing closed, with its test; nothing is overwritten."""
    from pathlib import Path

    from ml_compliance.authoring import scaffold

    for path in scaffold.new(name, Path(folder)):
        click.echo(str(path))


@policy.command()
@click.argument("rule")
@json_option
def explain(rule: str, as_json: bool) -> None:
    """Say what a RULE, or a type of the law, reads, asks for and refers to, and what to do about it."""
    from ml_compliance import rulebook, terminal

    found = rulebook.explain(rule)
    if as_json:
        terminal.print_json(found)
    else:
        click.echo(rulebook.text(found))
