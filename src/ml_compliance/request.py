"""What one call of the gate is about: the files that people write, and what the command line says beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ml_compliance.context import Progress, silent
from ml_compliance.errors import UsageError
from ml_compliance.facts import Engine, Facts, Server
from ml_compliance.facts_file import read_facts
from ml_compliance.law import DEFAULT_LAW, Law, items_of, read_law, with_items
from ml_compliance.waivers import read_waivers
from ml_compliance.yaml_file import read_yaml

DEFAULT_WAIVERS = "waivers.yaml"


@dataclass(frozen=True)
class Request:
    """What one call of the gate is about: the files of facts and law, what the command line adds, and where to write.

    `policy_digest` are the rules that were agreed on, `base` is the branch or commit that the law is compared with.
    `baseline` is the snapshot of a run to compare with, or its output folder. `required` are items of law that the
    command line demands on top of those in the file. `only` narrows the law to one type of policy, and `names` the
    measurements; a task that judges one thing needs no more.
    """

    config: Path
    out: Path
    policy: Path | None = None
    model_uri: str = ""
    engine: Engine | None = None
    required: tuple[Mapping[str, Any], ...] = ()
    only: str = ""
    names: tuple[str, ...] = ()
    opa_url: str = ""
    cross_check: bool = False
    policy_digest: str = ""
    base: str = ""
    baseline: Path | None = None
    progress: Progress = silent

    @cached_property
    def facts(self) -> Facts:
        """compliance.yaml, with what the command line says instead."""
        facts = read_facts(self.config)
        if self.model_uri:
            facts = replace(facts, model=replace(facts.model, uri=self.model_uri))
        if self.opa_url:
            server = replace(facts.server, url=self.opa_url) if facts.server else Server(self.opa_url)
            # Whoever names a server on the command line is not overruled by the facts.
            facts = replace(facts, server=server, engine="server")
        return replace(facts, engine=self.engine) if self.engine else facts

    def placed(self, error: UsageError) -> UsageError:
        """`error` with the line of compliance.yaml that names what was not found; unchanged where none does."""
        line = read_yaml(self.config, self.config.name).line_of(error.named) if error.named else None
        if line is None:
            return error
        said = f"{error.where}: {error.message}" if error.where else error.message
        return UsageError(said, where=f"{self.config.name}:{line}", remedy=error.remedy, named=error.named)

    @cached_property
    def law(self) -> Law:
        """compliance_policy.yaml and what the command line requires. Raises UsageError when nothing is required."""
        path, named = self.law_file, str(self.policy or self.facts.policy or DEFAULT_LAW)
        if self.required and self.facts.rego:
            raise UsageError(
                "thresholds on the command line are judged by the shipped policy, and `rego` names another",
                where=self.config.name,
                remedy="leave out the thresholds, or `rego`",
            )
        if self.required and not (self.policy or self.facts.policy or path.exists()):
            # What the command line requires is law enough, unless a file was asked for by name.
            return with_items(None, self.facts.project, self.required)
        law = read_law(path, named)
        if law.project != self.facts.project:
            raise UsageError(
                f"the law is for the project {law.project!r}, the facts are about {self.facts.project!r}",
                where=f"{named}:1",
                remedy="name the law of this project, or correct one of the two",
            )
        if not self.only:
            return with_items(law, self.facts.project, self.required)
        narrowed = replace(law, policies=items_of(law, self.only))
        return narrowed if narrowed.policies else with_items(narrowed, self.facts.project, self.required)

    @property
    def law_file(self) -> Path:
        """Where the law is, whether it is there or not."""
        return self.policy or self.config.parent / (self.facts.policy or DEFAULT_LAW)

    @property
    def rego(self) -> Path | None:
        """The user's own policy; None for the shipped one."""
        return self.config.parent / self.facts.rego if self.facts.rego else None

    @property
    def rego_key(self) -> Path | None:
        """The public key that the user's policy is verified with, if it is a signed bundle."""
        return self.config.parent / self.facts.rego_key if self.facts.rego_key else None

    @property
    def rules_digest(self) -> str:
        """The digest of the policy on this machine and the law, which can be agreed on beforehand."""
        from ml_compliance.decide._agreed import digest_here

        return digest_here(self.rego, self.rego_key, str(self.law.document()["digest"]))

    @property
    def records(self) -> str:
        """The folder of records, or the URL of their object store."""
        folder = self.facts.record.folder
        return folder if "://" in folder else str(self.config.parent / folder if folder else self.out / "decisions")

    @cached_property
    def snapshot(self) -> Mapping[str, Any] | None:
        """What is compared with, if something is. Raises UsageError when it is no snapshot."""
        from ml_compliance.comparison import read_snapshot

        return read_snapshot(self.baseline) if self.baseline else None

    @cached_property
    def waivers(self) -> tuple[Mapping[str, Any], ...]:
        """The waivers of the file that the facts name, or of waivers.yaml if it is there."""
        name = self.facts.waivers or DEFAULT_WAIVERS
        path = self.config.parent / name
        if not (self.facts.waivers or path.exists()):
            return ()
        return read_waivers(path, name, own_rules=bool(self.facts.rego))
