"""What Trivy writes as JSON: the parts that are read here, checked against the version of its format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_compliance.errors import EvaluationError
from ml_compliance.files import strict_json
from ml_compliance.model import Measurement

SCHEMA_VERSION = 2
SEVERITIES = ("critical", "high", "medium", "low", "unknown")
UNKNOWN = "unknown"

_TEXT = {"type": "string"}
_SEVERITY = {"enum": [severity.upper() for severity in SEVERITIES]}


def _list(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    item = {"type": "object", "required": list(required), "properties": properties}
    return {"type": ["array", "null"], "items": item}


_RESULT = {
    "Target": _TEXT,
    "Class": _TEXT,
    "Type": _TEXT,
    "Packages": _list(("Name",), Name=_TEXT, Version=_TEXT, Licenses={"type": ["array", "null"], "items": _TEXT}),
    "Vulnerabilities": _list(
        ("VulnerabilityID", "PkgName", "Severity"), VulnerabilityID=_TEXT, PkgName=_TEXT, Severity=_SEVERITY,
        InstalledVersion=_TEXT, FixedVersion=_TEXT, Title=_TEXT, PkgPath=_TEXT, PrimaryURL=_TEXT,
    ),
    "Secrets": _list(("RuleID", "Severity"), RuleID=_TEXT, Severity=_SEVERITY, StartLine={"type": "integer"}),
    "Licenses": _list(("Name", "PkgName"), Name=_TEXT, PkgName=_TEXT, Category=_TEXT),
    "Misconfigurations": _list(
        ("ID", "Severity", "Status"), ID=_TEXT, AVDID=_TEXT, Severity=_SEVERITY,
        Status={"enum": ["PASS", "FAIL", "EXCEPTION"]}, Title=_TEXT, Message=_TEXT, Resolution=_TEXT,
        CauseMetadata={"type": "object"},
    ),
    "ExperimentalModifiedFindings": _list(("Type", "Status", "Finding"), Type=_TEXT, Status=_TEXT,
                                          Finding={"type": "object"}),
}  # fmt: skip
REPORT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["SchemaVersion", "ArtifactType"],
    "properties": {
        "SchemaVersion": {"const": SCHEMA_VERSION},
        "ArtifactName": _TEXT,
        "ArtifactType": _TEXT,
        "Metadata": {
            "type": "object",
            "properties": {
                "OS": {"type": "object", "properties": {"Family": _TEXT, "Name": _TEXT, "EOSL": {"type": "boolean"}}},
                "ImageID": {**_TEXT, "pattern": "^sha256:[0-9a-f]{64}$"},
                "RepoDigests": {"type": ["array", "null"], "items": _TEXT},
            },
        },
        "Results": _list((), **_RESULT),
    },
}


def read(path: Path) -> dict[str, Any]:
    """The report in `path`. Raises EvaluationError when it is cut off, is none, or is of a version not known here."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    try:
        found = strict_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EvaluationError(f"the report of trivy cannot be read: {error}", where="trivy",
                              remedy="scan again") from error  # fmt: skip
    version = found.get("SchemaVersion") if isinstance(found, dict) else None
    if version != SCHEMA_VERSION:
        raise EvaluationError(f"the report of trivy has the SchemaVersion {version!r}; {SCHEMA_VERSION} is known here",
                              where="trivy", remedy="use the trivy that the lock names")  # fmt: skip
    problem = best_match(Draft202012Validator(REPORT_SCHEMA).iter_errors(found))
    if problem is not None:
        raise EvaluationError(f"the report of trivy is of another form: {problem.json_path}: {problem.message[:200]}",
                              where="trivy", remedy="use the trivy that the lock names")  # fmt: skip
    report: dict[str, Any] = found
    return report


def each(report: Mapping[str, Any], kind: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every (result, entry) of `kind`, such as Vulnerabilities."""
    for result in report.get("Results") or ():
        for entry in result.get(kind) or ():
            yield result, entry


def by_severity(name: str, found: Iterable[Mapping[str, Any]]) -> tuple[Measurement, ...]:
    """How many there are of each severity, as measurements called `name`."""
    counts = Counter(one["severity"] for one in found)
    return tuple(Measurement(name, float(counts[severity]), slice={"severity": severity}) for severity in SEVERITIES)


def vulnerabilities(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The vulnerabilities, the gravest first."""
    found = [
        {
            "cve": entry["VulnerabilityID"],
            "package": entry["PkgName"],
            "installed": entry.get("InstalledVersion", ""),
            "fixed": entry.get("FixedVersion", ""),
            "severity": entry["Severity"].lower(),
            "title": entry.get("Title", ""),
            "location": entry.get("PkgPath") or result.get("Target", ""),
            "url": entry.get("PrimaryURL", ""),
        }
        for result, entry in each(report, "Vulnerabilities")
    ]
    return by_gravity(found)


def suppressed(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The vulnerabilities that a VEX file says do not matter, with what it says."""
    return [
        {
            "cve": entry["Finding"].get("VulnerabilityID", ""),
            "package": entry["Finding"].get("PkgName", ""),
            "status": entry["Status"],
            "statement": entry.get("Statement", ""),
            "source": Path(str(entry.get("Source", ""))).name,
        }
        for _, entry in each(report, "ExperimentalModifiedFindings")
        if entry["Type"] == "vulnerability"
    ]


def secrets(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where secrets are, and of which kind; never a part of one."""
    return [
        {"rule": entry["RuleID"], "severity": entry["Severity"].lower(), "file": result.get("Target", ""),
         "line": entry.get("StartLine", 0)}
        for result, entry in each(report, "Secrets")
    ]  # fmt: skip


def licences(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each licence with the packages that have it; those that state none have the licence `unknown`."""
    packages: dict[str, set[str]] = {}
    for _, entry in each(report, "Licenses"):
        packages.setdefault(entry["Name"].strip() or UNKNOWN, set()).add(entry["PkgName"] or "(files)")
    for _, entry in each(report, "Packages"):
        if not any(map(str.strip, entry.get("Licenses") or ())):
            packages.setdefault(UNKNOWN, set()).add(entry["Name"])
    return [{"name": name, "packages": sorted(found)} for name, found in sorted(packages.items())]


def misconfigurations(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The checks that failed, each with its place and how to put it right."""
    found = [
        {
            "check": entry.get("AVDID") or entry["ID"],
            "severity": entry["Severity"].lower(),
            "title": entry.get("Title", ""),
            "message": entry.get("Message", ""),
            "resolution": entry.get("Resolution", ""),
            "file": result.get("Target", ""),
            "line": entry.get("CauseMetadata", {}).get("StartLine", 0),
        }
        for result, entry in each(report, "Misconfigurations")
        if entry["Status"] == "FAIL"
    ]
    return by_gravity(found)


def by_gravity(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The gravest first."""
    return sorted(found, key=lambda one: (SEVERITIES.index(one["severity"]), *map(str, one.values())))
