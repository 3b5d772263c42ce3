"""What was found in the image, for GitLab's security reports: `gl-container-scanning-report.json`, where a scan ran."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from ml_compliance import __version__
from ml_compliance.model import Artifact, Evidence, Json, Report
from ml_compliance.publish._numbers import counted
from ml_compliance.publish._text import clip, markdown, terminal
from ml_compliance.publish._view import mapping, mappings

_VERSION = "15.0.7"
"""Of the format; a GitLab that knows another patch of 15.0 holds the report to that one."""
_SCHEMA = (
    "https://gitlab.com/gitlab-org/security-products/security-report-schemas"
    f"/-/raw/v{_VERSION}/dist/container-scanning-report-format.json"
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_SEVERITIES = ("critical", "high", "medium", "low")
_ADDRESSES = {"cve": "https://nvd.nist.gov/vuln/detail/", "ghsa": "https://github.com/advisories/"}
_KNOWN = re.compile(r"(CVE|GHSA)-[A-Za-z0-9-]+")
_TAGGED = re.compile(r"[^:]+(:\d+[^:]*)?:[^:]+(:[^:]+)?")
_LONG = 200
"""Characters of a name; GitLab takes 255."""


def render(report: Report) -> Artifact | None:
    """`gl-container-scanning-report.json`: every vulnerability that the scan found; None where no image was scanned.

    Those that the law allows and those that a waiver sets aside are among them: this tells what is in the image, and
    dismissing is GitLab's own. Those that a VEX file takes out are counted. Format:
    https://gitlab.com/gitlab-org/security-products/security-report-schemas
    """
    image = next((item for item in report.evidence if item.name == "image" and item.status == "measured"), None)
    moments = [_word(mapping(image.facts.get("scan")).get(key)) for key in ("started", "ended")] if image else []
    if image is None or not all(map(_MOMENT.fullmatch, moments)):
        return None
    found = [_vulnerability(image, item) for item in mappings(image.facts.get("vulnerabilities"))]
    document = {
        "version": _VERSION,
        "schema": _SCHEMA,
        "scan": _scan(image, *moments),
        # A package may lie in an image several times; GitLab knows it by name and version alone.
        "vulnerabilities": list({item["id"]: item for item in reversed(found)}.values())[::-1],
    }
    return Artifact("gl-container-scanning-report.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _scan(image: Evidence, started: str, ended: str) -> dict[str, Any]:
    scanner = mapping(image.facts.get("scanner"))
    reason = _word(image.reason)
    messages = [{"level": "warn", "value": reason}] if reason else []
    if apart := mappings(image.facts.get("suppressed")):
        count = counted(len(apart), "vulnerability is", "vulnerabilities are")
        messages.append({"level": "info", "value": f"{count} left out, by what a VEX file says"})
    return {
        "type": "container_scanning",
        "status": "success",
        "start_time": started,
        "end_time": ended,
        "analyzer": {"id": "ml-compliance", "name": "ml-compliance", "version": __version__,
                     "vendor": {"name": "ml-compliance"}},
        "scanner": {"id": "trivy", "name": "Trivy", "version": _word(scanner.get("version")) or "unknown",
                    "url": "https://github.com/aquasecurity/trivy", "vendor": {"name": "Aqua Security"}},
        "messages": messages,
    }  # fmt: skip


def _vulnerability(image: Evidence, item: Mapping[str, Json]) -> dict[str, Any]:
    cve, package, installed, fixed, title, severity = (
        _word(item.get(key)) for key in ("cve", "package", "installed", "fixed", "title", "severity")
    )
    named = json.dumps([item.get(key) for key in ("cve", "package", "installed")])
    told = f"{cve} is in {package} {installed}" + (f": {title}" if title else "")
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{_SCHEMA}#{named}")),
        "name": title or cve or "unknown",
        "description": markdown(told),
        "severity": severity.capitalize() if severity in _SEVERITIES else "Unknown",
        **({"solution": markdown(f"Upgrade {package} to {fixed}")} if fixed else {}),
        "identifiers": [_identifier(cve)],
        "location": {
            "image": _reference(image),
            "operating_system": _system(image),
            "dependency": {"package": {"name": package}, "version": installed},
        },
    }


def _identifier(name: str) -> dict[str, str]:
    known = _KNOWN.fullmatch(name)
    kind = known[1].lower() if known else "trivy"
    found = {"type": kind, "name": name or "unknown", "value": name or "unknown"}
    return {**found, "url": _ADDRESSES[kind] + name} if known else found


def _system(image: Evidence) -> str:
    known = mapping(image.facts.get("os"))
    return clip(" ".join(filter(None, (_word(known.get(key)) for key in ("family", "name")))), _LONG) or "unknown"


def _reference(image: Evidence) -> str:
    """The image as GitLab takes it, with a tag or digest: by what stands before, a finding is known again elsewhere."""
    name = _word(image.facts.get("reference")) or "unknown"
    digest = f"sha256:{_word(image.facts.get('digest')).rpartition(':')[2] or 'unknown'}"
    tagged = [name] if ":" in name.rpartition("/")[2] else []
    # An archive may be called anything; a colon in its name would be taken for the one before a tag.
    named = (*tagged, f"{name}@{digest}", f"{name.replace(':', '_')}@{digest}")
    return next(one for one in named if _TAGGED.fullmatch(one))


def _word(value: Json) -> str:
    return clip(terminal(clip(value, _LONG)), _LONG) if isinstance(value, str) else ""
