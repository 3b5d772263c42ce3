"""What is wrong with the files that deploy the model: Dockerfiles, Kubernetes and Terraform, by Trivy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ml_compliance.errors import UsageError
from ml_compliance.measure import _dockerfile, _trivy_report
from ml_compliance.measure._digests import file_digest
from ml_compliance.measure._trivy import Trivy, program
from ml_compliance.measure._trivy_database import cache_folder
from ml_compliance.model import Evidence, Json, Measurement

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.facts import NoSettings

NAME = "deployment"
_IGNORED = re.compile(r"(trivy|tfsec):ignore:", re.IGNORECASE)


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Failed checks by severity, what they are, and the images that Dockerfiles start from.

    Trivy's own checks are used, those that are built into it; nothing is downloaded. Raises UsageError when a file is
    not there, EvaluationError when the scan could not be finished.
    """
    named = context.facts.deployment
    if named is None:
        return Evidence(NAME, "missing", reason="no deployment is named")
    files = [file for written in named.files for file in _files(context, written)]
    failed, checked, version = _scanned(context, named.files)
    bases = [base for path, name in files for base in _bases(path, name)]
    ignored: list[Json] = [place for path, name in files for place in _ignored(path, name)]
    return Evidence(
        NAME,
        "measured",
        (
            *_by_severity(failed),
            Measurement(f"{NAME}/checked_files", float(len(checked))),
            Measurement(f"{NAME}/base_images", float(len(bases))),
            Measurement(f"{NAME}/ignored_checks", float(len(ignored))),
        ),
        facts={
            "checked_files": list(checked),
            "misconfigurations": failed,
            "base_images": bases,
            "ignored_checks": ignored,
            "scanner": {"name": "trivy", "version": version, "schema": _trivy_report.SCHEMA_VERSION},
        },
        files=tuple(file_digest(path, name) for path, name in files),
    )


def _files(context: Context, written: str) -> list[tuple[Path, str]]:
    path = context.path(written)
    if path.is_file():
        return [(path, written)]
    found = sorted(file for file in path.rglob("*") if file.is_file() and ".git" not in file.parts)
    if not found:
        what = "the folder has no files" if path.is_dir() else "there is no such file"
        raise UsageError(what, where=written, remedy="put deployment.files in compliance.yaml right")
    return [(file, f"{written.rstrip('/')}/{file.relative_to(path).as_posix()}") for file in found]


def _scanned(context: Context, named: Iterable[str]) -> tuple[list[dict[str, Any]], tuple[str, ...], str]:
    """The checks that failed, the files that Trivy knows the kind of, and its version."""
    scanner = context.facts.scanner
    failed: list[dict[str, Any]] = []
    checked: list[str] = []
    with TemporaryDirectory(prefix="ml-compliance-") as name:
        empty = Path(name) / "empty"
        empty.mkdir()
        trivy = Trivy(program(), cache_folder(scanner, context.folder), empty, scanner.timeout)
        for written in named:
            raw, path = Path(name) / "report.json", context.path(written)
            trivy.run("config", str(path.resolve()), "--format", "json", "--output", str(raw), "--skip-check-update",
                      "--exit-code", "0")  # fmt: skip
            report = _trivy_report.read(raw)
            place = {True: written, False: f"{written.rstrip('/')}/"}[path.is_file()]
            targets = [result["Target"] for result in report.get("Results") or ()]
            checked += [place if path.is_file() else place + target for target in targets]
            failed += [
                {**one, "file": place if path.is_file() else place + one["file"]}
                for one in _trivy_report.misconfigurations(report)
            ]
        return failed, tuple(checked), trivy.version()


def _by_severity(failed: Iterable[dict[str, Any]]) -> tuple[Measurement, ...]:
    counts = Counter(one["severity"] for one in failed)
    return tuple(
        Measurement(f"{NAME}/misconfigurations", float(counts[severity]), slice={"severity": severity})
        for severity in _trivy_report.SEVERITIES
    )


def _bases(path: Path, name: str) -> Iterator[dict[str, Json]]:
    """The images that a Dockerfile starts from, but for its own stages and the empty one."""
    if "dockerfile" not in path.name.lower() and "containerfile" not in path.name.lower():
        return
    for base in _dockerfile.bases(path.read_text(encoding="utf-8-sig", errors="replace")):
        yield {"image": base.image, "pinned": base.pinned, "file": name, "line": base.line}


def _ignored(path: Path, name: str) -> Iterator[dict[str, Json]]:
    """Comments by which Trivy leaves a check out."""
    for line, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if _IGNORED.search(text):
            yield {"file": name, "line": line}
