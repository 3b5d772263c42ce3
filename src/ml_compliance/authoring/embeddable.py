"""Which functions of a policy the embedded engine lacks: OPA's WebAssembly leaves them to whoever runs it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from ml_compliance.decide._build import compile_policy
from ml_compliance.decide.embedded import builtins_lacking


def not_embedded(files: Iterable[Path]) -> tuple[str, ...]:
    """The names of the builtins that the compiled policy would ask its host for.

    Raises UsageError when `opa build` refuses the policy, and EvaluationError when it breaks off.
    """
    with tempfile.TemporaryDirectory(prefix="ml-compliance-") as folder:
        compiled = compile_policy(Path(folder), [str(path.resolve()) for path in files])
    return builtins_lacking(compiled.wasm)
