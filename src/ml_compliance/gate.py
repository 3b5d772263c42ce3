"""The way through the house: measure → submit → decide → publish, each room leaving its files in the output folder."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_compliance import files, plugins
from ml_compliance.context import Context, Progress, silent
from ml_compliance.documents import EVIDENCE_SCHEMA, canonical, digest, evidence_document, read_evidence, validate
from ml_compliance.errors import ComplianceError, EvaluationError, UsageError
from ml_compliance.facts import Engine, Facts, Server, read_facts, settings_of
from ml_compliance.law import Law, read_law, with_items
from ml_compliance.model import Decision, Evidence, Report

if TYPE_CHECKING:
    from ml_compliance.decide._contract import Request as Question

SUBMISSION_FILE = "model_submission.json"
LAW_FILE = "policy_data.json"
MEASURED_FILE = "measured.json"
DEFAULT_LAW = "compliance_policy.yaml"
DECISION_FILE = "decision.json"
# What the facts say about deciding does not change what was measured.
_OF_DECIDING = ("policy", "rego", "engine", "server")


@dataclass(frozen=True)
class Request:
    """What one call of the gate is about: the files of facts and law, what the command line adds, and where to write.

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
        written = self.facts.policy or DEFAULT_LAW
        path = self.policy or self.config.parent / written
        if self.required and self.facts.rego:
            raise UsageError(
                "thresholds on the command line are judged by the shipped policy, and `rego` names another",
                where=self.config.name,
                remedy="leave out the thresholds, or `rego`",
            )
        if self.required and not (self.policy or self.facts.policy or path.exists()):
            # What the command line requires is law enough, unless a file was asked for by name.
            return with_items(None, self.facts.project, self.required)
        law = read_law(path, str(self.policy or written))
        if law.project != self.facts.project:
            raise UsageError(
                f"the law is for the project {law.project!r}, the facts are about {self.facts.project!r}",
                where=f"{self.policy or written}:1",
                remedy="name the law of this project, or correct one of the two",
            )
        if not self.only:
            return with_items(law, self.facts.project, self.required)
        narrowed = replace(law, policies=tuple(item for item in law.policies if item["type"] == self.only))
        return narrowed if narrowed.policies else with_items(narrowed, self.facts.project, self.required)


@dataclass
class Stopwatch:
    """Seconds of wall time by room, in the order in which they ran."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def room(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - start


def measure(request: Request, watch: Stopwatch | None = None) -> tuple[Evidence, ...]:
    """Run the measurements that are named (all of them when none is) and write one evidence file each.

    A measurement that fails becomes evidence with status `error`, and the others still run. Raises UsageError
    when the facts, the law or a name are wrong: no evidence can come of those.
    """
    watch = watch or Stopwatch()
    wanted = request.names or plugins.names("measure")
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
    files.write(request.out / "evidence" / MEASURED_FILE, canonical(_state(request)))
    return tuple(found)


def _state(request: Request) -> dict[str, Any]:
    """What evidence was measured on: the facts, and name, size and change time of every data file they name.

    Whether a backend's table or an object in a store has changed cannot be seen from here.
    """
    from ml_compliance.engine.sources import files_of, is_remote

    data, champion, approvals = request.facts.data, request.facts.champion, request.facts.approvals
    judged = () if data.backend else (data.evaluation, data.reference, champion.predictions if champion else "")
    named = [path for path in (*judged, data.training, data.raw, approvals) if path and not is_remote(path)]
    found = [source for path in named for source in files_of(request.config.parent, path)]
    stats = {source.name: source.path.stat() for source in found}
    return {
        "facts": digest({name: part for name, part in asdict(request.facts).items() if name not in _OF_DECIDING}),
        "files": {name: [stat.st_size, stat.st_mtime_ns] for name, stat in sorted(stats.items())},
    }


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
    from ml_compliance.submit import submission

    given = tuple(evidence) if evidence is not None else _evidence_files(request)
    document = submission(request.facts.project, request.facts.data.name, given, created())
    files.write(request.out / SUBMISSION_FILE, canonical(document))
    return document


def _evidence_files(request: Request) -> tuple[Evidence, ...]:
    folder, again = request.out / "evidence", "run: ml-compliance measure"
    paths = sorted(path for path in folder.glob("*.json") if path.name != MEASURED_FILE)
    if not paths:
        raise UsageError("there is no evidence", where=str(folder), remedy=again)
    if read_json(folder / MEASURED_FILE, again) != json.loads(canonical(_state(request))):
        raise UsageError("facts or data have changed since this was measured", where=str(folder), remedy=again)
    found = []
    for path in paths:
        document = read_json(path)
        validate(document, EVIDENCE_SCHEMA, str(path))
        found.append(read_evidence(document))
    return tuple(found)


def created() -> str:
    """The moment of evaluation in RFC 3339; SOURCE_DATE_EPOCH fixes it, for reproducible runs."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"SOURCE_DATE_EPOCH is {epoch!r}", remedy="give seconds since 1970, or unset it") from None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def decide(request: Request, document: Mapping[str, Any] | None = None) -> Decision:
    """Ask the policy engine about `document`, or about the submission file, and write the decision.

    When the engine cannot answer, that is a decision too: `not_evaluated`, with the cause.
    """
    from ml_compliance.decide import _contract
    from ml_compliance.decide._decide import decide as ask
    from ml_compliance.decisions import decision_document

    law, facts = request.law, request.facts
    if document is None:
        document = read_json(request.out / SUBMISSION_FILE, "run: ml-compliance submit")
    files.write(request.out / LAW_FILE, canonical({"mlpolicy": {"law": law.document()}}))
    rego = request.config.parent / facts.rego if facts.rego else None
    question = _contract.Request(document, law.document(), rego, facts.server)
    try:
        decision = ask(question, facts.engine, law.locate)
    except EvaluationError as error:
        decision = _refused(question, facts.engine, str(error))
    files.write(request.out / DECISION_FILE, canonical(decision_document(decision)))
    return decision


def _refused(question: Question, engine: str, reason: str) -> Decision:
    """The decision when no engine answered: nothing was judged, so nothing is allowed."""
    law_digest, input_digest = str(question.law["digest"]), digest(question.submission)
    return Decision(
        verdict="not_evaluated", violations=(), warnings=(), waived=(), insufficient=(), errors=(reason,),
        engine=engine, engine_version="", policy_digest="", law_digest=law_digest, input_digest=input_digest,
        id=digest({"input": input_digest, "law": law_digest, "reason": reason}).removeprefix("sha256:"),
        time=question.submission["input"]["created"],
    )  # fmt: skip


def report(request: Request, decision: Decision | None = None) -> Report:
    """What the sinks render: the submission file, and `decision` or the decision file."""
    from ml_compliance.decisions import read_decision
    from ml_compliance.submit import read_submission

    document = read_json(request.out / SUBMISSION_FILE, "run: ml-compliance submit")
    model = document["input"]["model"]
    if decision is None:
        decision = read_decision(read_json(request.out / DECISION_FILE, "run: ml-compliance decide"))
    return Report(
        project=request.facts.project,
        model=" v".join(part for part in (model["name"] or request.facts.project, model["version"]) if part),
        decision=decision,
        evidence=read_submission(document, str(request.out / SUBMISSION_FILE)),
        submission=document,
        law=tuple(request.law.policies),
    )


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
    evidence = measure(request, watch=watch)
    with watch.room("submit"):
        document = submit(request, evidence)
    with watch.room("decide"):
        decision = decide(request, document)
    with watch.room("publish"):
        found = report(request, decision)
        publish(found, request.out)
    return found


def read_json(path: Path, remedy: str = "") -> dict[str, Any]:
    """A JSON object from a file. Raises UsageError when it is missing or broken."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError("there is no such file", where=str(path), remedy=remedy) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the file cannot be read: {error}", where=str(path), remedy=remedy) from error
    except json.JSONDecodeError as error:
        raise UsageError(f"this is not JSON: {error.msg}", where=f"{path}:{error.lineno}:{error.colno}") from None
    if not isinstance(loaded, dict):
        raise UsageError("this is not a JSON object", where=str(path), remedy=remedy)
    return loaded
