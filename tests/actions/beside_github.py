"""Run a command with a small GitHub beside it: in a namespace without a network there is no other way to one.

    python -m tests.actions.beside_github STATE COMMAND...

STATE is a file of JSON. It holds the pull requests that are there; afterwards, what else there is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.platforms.github_server import GitHub, serving


def run(place: Path, command: list[str]) -> int:
    """Run `command`, told GitHub's address as act takes it; its exit code."""
    state = GitHub()
    state.pulls = {item["number"]: item for item in json.loads(place.read_text(encoding="utf-8"))}
    with serving(state) as url:
        code = subprocess.run([*command, "--env", f"GITHUB_API_URL={url}"], check=False).returncode
    left = {"comments": list(state.comments.values()), "checks": list(state.checks.values()),
            "asked": [f"{method} {path}" for method, path, *_ in state.seen], "problems": state.problems}  # fmt: skip
    place.write_text(json.dumps(left), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
