"""The lock file: version, URL and sha256 of each program, by operating system and architecture.

An asset is the program itself, or a `.tar.gz` that holds it under the tool's name. An empty sha256 means that nobody
has pinned this asset yet. It is then built from source, if the lock pins the source of the program by the checksum of
its Go module, and else not installed.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_compliance.errors import UsageError
from ml_compliance.files import read_json

LOCK_VARIABLE = "ML_COMPLIANCE_TOOLS_LOCK"
MIRROR_VARIABLE = "ML_COMPLIANCE_TOOLS_MIRROR"
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_SHA256 = {"type": "string", "pattern": "^([0-9a-f]{64})?$"}
_URL = {"type": "string", "pattern": "^(https?|file)://"}
_ASSET = {"type": "object", "required": ["url", "sha256"], "additionalProperties": False,
          "properties": {"url": _URL, "sha256": _SHA256}}  # fmt: skip
_GO = {"type": "object", "required": ["module", "sum"], "additionalProperties": False,
       "properties": {"module": {"type": "string", "pattern": "^[a-z0-9][A-Za-z0-9._~/-]*$"},
                      "sum": {"type": "string", "pattern": "^h1:[A-Za-z0-9+/]{43}=$"}}}  # fmt: skip
_TOOL = {"type": "object", "required": ["version", "assets"], "additionalProperties": False,
         "properties": {"version": {"type": "string", "pattern": "^[0-9A-Za-z.+-]+$"}, "go": _GO, "checksums": _URL,
                        "assets": {"type": "object", "additionalProperties": _ASSET}}}  # fmt: skip
LOCK_SCHEMA: dict[str, Any] = {"type": "object", "propertyNames": {"pattern": "^[a-z][a-z0-9-]*$"},
                               "additionalProperties": _TOOL}  # fmt: skip


@dataclass(frozen=True)
class Asset:
    """One program for one platform. `sha256` is empty where its file is not pinned.

    `module` is the Go module that it is built of and `source` the checksum of that; both are empty where there is none.
    """

    tool: str
    version: str
    platform: str
    url: str
    sha256: str
    module: str = ""
    source: str = ""

    @property
    def archived(self) -> bool:
        """Whether the asset is an archive that holds the program."""
        return self.url.endswith(".tar.gz")

    @property
    def origin(self) -> str:
        """The pinned digest of what the program comes out of: an archive, or source. Empty where its own is pinned."""
        if not self.sha256:
            return self.source
        return self.sha256 if self.archived else ""


def read_lock(path: Path | None = None) -> dict[str, Any]:
    """The lock file `path`, else that of ML_COMPLIANCE_TOOLS_LOCK, else the one that is shipped.

    Raises UsageError when it is missing or no lock.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    named = path or (Path(os.environ[LOCK_VARIABLE]) if os.environ.get(LOCK_VARIABLE) else None)
    file = named or Path(__file__).with_name("lock.json")
    found = read_json(file, "name a lock file, or make one: ml-compliance tools lock")
    problem = best_match(Draft202012Validator(LOCK_SCHEMA).iter_errors(found))
    if problem is not None:
        raise UsageError(f"{problem.json_path}: {problem.message}", where=str(file),
                         remedy="make it again: ml-compliance tools lock")  # fmt: skip
    return found


def this_platform() -> str:
    """Operating system and architecture as the lock names them, such as `linux/amd64`."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}/{_MACHINES.get(machine, machine)}"


def pinned(tool: str, document: Mapping[str, Any]) -> Asset:
    """The asset of `tool` for this platform. Raises UsageError when the lock has none."""
    here, locked = this_platform(), entry(tool, document)
    if here not in locked["assets"]:
        raise UsageError(f"the lock has no {tool} for {here}", remedy="install it yourself, and put it on PATH")
    go = locked.get("go", {"module": "", "sum": ""})
    return Asset(tool, locked["version"], here, **locked["assets"][here], module=go["module"], source=go["sum"])


def entry(tool: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """What the lock says of `tool`, for every platform. Raises UsageError when it says nothing."""
    if tool not in document:
        raise UsageError(f"the lock has no program {tool!r}", remedy=f"choose from: {', '.join(sorted(document))}")
    found: dict[str, Any] = document[tool]
    return found
