"""The part of compliance.yaml that is about what is deployed: the image, its configuration, and their scanner."""

from __future__ import annotations

from dataclasses import dataclass

from ml_compliance.model import STRICT


@dataclass(frozen=True)
class Image:
    """The container image that serves the model. Name one of `name` and `archive`."""

    __pydantic_config__ = STRICT

    name: str = ""
    """What a registry calls it, best with its digest: `registry.example.org/credit@sha256:…`. Who may pull it comes
    from TRIVY_USERNAME and TRIVY_PASSWORD, or from Docker's configuration (DOCKER_CONFIG)."""
    archive: str = ""
    """A file as `docker save` writes it, or the folder of an OCI layout."""
    vex: tuple[str, ...] = ()
    """Files in OpenVEX, CycloneDX or CSAF that say which vulnerabilities do not affect the image."""


@dataclass(frozen=True)
class Deployment:
    """The files that say how the model is deployed."""

    __pydantic_config__ = STRICT

    files: tuple[str, ...]
    """Dockerfiles, Kubernetes manifests, Terraform: files, or folders of them."""


@dataclass(frozen=True)
class Scanner:
    """How Trivy is run, and from where its database of vulnerabilities comes."""

    __pydantic_config__ = STRICT

    cache: str = ""
    """Trivy's cache (default: that of TRIVY_CACHE_DIR, else Trivy's own)."""
    offline: bool = False
    """Nothing is downloaded: the database is in the cache already."""
    databases: tuple[str, ...] = ("mirror.gcr.io/aquasec/trivy-db:2", "ghcr.io/aquasecurity/trivy-db:2")
    """From where it is downloaded, the first that has it; `…@sha256:…` pins one."""
    database_sha256: str = ""
    """The sha256 of the file trivy.db: a scan by any other is none."""
    timeout: int = 900
    """Seconds that one scan, or one download, may take."""
