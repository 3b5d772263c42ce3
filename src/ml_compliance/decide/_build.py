"""Compiles the shipped policy: `python -m ml_compliance.decide._build` writes policy.wasm and catalog.json."""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_compliance.decide import _opa
from ml_compliance.decide._contract import PACKAGE
from ml_compliance.decide._policy import rego_files
from ml_compliance.documents import canonical
from ml_compliance.errors import ComplianceError, EvaluationError, UsageError
from ml_compliance.resources import policies_folder

# What `opa build` ends with for a mistake in the policy; where it breaks off, it is another code, or a signal.
_REFUSED = 1
_PUT_RIGHT = "put the policy right; `ml-compliance policy check` says more"
_RULE_FIELDS = ("severity", "message", "remedy", "reads")


def build(folder: Path) -> None:
    """Write `policy.wasm` and `catalog.json`, made from the shipped Rego, into `folder`; both are reproducible.

    Raises UsageError when `opa` refuses the policy, and EvaluationError when it is missing.
    """
    with tempfile.TemporaryDirectory() as name:
        # A copy without tests and without what was built before, which OPA would take for a part of the policy.
        sources = Path(name)
        for path in rego_files():
            copy = sources / path.relative_to(policies_folder())
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        compiled, described = compile_policy(sources).wasm, _catalog(sources)
    (folder / "policy.wasm").write_bytes(compiled)
    (folder / "catalog.json").write_text(canonical(described), encoding="utf-8")


@dataclass(frozen=True)
class Compiled:
    """The policy in WebAssembly, and the base data beside it as JSON text."""

    wasm: bytes
    data: bytes


def compile_policy(folder: Path, sources: Iterable[str] = (".",), *, as_bundle: bool = False) -> Compiled:
    """Compile the Rego and data of `sources`, seen from `folder`, by `opa build`, for the entry `mlpolicy/deploy`.

    `as_bundle`: only files called data.json are data. Raises UsageError when `opa` refuses it, and EvaluationError when
    `opa` is missing or breaks off.
    """
    target = ["--target", "wasm", "--entrypoint", "/".join(PACKAGE), "--output", "bundle.tar.gz"]
    done = _opa.called("build", *target, *(("--bundle",) if as_bundle else ()), *sources, folder=folder)
    if done.returncode == _REFUSED:
        raise UsageError(f"the policy cannot be compiled: {_opa.said(done)}", remedy=_opa.remedy(done) or _PUT_RIGHT)
    if done.returncode != 0:
        raise EvaluationError(f"`opa build` failed: {_opa.said(done)}", where=str(done.args[0]))
    bundle = folder / "bundle.tar.gz"
    with tarfile.open(bundle) as archive:
        files = {name: archive.extractfile(f"/{name}") for name in ("policy.wasm", "data.json")}
        found = {name: file.read() for name, file in files.items() if file is not None}
    bundle.unlink()
    if len(found) != len(files):
        raise EvaluationError("`opa build` made a bundle without policy.wasm")
    return Compiled(found["policy.wasm"], found["data.json"])


def _catalog(sources: Path) -> dict[str, Any]:
    """The annotations of the rules that have an id, and of the packages that judge a type of the law."""
    types: dict[str, Any] = {}
    rules: dict[str, Any] = {}
    regulations: dict[str, Any] = {}
    for entry in json.loads(_opa.run("inspect", "--annotations", "--format", "json", ".", folder=sources))[
        "annotations"
    ]:
        note, place = entry["annotations"], entry["location"]
        custom, family = note.get("custom", {}), Path(place["file"]).stem
        about = {"title": note["title"], "description": note["description"]} if "title" in note else {}
        if note["scope"] == "package" and "parameters" in custom:
            regulations[family] = custom.get("regulations", [])
            types[family] = {**about, "parameters": custom["parameters"], "regulations": regulations[family]}
        elif "rule" in custom:
            fields = {field: custom[field] for field in _RULE_FIELDS}
            rules[custom["rule"]] = {**about, **fields, "family": family, "source": f"{place['file']}:{place['row']}"}
    for rule in rules.values():
        rule["regulations"] = regulations.get(rule["family"], [])
    return {"rules": rules, "types": types}


if __name__ == "__main__":
    try:
        build(policies_folder())
    except ComplianceError as error:
        sys.exit(str(error))
