"""Where the files that are shipped beside the code are found: in the installed package, or in a checkout."""

from __future__ import annotations

from pathlib import Path

from ml_compliance.errors import EvaluationError

_PACKAGE = Path(__file__).parent


def policies_folder() -> Path:
    """The folder of the shipped policy: its Rego, `policy.wasm` and `catalog.json`.

    Raises EvaluationError when the installation has neither a packaged copy nor a checkout around it.
    """
    packaged = _PACKAGE / "policies"
    checkout = _PACKAGE.parent.parent / "policies"
    for folder in (packaged, checkout):
        if (folder / "deploy.rego").is_file():
            return folder
    raise EvaluationError("the shipped policy is not there", where=str(packaged), remedy="install ml-compliance again")
