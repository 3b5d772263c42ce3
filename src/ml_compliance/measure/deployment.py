"""What is wrong with the files that deploy the model: Dockerfiles, Kubernetes and Terraform, by Trivy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_compliance.errors import UsageError
from ml_compliance.measure import _dockerfile, _trivy_report, _workloads
from ml_compliance.measure._digests import file_digest
from ml_compliance.measure._trivy import scanning
from ml_compliance.measure._trivy_database import cache_folder
from ml_compliance.model import Evidence, Json, Measurement

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.facts import NoSettings

NAME = "deployment"
_IGNORED = re.compile(r"(trivy|tfsec):ignore:", re.IGNORECASE)


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Failed checks by severity, what they are, the images that Dockerfiles start from, and the labels of what is run.

    Trivy's own checks are used, those that are built into it; nothing is downloaded. Raises UsageError when a file is
    not there, EvaluationError when the scan could not be finished.
    """
    named = context.facts.deployment
    if named is None:
        return Evidence(NAME, "missing", reason="no deployment is named")
    files = [file for written in named.files for file in _files(context, written)]
    failed, checked, version = _scanned(context, named.files)
    bases = [base for path, name in files for base in _bases(path, name)]
    workloads, unread = _labelled(files)
    ignored: list[Json] = [place for path, name in files for place in _ignored(path, name)]
    return Evidence(
        NAME,
        "measured",
        (
            *_trivy_report.by_severity(f"{NAME}/misconfigurations", failed),
            Measurement(f"{NAME}/checked_files", float(len(checked))),
            Measurement(f"{NAME}/base_images", float(len(bases))),
            Measurement(f"{NAME}/ignored_checks", float(len(ignored))),
            Measurement(f"{NAME}/workloads", float(len(workloads))),
            Measurement(f"{NAME}/unread_files", float(len(unread))),
        ),
        facts={
            "checked_files": list(checked),
            "misconfigurations": failed,
            "base_images": bases,
            "ignored_checks": ignored,
            "workloads": workloads,
            "unread_files": unread,
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
    with scanning(cache_folder(scanner, context.folder), scanner.timeout) as (trivy, scratch):
        for written in named:
            raw, path = scratch / "report.json", context.path(written)
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


def _bases(path: Path, name: str) -> Iterator[dict[str, Json]]:
    if _dockerfile.is_dockerfile(path.name):
        for base in _dockerfile.bases(_text(path)):
            yield {"image": base.image, "pinned": base.pinned, "file": name, "line": base.line}


def _labelled(files: Sequence[tuple[Path, str]]) -> tuple[list[Json], list[Json]]:
    """Images and workloads with the names of their labels, and the files in which there may be more of them."""
    found: list[Json] = []
    unread: list[Json] = []
    for path, name in files:
        try:
            if _dockerfile.is_dockerfile(path.name):
                found.append({"workload": f"image of {name}", "file": name,
                              "labels": list(_dockerfile.labels(_text(path)))})  # fmt: skip
            elif _workloads.may_describe(path.name):
                found += [{"workload": one.workload, "file": name, "labels": list(one.labels)}
                          for one in _workloads.workloads(_text(path))]  # fmt: skip
        except ValueError as error:
            unread.append({"file": name, "why": str(error)})
    return found, unread


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace")


def _ignored(path: Path, name: str) -> Iterator[dict[str, Json]]:
    """Comments by which Trivy leaves a check out."""
    for line, text in enumerate(_text(path).splitlines(), 1):
        if _IGNORED.search(text):
            yield {"file": name, "line": line}
