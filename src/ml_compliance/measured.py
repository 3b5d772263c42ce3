"""What evidence was measured on, so that evidence of something else is not submitted."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ml_compliance.documents import digest
from ml_compliance.facts import Facts

# What the facts say about deciding does not change what was measured.
_OF_DECIDING = ("policy", "rego", "rego_key", "waivers", "engine", "server", "record")


def state(facts: Facts, folder: Path) -> dict[str, Any]:
    """What evidence was measured on: the facts, and name, size and change time of every data file they name.

    Whether a backend's table or an object in a store has changed cannot be seen from here.
    """
    from ml_compliance.engine.sources import files_of, is_remote

    data, champion, approvals = facts.data, facts.champion, facts.approvals
    judged = () if data.backend else (data.evaluation, data.reference, champion.predictions if champion else "")
    deployed = (facts.image.archive if facts.image else "", *(facts.deployment.files if facts.deployment else ()))
    tables = [path for path in (*judged, data.training, data.raw, approvals) if path and not is_remote(path)]
    named = [*tables, *(path for path in deployed if path and (folder / path).exists())]
    found = [source for path in named for source in files_of(folder, path)]
    stats = {source.name: source.path.stat() for source in found}
    return {
        "facts": digest({name: part for name, part in asdict(facts).items() if name not in _OF_DECIDING}),
        "files": {name: [stat.st_size, stat.st_mtime_ns] for name, stat in sorted(stats.items())},
    }
