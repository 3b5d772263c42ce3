"""What the model's files are, and what loading them would import; found without loading them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_compliance.measure._digests import file_digest
from ml_compliance.model import Evidence, Json, Measurement

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.facts import NoSettings

NAME = "model_files"


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Every file with its format, size and digest, and every import. Raises EvaluationError when one cannot be read."""
    if not context.facts.model.uri:
        return Evidence(NAME, "missing", reason="no model is named")
    model = context.model
    digests = {file.path: file_digest(model.source.folder / file.path, f"model/{file.path}") for file in model.files}
    files: list[Json] = [
        {"path": file.path, "format": file.format, "size": file.size, "sha256": digests[file.path].sha256,
         "readable": not file.unreadable, "reason": file.unreadable}
        for file in model.files
    ]  # fmt: skip
    imports: list[Json] = [
        {"name": name, "file": file.path, "dangerous": name in file.dangerous}
        for file in model.files
        for name in file.imports
    ]
    return Evidence(
        NAME,
        "measured",
        (
            Measurement(f"{NAME}/files", float(len(files))),
            Measurement(f"{NAME}/imports", float(len(imports))),
        ),
        facts={"files": files, "imports": imports},
        files=tuple(digests.values()),
    )
