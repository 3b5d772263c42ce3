"""The way through the house: measure → submit → decide → publish, each room leaving its files in the output folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ml_compliance import files, plugins
from ml_compliance.context import Context
from ml_compliance.documents import EVIDENCE_SCHEMA, canonical, evidence_document, read_evidence, validate
from ml_compliance.environment import unheeded
from ml_compliance.errors import ComplianceError, EvaluationError, UsageError
from ml_compliance.facts import settings_of
from ml_compliance.files import DECISION_FILE, SUBMISSION_FILE
from ml_compliance.measured import state
from ml_compliance.model import Artifact, Decision, Evidence, LawChanges, Report
from ml_compliance.request import DEFAULT_WAIVERS, Request
from ml_compliance.stopwatch import Stopwatch

LAW_FILE, MEASURED_FILE = "policy_data.json", "measured.json"


def measure(request: Request, watch: Stopwatch | None = None) -> tuple[Evidence, ...]:
    """Run the measurements that are named (all of them when none is) and write one evidence file each.

    A measurement that fails becomes evidence with status `error`, and the others still run. Raises UsageError
    when the facts, the law or a name are wrong: no evidence can come of those.
    """
    from ml_compliance.destinations import check_destinations

    watch, wanted = watch or Stopwatch(), request.names or plugins.names("measure")
    for name in wanted:
        plugins.load("measure", name)
    facts = request.facts
    check_destinations(request)
    context = Context(facts, request.law, request.config.parent, request.out, request.progress)
    files.prepare(request.out)
    found = []
    try:
        with unheeded(), request.progress("measure", len(wanted)) as advance:
            for name in wanted:
                with watch.room(f"measure {name}"):
                    evidence = _measure_one(name, context, request)
                files.write(request.out / "evidence" / f"{name}.json", canonical(evidence_document(evidence)))
                found.append(evidence)
                advance(1)
    finally:
        context.close()
    files.write(request.out / "evidence" / MEASURED_FILE, canonical(state(request.facts, request.config.parent)))
    return tuple(found)


def _measure_one(name: str, context: Context, request: Request) -> Evidence:
    module = plugins.load("measure", name)
    try:
        evidence: Evidence = module.measure(context, settings_of(request.facts, name))
        # A measurement that computed NaN or an infinity has failed, and canonical JSON says so.
        canonical(evidence_document(evidence))
        return evidence
    except UsageError as error:
        raise request.placed(error) from error
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
    from ml_compliance.decide._agreed import check_decided
    from ml_compliance.decisions import decision_document
    from ml_compliance.destinations import check_destinations
    from ml_compliance.record.decision import keep, record

    files.withdraw(request.out, files.VERDICTS)
    check_destinations(request)
    law, facts, watch = request.law, request.facts, watch or Stopwatch()
    if document is None:
        document = files.read_json(request.out / SUBMISSION_FILE, "run: ml-compliance submit")
    files.write(request.out / LAW_FILE, canonical({"mlpolicy": {"law": law.document()}}))
    question = Question(document, law.document(), request.rego, facts.server, request.rego_key)
    try:
        with watch.room("decide"):
            decision = ask(question, facts.engine, law.locate, cross_check=request.cross_check)
        if request.policy_digest:
            check_decided(request.policy_digest, decision)
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
    from ml_compliance.comparison import compare
    from ml_compliance.decisions import read_decision_on
    from ml_compliance.submit import read_submission

    document = files.read_json(request.out / SUBMISSION_FILE, "run: ml-compliance submit")
    evidence = read_submission(document, str(request.out / SUBMISSION_FILE))
    model = document["input"]["model"]
    if decision is None:
        left = files.read_json(request.out / DECISION_FILE, "run: ml-compliance decide")
        decision = read_decision_on(left, document, str(request.law.document()["digest"]))
    found = Report(
        project=request.facts.project,
        model=" v".join(part for part in (model["name"] or request.facts.project, model["version"]) if part),
        decision=decision,
        evidence=evidence,
        submission=document,
        law=tuple(request.law.policies),
        folder=files.from_root(request.config.parent),
    )
    if request.snapshot is None:
        return found
    return replace(found, changes=compare(request.snapshot, str(request.baseline), found))


def _server_decides(request: Request) -> bool:
    """Then its policy is not known before it answers."""
    return request.facts.engine == "server" or (request.facts.engine == "auto" and request.facts.server is not None)


def _law_changes(request: Request) -> LawChanges:
    from ml_compliance.law_changes import base_of, law_changes

    folder = request.law_file.parent
    beside = (request.facts.rego, request.facts.waivers or DEFAULT_WAIVERS)
    others = [os.path.relpath(request.config.parent / name, folder) for name in beside if name]
    # A law that the command line names is not the facts' to change.
    facts = "" if request.policy else os.path.relpath(request.config, folder)
    return law_changes(folder, request.law_file.name, others, request.base or base_of(os.environ), facts)


def publish(report: Report, out: Path) -> tuple[Path, ...]:
    """Render every sink that has something to say into the output folder."""
    written = []
    for name in plugins.names("publish"):
        artifact: Artifact | None = plugins.load("publish", name).render(report)
        if artifact is not None:
            files.write(out / artifact.name, artifact.text)
            written.append(out / artifact.name)
    return tuple(written)


def gate(request: Request, watch: Stopwatch) -> Report:
    """All rooms in order. The report's decision carries the verdict."""
    try:
        _ = request.snapshot  # It may be what the last run left in the same folder.
    finally:
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
