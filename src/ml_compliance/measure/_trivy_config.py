"""Deployment files, checked by Trivy: handed to it as kubectl and Docker read them, so that it reads them likewise."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_compliance.measure import _trivy_report
from ml_compliance.measure._deployment_files import File
from ml_compliance.measure._trivy import Trivy

# Trivy knows these by their kind; of what else there is it knows a part.
_KUBERNETES, _DOCKERFILE, _AS_IT_IS = "kubernetes", "dockerfile", ""


@dataclass(frozen=True)
class _Handed:
    """The file that something comes from, what Trivy must take it for, and its line; none where it is a whole file."""

    name: str
    kind: str
    line: int | None = None


@dataclass(frozen=True)
class Checked:
    """The checks that failed, and the files of which nothing was left out."""

    failed: list[dict[str, Any]]
    files: tuple[str, ...]


@dataclass
class _Layout:
    """A folder for Trivy, and what is in it."""

    folder: Path
    handed: dict[str, _Handed] = field(default_factory=dict)

    def add(self, file: File) -> None:
        """Each object of a manifest and each Dockerfile has a file of its own; all else stays where it is."""
        objects = () if isinstance(file.manifest, str) else file.manifest.objects
        for line, one in objects:
            path = self._place(f"objects/{len(self.handed)}.json", _Handed(file.name, _KUBERNETES, line))
            path.write_text(json.dumps(one, ensure_ascii=False), encoding="utf-8", errors="replace")
        if file.is_dockerfile:
            # One that Trivy would not know by its name is one nonetheless.
            path = self._place(f"dockerfiles/{len(self.handed)}/Dockerfile", _Handed(file.name, _DOCKERFILE))
            path.write_text(file.text, encoding="utf-8")
        elif isinstance(file.manifest, str) or not file.manifest.whole:
            shutil.copyfile(file.path, self._place(f"files/{file.below}", _Handed(file.name, _AS_IT_IS)))

    def _place(self, target: str, handed: _Handed) -> Path:
        self.handed[target] = handed
        path = self.folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def check(trivy: Trivy, scratch: Path, files: Sequence[File], named: Sequence[str]) -> Checked:
    """Raises EvaluationError when the scan could not be finished."""
    layout, raw = _Layout(scratch / "checked"), scratch / "report.json"
    for file in files:
        layout.add(file)
    trivy.run("config", str(layout.folder.resolve()), "--format", "json", "--output", str(raw), "--skip-check-update",
              "--exit-code", "0")  # fmt: skip
    report = _trivy_report.read(raw)
    failed = []
    for one in _trivy_report.misconfigurations(report):
        handed = layout.handed.get(one["file"])
        line = one["line"] if handed is None or handed.line is None else handed.line
        failed.append({**one, "file": handed.name if handed else _original(one["file"], named), "line": line})
    return Checked(failed, tuple(_whole(layout.handed, files, report.get("Results") or ())))


def _whole(handed: Mapping[str, _Handed], files: Iterable[File], results: Iterable[Mapping[str, Any]]) -> list[str]:
    """The files of which Trivy has checked everything, each as what it is."""
    kinds = {(result["Target"], kind) for result in results for kind in (result.get("Type", ""), _AS_IT_IS)}
    whole = []
    for file in files:
        parts = {target: one.kind for target, one in handed.items() if one.name == file.name}
        # Beside its objects, a manifest may hold what Trivy does not know.
        must = {target: kind for target, kind in parts.items() if kind} or parts
        if not isinstance(file.manifest, str) and must and must.items() <= kinds:
            whole.append(file.name)
    return whole


def _original(target: str, named: Sequence[str]) -> str:
    """The name of something that Trivy has found out itself, such as the folder of a module of Terraform."""
    _, _, below = target.partition("/")
    index, _, rest = below.partition("/")
    return f"{named[int(index)].rstrip('/')}/{rest}".rstrip("/") if index.isdecimal() else target
