"""Which known vulnerabilities are in the packages that the model's own requirements name, by Trivy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_compliance.errors import EvaluationError
from ml_compliance.law import items_of
from ml_compliance.measure import _trivy_report
from ml_compliance.measure._digests import file_digest
from ml_compliance.measure._requirements import REQUIREMENTS, Pin, requirements
from ml_compliance.measure._trivy import Trivy, scanning
from ml_compliance.measure._trivy_database import allowed_days, cache_folder, database
from ml_compliance.model import Evidence, Measurement

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.facts import NoSettings

TYPE = "model_dependencies"


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Counts by severity, every package that is named in one version, and the requirements that are not.

    Raises EvaluationError when the scan could not be finished, did not read every package, or was not by a database
    that is recent enough.
    """
    # A scan needs Trivy and its database: whose law does not ask for one needs neither.
    if not items_of(context.law, TYPE):
        return Evidence(TYPE, "missing", reason=f"no item of the law has the type {TYPE}")
    if not context.facts.model.uri:
        return Evidence(TYPE, "missing", reason="no model is named")
    folder, scanner = context.model.source.folder, context.facts.scanner
    needed = requirements(folder)
    with scanning(cache_folder(scanner, context.folder), scanner.timeout) as (trivy, scratch):
        version = trivy.version()
        current = database(trivy, scanner, allowed_days(context.law, TYPE), datetime.now(UTC))
        found = _scanned(trivy, scratch, needed.pins)
    return Evidence(
        TYPE,
        "measured",
        (
            *_trivy_report.by_severity(f"{TYPE}/vulnerabilities", found),
            Measurement(f"{TYPE}/packages", float(len(needed.pins))),
            Measurement(f"{TYPE}/unpinned", float(len(needed.unpinned))),
        ),
        facts={
            "files": list(needed.files),
            "packages": [asdict(pin) for pin in needed.pins],
            "unpinned": [asdict(one) for one in needed.unpinned],
            "scanner": {"name": "trivy", "version": version, "schema": _trivy_report.SCHEMA_VERSION},
            "database": asdict(current),
            "vulnerabilities": found,
        },
        files=tuple(file_digest(folder / name, f"model/{name}") for name in needed.files),
    )


def _scanned(trivy: Trivy, scratch: Path, pins: Sequence[Pin]) -> list[dict[str, Any]]:
    """The vulnerabilities of `pins`, each with the file of the model that names its package.

    Trivy passes over lines that it cannot read, and of conda's files it knows no vulnerabilities: it is given a file of
    its own that holds all pins, and has to name every one of them.
    """
    target, raw = scratch / "model", scratch / "report.json"
    target.mkdir()
    named = {(name, pin.version): pin for pin in pins for name in _names(pin)}
    lines = "".join(f"{name}=={version}\n" for name, version in named)
    (target / REQUIREMENTS).write_text(lines, encoding="utf-8")
    trivy.run("filesystem", str(target), "--format", "json", "--output", str(raw), "--list-all-pkgs",
              "--scanners", "vuln", "--skip-db-update", "--skip-java-db-update", "--offline-scan",
              "--exit-code", "0")  # fmt: skip
    report = _trivy_report.read(raw)
    read = {(entry["Name"], entry.get("Version", "")) for _, entry in _trivy_report.each(report, "Packages")}
    unread = [f"{name}=={version}" for name, version in named if (name, version) not in read]
    if unread:
        raise EvaluationError(f"trivy did not read {', '.join(unread[:5])}", where="the model's requirements",
                              remedy="write them as name==version, and log the model again")  # fmt: skip
    return list(_placed(_trivy_report.vulnerabilities(report), named))


def _names(pin: Pin) -> tuple[str, ...]:
    """What a package may be called in an advisory: to indexes `-`, `_` and `.` are the same, to Trivy a dot is another.

    MLflow writes ruamel-yaml for what calls itself ruamel.yaml.
    """
    return tuple(dict.fromkeys((pin.package, *(re.sub("[-_.]+", sign, pin.package) for sign in "-."))))


def _placed(found: Iterable[Mapping[str, Any]], named: Mapping[tuple[str, str], Pin]) -> Iterable[dict[str, Any]]:
    """By the name that the model gives a package, with the file that names it; each once."""
    placed: dict[tuple[str, Pin], dict[str, Any]] = {}
    for one in found:
        pin = named[one["package"], one["installed"]]
        placed.setdefault((one["cve"], pin), {**one, "package": pin.package, "location": pin.file})
    return placed.values()
