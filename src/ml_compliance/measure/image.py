"""What is in the container image: vulnerabilities, secrets, licences, and a bill of materials, by Trivy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_compliance.deployed import Image
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.measure import _trivy_report
from ml_compliance.measure._digests import file_digest
from ml_compliance.measure._trivy import Trivy, scanning
from ml_compliance.measure._trivy_database import Database, allowed_days, cache_folder, database
from ml_compliance.model import Evidence, FileDigest, Measurement

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.facts import NoSettings

SBOM = "image.cdx.json"


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Counts by severity, what was counted, and image.cdx.json in the output folder.

    Raises UsageError when the facts name no image or one that is not there, EvaluationError when the scan could not
    be finished, or not by a database that is recent enough.
    """
    image = context.facts.image
    if image is None:
        return Evidence("image", "missing", reason="no image is named")
    archive = _checked(image, context)
    scanner = context.facts.scanner
    with scanning(cache_folder(scanner, context.folder), scanner.timeout) as (trivy, scratch):
        version = trivy.version()
        current = database(trivy, scanner, allowed_days(context.law, "image"), datetime.now(UTC))
        vex = [context.path(written).resolve() for written in image.vex]
        started = datetime.now(UTC)
        target = ["--input", str(archive)] if archive else [image.name]
        raw, bill = scratch / "report.json", context.out.resolve() / SBOM
        _scan(trivy, target, vex, raw, offline=scanner.offline)
        moments = {"started": _moment(started), "ended": _moment(datetime.now(UTC))}
        report = _trivy_report.read(raw)
        trivy.run("convert", "--format", "cyclonedx", "--output", str(bill), str(raw))
    files = [_named(context, written) for written in image.vex]
    if archive and archive.is_file():
        files.append(_named(context, image.archive))
    return _evidence(report, image, current, version, moments, file_digest(bill, SBOM), files)


def _checked(image: Image, context: Context) -> Path | None:
    """The archive, if that is what is named."""
    for written in (image.archive, *image.vex):
        if written and not context.path(written).exists():
            raise UsageError("there is no such file", where=written, remedy="correct its path", named=written)
    return context.path(image.archive).resolve() if image.archive else None


def _scan(trivy: Trivy, target: list[str], vex: list[Path], report: Path, *, offline: bool) -> None:
    trivy.run(
        "image", *target, "--format", "json", "--output", str(report), "--list-all-pkgs",
        "--scanners", "vuln,secret,license,misconfig", "--image-config-scanners", "misconfig,secret",
        "--show-suppressed", "--skip-db-update", "--skip-check-update", "--exit-code", "0",
        *(("--skip-java-db-update", "--offline-scan") if offline else ()),
        *(word for path in vex for word in ("--vex", str(path))),
    )  # fmt: skip


def _named(context: Context, written: str) -> FileDigest:
    return file_digest(context.path(written), written)


def _moment(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S")


def _evidence(
    report: Mapping[str, Any], image: Image, current: Database, version: str, moments: Mapping[str, str],
    bill: FileDigest, files: list[FileDigest],
) -> Evidence:  # fmt: skip
    found = _trivy_report.vulnerabilities(report)
    secrets, licences = _trivy_report.secrets(report), _trivy_report.licences(report)
    wrong = _trivy_report.misconfigurations(report)
    unscanned = _unscanned(report)
    digest, of = _digest(report, image)
    return Evidence(
        "image",
        "measured",
        (
            *_trivy_report.by_severity("image/vulnerabilities", found),
            *_trivy_report.by_severity("image/misconfigurations", wrong),
            Measurement("image/secrets", float(len(secrets))),
            Measurement("image/licences", float(len(licences))),
        ),
        facts={
            "reference": image.name or image.archive,
            "digest": digest,
            "digest_of": of,
            "os": _system(report),
            "incomplete": bool(unscanned),
            "scanner": {"name": "trivy", "version": version, "schema": _trivy_report.SCHEMA_VERSION},
            "database": asdict(current),
            "scan": moments,
            "vulnerabilities": found,
            "suppressed": _trivy_report.suppressed(report),
            "secrets": secrets,
            "licences": licences,
            "misconfigurations": wrong,
            "sbom": {"format": "CycloneDX", "path": SBOM, "sha256": bill.sha256},
        },
        files=(bill, *files),
        reason=unscanned,
    )


def _system(report: Mapping[str, Any]) -> dict[str, Any] | None:
    found = report.get("Metadata", {}).get("OS")
    if not found:
        return None
    return {"family": found.get("Family", ""), "name": found.get("Name", ""), "end_of_life": found.get("EOSL", False)}


def _unscanned(report: Mapping[str, Any]) -> str:
    """Why a number of 0 would mean nothing; empty when it means that there are none."""
    system = _system(report)
    packages = any(result.get("Packages") for result in report.get("Results") or ())
    if system and system["end_of_life"]:
        return (
            f"{system['family']} {system['name']} has reached its end of life: nobody looks for vulnerabilities in it"
        )
    if not packages:
        return "no package was recognised in it, neither of an operating system nor of a language"
    return ""


def _digest(report: Mapping[str, Any], image: Image) -> tuple[str, str]:
    """The digest of the manifest, by which an image is deployed; of an archive, which has none, of its configuration.

    Raises EvaluationError when another image was scanned than the one that was named by its digest.
    """
    described = report.get("Metadata", {})
    known = [written.rpartition("@")[2] for written in described.get("RepoDigests") or ()]
    asked = image.name.rpartition("@")[2] if "@" in image.name else ""
    if asked and asked not in known:
        raise EvaluationError(f"the image that was scanned has the digest {', '.join(known) or '(none)'}",
                              where=image.name, remedy="scan the image that is named")  # fmt: skip
    if known:
        return asked or known[0], "manifest"
    if "ImageID" in described:
        return str(described["ImageID"]), "configuration"
    raise EvaluationError("trivy names no digest of the image", where=image.name or image.archive)
