"""What GitHub accepts. These are data: GitHub changes them."""

from __future__ import annotations

COMMENT = 65_536
"""Characters of a comment; the report is cut by bytes, which are never fewer."""
OUTPUT = 65_535
"""Bytes of UTF-8 of a check run's `output.summary`, and of its `output.text`."""
TITLE = 255
"""Characters of a title, of a check run or of an annotation."""
MESSAGE = 4_000
"""Characters of an annotation's message: far below the 64 KiB that are accepted."""
CHUNK = 50
"""Annotations in one request."""
SUMMARY = 1_048_576
"""Bytes of the summary of one step, which is dropped without a word when it is larger."""
COMMANDS = 10
"""Annotations of one level that a step may make with workflow commands."""
PAGE = 100
"""Items of one page of a list."""
