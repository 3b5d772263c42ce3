"""Container images made of bytes: no daemon is needed for an OCI layout, a `docker save` archive or a registry."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

_DPKG = """\
Package: {name}
Status: install ok installed
Source: {source}
Version: {version}
Architecture: amd64
Maintainer: nobody <nobody@example.org>
Description: a package

"""
_APK = "P:{name}\nV:{version}\nA:x86_64\no:{source}\nL:Apache-2.0\n\n"
_PYTHON = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: Apache 2.0\n"

DEBIAN = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "etc/debian_version": "12.1\n",
    "var/lib/dpkg/status": _DPKG.format(name="zlib1g", source="zlib", version="1:1.2.13.dfsg-1")
    + _DPKG.format(name="libc6", source="glibc", version="2.36-9+deb12u1"),
    "usr/lib/python3/dist-packages/requests-2.19.1.dist-info/METADATA": _PYTHON.format(
        name="requests", version="2.19.1"
    ),
}
WOLFI = {
    "etc/os-release": "ID=wolfi\nVERSION_ID=20230201\n",
    "lib/apk/db/installed": _APK.format(name="libcrypto3", source="openssl", version="3.1.3-r0"),
}
CLEAN = {**WOLFI, "lib/apk/db/installed": _APK.format(name="musl", source="musl", version="1.2.4-r2")}
OUTLIVED = {**CLEAN, "etc/os-release": "ID=alpine\nVERSION_ID=3.18.4\n", "etc/alpine-release": "3.18.4\n"}


@dataclass(frozen=True)
class Image:
    """An image's blobs by digest, and the digests of its manifest and configuration."""

    manifest: str
    config: str
    blobs: Mapping[str, bytes] = field(repr=False)


def image(files: Mapping[str, str], **configuration: Any) -> Image:
    """An image of one layer with `files`; `configuration` is what Dockerfiles set, such as User."""
    layer = _tar(files)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"User": "1000", **configuration},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
            "history": [{"created_by": "COPY / # test"}],
        }
    ).encode()
    return packed(config, CONFIG, gzip.compress(layer, mtime=0), LAYER)


def packed(config: bytes, config_type: str, layer: bytes, layer_type: str, **annotations: str) -> Image:
    """One layer and its configuration with the manifest that holds them together."""
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": config_type, "digest": digest(config), "size": len(config)},
            "layers": [
                {"mediaType": layer_type, "digest": digest(layer), "size": len(layer), "annotations": annotations}
            ],
        }
    ).encode()
    return Image(digest(manifest), digest(config), {digest(blob): blob for blob in (manifest, config, layer)})


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layout(made: Image, folder: Path) -> Path:
    """The image as the folder of an OCI layout."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    for name, blob in made.blobs.items():
        (folder / "blobs" / name.replace(":", "/")).write_bytes(blob)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    size = len(made.blobs[made.manifest])
    index = {"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, "digest": made.manifest, "size": size}]}
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def archive(made: Image, path: Path) -> Path:
    """The image as `docker save` writes it."""
    layer = next(blob for name, blob in made.blobs.items() if name not in (made.manifest, made.config))
    manifest = [{"Config": "config.json", "RepoTags": ["credit:1"], "Layers": ["layer.tar"]}]
    parts = {"manifest.json": json.dumps(manifest).encode(), "config.json": made.blobs[made.config],
             "layer.tar": gzip.decompress(layer)}  # fmt: skip
    with tarfile.open(path, "w") as file:
        for name, content in parts.items():
            _add(file, name, content)
    return path


def _tar(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as file:
        for name, text in files.items():
            _add(file, name, text.encode())
    return content.getvalue()


def _add(file: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    file.addfile(entry, io.BytesIO(content))
