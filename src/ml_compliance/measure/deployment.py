"""What is wrong with the files that deploy the model: Dockerfiles, Kubernetes and Terraform, by Trivy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ml_compliance.measure import _deployment_files, _dockerfile, _trivy_config, _trivy_report
from ml_compliance.measure._deployment_files import File, Link
from ml_compliance.measure._digests import file_digest
from ml_compliance.measure._dockerfile_user import user
from ml_compliance.measure._trivy import scanning
from ml_compliance.measure._trivy_database import cache_folder
from ml_compliance.model import Evidence, Json, Measurement

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.facts import NoSettings

NAME = "deployment"
_IGNORED = re.compile(r"(trivy|tfsec):ignore:", re.IGNORECASE)
_ROOT_USER = "AVD-DS-0002"


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Failed checks by severity, what they are, the images that Dockerfiles use, and the labels of what is run.

    Trivy's own checks are used, those that are built into it; nothing is downloaded. Raises UsageError when a file is
    not there, EvaluationError when the scan could not be finished.
    """
    named = context.facts.deployment
    if named is None:
        return Evidence(NAME, "missing", reason="no deployment is named")
    files, links = _deployment_files.found(named.files, context.folder)
    scanner = context.facts.scanner
    with scanning(cache_folder(scanner, context.folder), scanner.timeout) as (trivy, scratch):
        checked = _trivy_config.check(trivy, scratch, files, tuple(named.files))
        version = trivy.version()
    failed = _trivy_report.by_gravity([*checked.failed, *_run_as_root(files, checked)])
    bases = [base for file in files for base in _bases(file)]
    workloads, unread = _labelled(files, links)
    ignored: list[Json] = [place for file in files for place in _ignored(file)]
    return Evidence(
        NAME,
        "measured",
        (
            *_trivy_report.by_severity(f"{NAME}/misconfigurations", failed),
            Measurement(f"{NAME}/checked_files", float(len(checked.files))),
            Measurement(f"{NAME}/base_images", float(len(bases))),
            Measurement(f"{NAME}/ignored_checks", float(len(ignored))),
            Measurement(f"{NAME}/workloads", float(len(workloads))),
            Measurement(f"{NAME}/unread_files", float(len(unread))),
        ),
        facts={
            "checked_files": list(checked.files),
            "misconfigurations": failed,
            "base_images": bases,
            "ignored_checks": ignored,
            "workloads": workloads,
            "unread_files": unread,
            "scanner": {"name": "trivy", "version": version, "schema": _trivy_report.SCHEMA_VERSION},
        },
        files=tuple(file_digest(file.path, file.name) for file in files),
    )


def _run_as_root(files: Sequence[File], checked: _trivy_config.Checked) -> Iterator[dict[str, Json]]:
    """Dockerfiles whose user may be root though Trivy's check of that name has not noticed."""
    noticed = {one["file"] for one in checked.failed if one["check"] == _ROOT_USER}
    for file in files:
        if not file.is_dockerfile or file.name in noticed:
            continue
        if (found := user(file.text)).may_be_root:
            says = f"USER is {found.name!r}, which may be root" if found.line else "the last stage has no USER"
            yield {
                "check": _ROOT_USER,
                "severity": "high",
                "title": "Image user should not be 'root'",
                "message": says,
                "resolution": "End the last stage with USER and a name or number other than root's",
                "file": file.name,
                "line": found.line,
            }


def _bases(file: File) -> Iterator[dict[str, Json]]:
    if file.is_dockerfile:
        for base in _dockerfile.bases(file.text):
            yield {"image": base.image, "pinned": base.pinned, "file": file.name, "line": base.line}


def _labelled(files: Sequence[File], links: Sequence[Link]) -> tuple[list[Json], list[Json]]:
    """Images and workloads with the names of their labels, and the files in which there may be more of them."""
    found: list[Json] = []
    unread: list[Json] = [{"file": link.name, "why": link.why} for link in links]
    for file in files:
        if file.is_dockerfile:
            try:
                found.append({"workload": f"image of {file.name}", "file": file.name,
                              "labels": list(_dockerfile.labels(file.text))})  # fmt: skip
            except ValueError as error:
                unread.append({"file": file.name, "why": str(error)})
        if isinstance(file.manifest, str):
            unread.append({"file": file.name, "why": file.manifest})
        else:
            found += [{"workload": one.workload, "file": file.name, "labels": list(one.labels)}
                      for one in file.manifest.workloads]  # fmt: skip
    return found, unread


def _ignored(file: File) -> Iterator[dict[str, Json]]:
    """Comments by which Trivy leaves a check out."""
    for line, text in enumerate(file.text.splitlines(), 1):
        if _IGNORED.search(text):
            yield {"file": file.name, "line": line}
