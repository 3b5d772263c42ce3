"""Carries a report to where people look, by the platform that this process runs on; and says what would be possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ml_compliance import files, gate, plugins, tools
from ml_compliance.comparison import compare
from ml_compliance.documents import canonical
from ml_compliance.errors import EvaluationError
from ml_compliance.model import Report
from ml_compliance.platforms import Api, ApiError, Capability, Delivery, Run, Wish
from ml_compliance.platforms._planned import Planned
from ml_compliance.request import Request

REQUESTS_FILE = "requests.json"


@dataclass(frozen=True)
class Posted:
    """What became of each thing; `platform` is empty outside of CI, `requests` are those of a dry run."""

    platform: str = ""
    deliveries: tuple[Delivery, ...] = ()
    requests: tuple[Mapping[str, Any], ...] = ()


def platform(environ: Mapping[str, str]) -> tuple[str, ModuleType] | None:
    """The platform that `environ` is the environment of, with its name; None on a laptop."""
    for name in plugins.names("platforms"):
        module = plugins.load("platforms", name)
        if module.detect(environ):
            return name, module
    return None


def commits(environ: Mapping[str, str]) -> frozenset[str]:
    """The commits that a result of this run may be of: the head of the change, and the platform's merge of it.

    None on a laptop. Raises UsageError when the environment does not describe a run.
    """
    found = platform(environ)
    if found is None:
        return frozenset()
    run: Run = found[1].read_run(environ)
    return frozenset({run.commit, run.commit_of_pipeline} - {""})


def post(request: Request, environ: Mapping[str, str], wish: Wish, *, dry_run: bool = False) -> Posted:
    """Publish the decision in the output folder. The verdict stays what it is, whatever becomes of this.

    Raises UsageError when there is no decision, or the environment does not describe a run.
    """
    return deliver(gate.report(request), request.out, environ, wish, dry_run=dry_run)


def deliver(report: Report, out: Path, environ: Mapping[str, str], wish: Wish, *, dry_run: bool = False) -> Posted:
    """Publish a report whose files are in `out`. Raises UsageError when the environment does not describe a run."""
    found = platform(environ)
    if found is None:
        return Posted()
    name, module = found
    run = module.read_run(environ)
    api = Planned() if dry_run else module.connect(run)
    report, lost = _compared(out, report, module, run, api, wish)
    deliveries = (*lost, *module.deliver(report, run, api, wish))
    if not isinstance(api, Planned):
        return Posted(name, deliveries)
    files.write(out / REQUESTS_FILE, canonical(api.requests))
    return Posted(name, deliveries, tuple(api.requests))


def _compared(
    out: Path, report: Report, module: ModuleType, run: Run, api: Api, wish: Wish
) -> tuple[Report, tuple[Delivery, ...]]:
    """The report with what differs from the base, rendered again; else as it is, with the reason."""
    try:
        before = module.baseline(run, api, wish.name)
    except ApiError as error:
        return report, (Delivery("comparison", "skipped" if error.status in (401, 403) else "failed", str(error)),)
    if isinstance(api, Planned):
        return report, ()
    if isinstance(before, str):
        return report, (Delivery("comparison", "skipped", before),) if before else ()
    compared = replace(report, changes=compare(before, run.base_branch or run.base, report))
    gate.publish(compared, out)
    return compared, ()


def examine(environ: Mapping[str, str]) -> tuple[Capability, ...]:
    """What this machine can do: programs, policy engines, the platform, and what may be published there.

    Raises UsageError when the environment claims a platform and does not describe a run of it.
    """
    programs = [_program(name, entry["version"]) for name, entry in sorted(tools.read_lock().items())]
    found = platform(environ)
    if found is None:
        where = [Capability("platform", False, "this is no run of a CI platform")]
        return (*programs, *_engines(programs), *where)
    name, module = found
    run = module.read_run(environ)
    about = f"{name}: {run.event} of {run.repository} at {run.commit[:12]}"
    return (*programs, *_engines(programs), Capability("platform", True, about),
            *module.capabilities(run, module.connect(run, probe=True)))  # fmt: skip


def _program(name: str, version: str) -> Capability:
    try:
        found = tools.found(name)
    except EvaluationError as error:
        return Capability(f"tool {name}", False, f"{error.where}: {error.message}", error.remedy)
    install = f"ml-compliance tools install {name}"
    if found is None:
        return Capability(f"tool {name}", False, "not installed", f"put it on PATH, or: {install}")
    verified = "verified by its sha256" if found.verified else "on PATH, not verified"
    about = f"{found.version or 'says no version'}, {verified}: {found.path}"
    if found.version != version:
        return Capability(f"tool {name}", True, about, f"the lock has {version}: {install}")
    return Capability(f"tool {name}", True, about)


def _engines(programs: list[Capability]) -> tuple[Capability, ...]:
    import importlib.metadata

    from ml_compliance.decide import embedded

    opa = any(item.name == "tool opa" and item.available for item in programs)
    binary = Capability("engine binary", opa, "" if opa else "it needs the program opa")
    try:
        embedded.shipped()
    except EvaluationError as error:
        return Capability("engine embedded", False, error.message, error.remedy), binary
    return Capability("engine embedded", True, f"wasmtime {importlib.metadata.version('wasmtime')}"), binary
