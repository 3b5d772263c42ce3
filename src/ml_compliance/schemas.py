"""The JSON Schemas of every file that people or machines write or read, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ml_compliance import files
from ml_compliance.documents import canonical
from ml_compliance.errors import UsageError


def _config() -> dict[str, Any]:
    from ml_compliance.facts import facts_schema

    return facts_schema()


def _policy() -> dict[str, Any]:
    from ml_compliance.law import law_schema

    return law_schema()


def _waivers() -> dict[str, Any]:
    from ml_compliance.waivers import WAIVERS_SCHEMA

    return WAIVERS_SCHEMA


def _evidence() -> dict[str, Any]:
    from ml_compliance.documents import EVIDENCE_SCHEMA

    return EVIDENCE_SCHEMA


def _submission() -> dict[str, Any]:
    from ml_compliance.submit import SUBMISSION_SCHEMA

    return SUBMISSION_SCHEMA


def _decision() -> dict[str, Any]:
    from ml_compliance.decisions import DECISION_SCHEMA

    return DECISION_SCHEMA


def _report() -> dict[str, Any]:
    from ml_compliance.publish.document import REPORT_SCHEMA

    return REPORT_SCHEMA


def _snapshot() -> dict[str, Any]:
    from ml_compliance.publish.snapshot import SNAPSHOT_SCHEMA

    return SNAPSHOT_SCHEMA


def _record() -> dict[str, Any]:
    from ml_compliance.record.decision import RECORD_SCHEMA

    return RECORD_SCHEMA


def _approvals() -> dict[str, Any]:
    from ml_compliance.measure.approvals import APPROVALS_SCHEMA

    return APPROVALS_SCHEMA


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "config": _config,
    "policy": _policy,
    "waivers": _waivers,
    "approvals": _approvals,
    "evidence": _evidence,
    "submission": _submission,
    "decision": _decision,
    "report": _report,
    "snapshot": _snapshot,
    "record": _record,
}


def schema_named(name: str) -> dict[str, Any]:
    """The schema called `name`. Raises UsageError with the names that exist when there is none."""
    if name not in SCHEMAS:
        near = difflib.get_close_matches(name, SCHEMAS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from: {', '.join(SCHEMAS)}"
        raise UsageError(f"there is no schema called {name!r}", remedy=hint)
    return SCHEMAS[name]()


def file_name(schema: Mapping[str, Any]) -> str:
    """The name of a schema's file, from its version: `ml-compliance/config/v1` is in `config.v1.json`."""
    return ".".join(str(schema["$id"]).split("/")[1:]) + ".json"


def write_all(folder: Path) -> None:
    """Write every schema into `folder`."""
    for name in SCHEMAS:
        schema = schema_named(name)
        files.write(folder / file_name(schema), canonical(schema))


if __name__ == "__main__":
    write_all(Path("schemas"))
