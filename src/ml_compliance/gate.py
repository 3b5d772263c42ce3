"""The way through the house: measure → submit → decide → publish, each room leaving its files in the output folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ml_compliance import files, plugins
from ml_compliance.context import Context, Progress, silent
from ml_compliance.documents import EVIDENCE_SCHEMA, canonical, evidence_document, read_evidence, validate
from ml_compliance.errors import ComplianceError, EvaluationError, UsageError
from ml_compliance.facts import Engine, Facts, Server, read_facts, settings_of
from ml_compliance.law import Law, read_law, with_items
from ml_compliance.measured import state
from ml_compliance.model import Decision, Evidence, LawChanges, Report
from ml_compliance.stopwatch import Stopwatch
from ml_compliance.waivers import read_waivers

SUBMISSION_FILE, DECISION_FILE = "model_submission.json", "decision.json"
LAW_FILE, MEASURED_FILE = "policy_data.json", "measured.json"
DEFAULT_LAW, DEFAULT_WAIVERS = "compliance_policy.yaml", "waivers.yaml"


@dataclass(frozen=True)
class Request:
    """What one call of the gate is about: the files of facts and law, what the command line adds, and where to write.

    `policy_digest` are the rules that were agreed on, `base` is the branch or commit that the law is compared with.
    `required` are items of law that the command line demands on top of those in the file. `only` narrows the law to
    one type of policy, and `names` the measurements; a task that judges one thing needs no more.
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
    progress: Progress = silent

    @cached_property
    def facts(self) -> Facts:
        """compliance.yaml, with what the command line says instead."""
        facts = read_facts(self.config)
        if self.model_uri:
            facts = replace(facts, model=replace(facts.model, uri=self.model_uri))
        if self.opa_url:
            server = replace(facts.server, url=self.opa_url) if facts.server else Server(self.opa_url)
            facts = replace(facts, server=server)
        return replace(facts, engine=self.engine) if self.engine else facts

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
        narrowed = replace(law, policies=tuple(item for item in law.policies if item["type"] == self.only))
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
    def waivers(self) -> tuple[Mapping[str, Any], ...]:
        """The waivers of the file that the facts name, or of waivers.yaml if it is there."""
        name = self.facts.waivers or DEFAULT_WAIVERS
        path = self.config.parent / name
        if not (self.facts.waivers or path.exists()):
            return ()
        return read_waivers(path, name, own_rules=bool(self.facts.rego))


def measure(request: Request, watch: Stopwatch | None = None) -> tuple[Evidence, ...]:
    """Run the measurements that are named (all of them when none is) and write one evidence file each.

    A measurement that fails becomes evidence with status `error`, and the others still run. Raises UsageError
    when the facts, the law or a name are wrong: no evidence can come of those.
    """
    watch, wanted = watch or Stopwatch(), request.names or plugins.names("measure")
    for name in wanted:
        plugins.load("measure", name)
    facts = request.facts
    context = Context(facts, request.law, request.config.parent, request.out, request.progress)
    files.prepare(request.out)
    found = []
    try:
        with request.progress("measure", len(wanted)) as advance:
            for name in wanted:
                with watch.room(f"measure {name}"):
                    evidence = _measure_one(name, context, facts)
                files.write(request.out / "evidence" / f"{name}.json", canonical(evidence_document(evidence)))
                found.append(evidence)
                advance(1)
    finally:
        context.close()
    files.write(request.out / "evidence" / MEASURED_FILE, canonical(state(request.facts, request.config.parent)))
    return tuple(found)


def _measure_one(name: str, context: Context, facts: Facts) -> Evidence:
    module = plugins.load("measure", name)
    try:
        evidence: Evidence = module.measure(context, settings_of(facts, name))
        # A measurement that computed NaN or an infinity has failed, and canonical JSON says so.
        canonical(evidence_document(evidence))
        return evidence
    except UsageError:
        raise
    except ComplianceError as error:
        return Evidence(name, "error", reason=str(error))
    except Exception as error:
        # The border at which a crash becomes evidence: it names the cause, and the gate then fails closed.
        return Evidence(name, "error", reason=f"{type(error).__name__}: {error} ({_origin(error)})")


def _origin(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown place"


def submit(request: Request, evidence: Iterable[Evidence] | None = None) -> dict[str, Any]:
    """Write the submission, from `evidence` or from the evidence files that `measure` left."""
    from ml_compliance.submit import created, submission

    facts, given = request.facts, tuple(evidence) if evidence is not None else _evidence_files(request)
    document = submission(facts.project, facts.data.name, given, created(), request.waivers)
    files.write(request.out / SUBMISSION_FILE, canonical(document))
    return document


def _evidence_files(request: Request) -> tuple[Evidence, ...]:
    folder, again = request.out / "evidence", "run: ml-compliance measure"
    paths = sorted(path for path in folder.glob("*.json") if path.name != MEASURED_FILE)
    if not paths:
        raise UsageError("there is no evidence", where=str(folder), remedy=again)
    now = json.loads(canonical(state(request.facts, request.config.parent)))
    if files.read_json(folder / MEASURED_FILE, again) != now:
        raise UsageError("facts or data have changed since this was measured", where=str(folder), remedy=again)
    found = []
    for path in paths:
        document = files.read_json(path)
        validate(document, EVIDENCE_SCHEMA, str(path))
        found.append(read_evidence(document))
    return tuple(found)


def decide(request: Request, document: Mapping[str, Any] | None = None, watch: Stopwatch | None = None) -> Decision:
    """Ask the policy engine about `document`, or about the submission file, and record and write the decision.

    When the engine cannot answer, or the decision cannot be recorded, that is a decision too: `not_evaluated`, with
    the cause.
    """
    from ml_compliance.decide import Request as Question
    from ml_compliance.decide import decide as ask
    from ml_compliance.decide import not_evaluated
    from ml_compliance.decide._agreed import check_agreed
    from ml_compliance.decisions import decision_document, rules_digest
    from ml_compliance.record.decision import keep, record

    files.withdraw(request.out, files.VERDICTS)
    law, facts, watch = request.law, request.facts, watch or Stopwatch()
    if document is None:
        document = files.read_json(request.out / SUBMISSION_FILE, "run: ml-compliance submit")
    files.write(request.out / LAW_FILE, canonical({"mlpolicy": {"law": law.document()}}))
    question = Question(document, law.document(), request.rego, facts.server, request.rego_key)
    try:
        with watch.room("decide"):
            decision = ask(question, facts.engine, law.locate, cross_check=request.cross_check)
        if request.policy_digest:
            check_agreed(request.policy_digest, rules_digest(decision.policy_digest, decision.law_digest))
    except EvaluationError as error:
        decision = not_evaluated(question, facts.engine, str(error))
    changes = _law_changes(request)
    decision = replace(decision, law_changes=changes)
    try:
        keep(record(decision, document, facts.record.mask, watch.seconds), request.records)
    except EvaluationError as error:
        decision = replace(not_evaluated(question, facts.engine, str(error)), law_changes=changes)
    files.write(request.out / DECISION_FILE, canonical(decision_document(decision)))
    return decision


def report(request: Request, decision: Decision | None = None) -> Report:
    """What the sinks render: the submission file, and `decision` or the decision file."""
    from ml_compliance.decisions import read_decision_on
    from ml_compliance.submit import read_submission

    document = files.read_json(request.out / SUBMISSION_FILE, "run: ml-compliance submit")
    evidence = read_submission(document, str(request.out / SUBMISSION_FILE))
    model = document["input"]["model"]
    if decision is None:
        found = files.read_json(request.out / DECISION_FILE, "run: ml-compliance decide")
        decision = read_decision_on(found, document, str(request.law.document()["digest"]))
    return Report(
        project=request.facts.project,
        model=" v".join(part for part in (model["name"] or request.facts.project, model["version"]) if part),
        decision=decision,
        evidence=evidence,
        submission=document,
        law=tuple(request.law.policies),
        folder=files.from_root(request.config.parent),
    )


def _server_decides(request: Request) -> bool:
    """Then its policy is not known before it answers."""
    return request.facts.engine == "server" or (request.facts.engine == "auto" and request.facts.server is not None)


def _law_changes(request: Request) -> LawChanges:
    from ml_compliance.law_changes import base_of, law_changes

    folder = request.law_file.parent
    beside = (request.facts.rego, request.facts.waivers or DEFAULT_WAIVERS)
    others = [os.path.relpath(request.config.parent / name, folder) for name in beside if name]
    return law_changes(folder, request.law_file.name, others, request.base or base_of(os.environ))


def publish(report: Report, out: Path) -> tuple[Path, ...]:
    """Render every sink into the output folder."""
    written = []
    for name in plugins.names("publish"):
        artifact = plugins.load("publish", name).render(report)
        files.write(out / artifact.name, artifact.text)
        written.append(out / artifact.name)
    return tuple(written)


def gate(request: Request, watch: Stopwatch) -> Report:
    """All rooms in order. The report's decision carries the verdict."""
    files.withdraw(request.out)
    if request.policy_digest and not _server_decides(request):
        from ml_compliance.decide._agreed import check_agreed

        files.prepare(request.out)
        check_agreed(request.policy_digest, request.rules_digest)
    _ = request.waivers  # A mistake in them is told before hours of measuring, not after.
    evidence = measure(request, watch=watch)
    with watch.room("submit"):
        document = submit(request, evidence)
    decision = decide(request, document, watch)
    with watch.room("publish"):
        found = report(request, decision)
        publish(found, request.out)
    return found
