"""What programs that read other people's files are told of this process: no tokens, nor where a CI takes commands."""

from __future__ import annotations

import os

_TOLD = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT")


def told(*also: str) -> dict[str, str]:
    """The environment of such a program: where things are, and the variables whose names begin with one of `also`."""
    return {name: value for name, value in os.environ.items() if name in _TOLD or (also and name.startswith(also))}
