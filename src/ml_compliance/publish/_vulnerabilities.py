"""What the evidence says of the vulnerabilities that findings are about: packages, versions, places and an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ml_compliance.model import Finding, Report
from ml_compliance.publish._view import mappings

_RULE = ".vulnerability"
# Foreign text: what may stand in an address, and nothing that could end it.
_ADDRESS = re.compile(r"https://[\w.-]+/[\w./?=&%+~#-]*", re.ASCII)


@dataclass(frozen=True)
class Affected:
    """A package that has the vulnerability; versions and place as the scanner writes them, empty where it says none."""

    package: str
    installed: str
    fixed: str
    location: str


@dataclass(frozen=True)
class Vulnerability:
    """Its name, such as CVE-2023-4911, where to read about it (empty if unknown), and the packages that have it."""

    cve: str
    url: str
    packages: tuple[Affected, ...] = ()


def cve_of(finding: Finding) -> str:
    """The vulnerability that a finding of a rule `….vulnerability` names; empty for every other finding."""
    return finding.slice.get("cve", "") if finding.rule.endswith(_RULE) else ""


def vulnerabilities(report: Report) -> Mapping[tuple[str, str], Vulnerability]:
    """Every vulnerability in the evidence, by the rule that finds it and by its name."""
    found: dict[tuple[str, str], Vulnerability] = {}
    for evidence in report.evidence:
        for one in mappings(evidence.facts.get("vulnerabilities")):
            text = {key: value for key, value in one.items() if isinstance(value, str)}
            key = (evidence.name + _RULE, text.get("cve", ""))
            url = text.get("url", "")
            known = found.get(key) or Vulnerability(key[1], url if _ADDRESS.fullmatch(url) else "")
            affected = Affected(*(text.get(name, "") for name in ("package", "installed", "fixed", "location")))
            found[key] = replace(known, packages=(*known.packages, affected))
    return found
