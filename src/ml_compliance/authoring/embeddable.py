"""Which functions of a policy the embedded engine lacks: OPA's WebAssembly leaves them to whoever runs it."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ml_compliance.authoring import opa
from ml_compliance.decide import embedded
from ml_compliance.decide._contract import PACKAGE
from ml_compliance.errors import EvaluationError


def not_embedded(files: Iterable[Path]) -> tuple[str, ...]:
    """The names of the builtins that the compiled policy would ask its host for.

    Raises EvaluationError when `opa build` fails.
    """
    with tempfile.TemporaryDirectory(prefix="ml-compliance-") as folder:
        bundle = Path(folder) / "bundle.tar.gz"
        entry = "/".join(PACKAGE)
        opa.run("build", "--target", "wasm", "--entrypoint", entry, "--output", str(bundle), *map(str, files))
        with tarfile.open(bundle) as archive:
            member = archive.extractfile("/policy.wasm")
            if member is None:
                raise EvaluationError("`opa build` made a bundle without policy.wasm")
            return embedded.builtins_lacking(member.read())
