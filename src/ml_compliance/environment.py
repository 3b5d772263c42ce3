"""What others' code learns of this process, and what it can tell whoever has started it.

Programs that read other people's files are told no tokens. A model's code runs in the process itself: while it does,
nothing here says where a CI takes commands, and nothing that is printed is one.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TOLD = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT")
_COMMANDS = ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")


def told(*also: str) -> dict[str, str]:
    """The environment of such a program: where things are, and the variables whose names begin with one of `also`."""
    return {name: value for name, value in os.environ.items() if name in _TOLD or (also and name.startswith(also))}


@contextmanager
def unheeded() -> Iterator[None]:
    """While the block runs, a runner of GitHub takes nothing of what is printed for a command, on neither stream.

    It does not keep back code that means harm: that runs as the same user, and may outlive the block.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        yield
        return
    hidden = {name: os.environ.pop(name) for name in _COMMANDS if name in os.environ}
    end = secrets.token_hex(16)
    _say(f"::stop-commands::{end}")
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        finally:
            _say(f"\n::{end}::")
            os.environ.update(hidden)


def _say(line: str) -> None:
    """To stderr: stdout may be a file of JSON. The runner reads both, and one pause holds for both."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
