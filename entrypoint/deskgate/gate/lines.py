"""Line ends of HTTP heads, stricter than the parser: what two programs read in two ways. Pure."""

from __future__ import annotations

import re

# RFC 9112, 2.2 and 5.2: a bare line feed, or a line that goes on in the next one.
AMBIGUOUS = re.compile(rb"(?<!\r)\n|\n[ \t]")


def has_one_reading(head: bytes) -> bool:
    """Whether every program reads these lines alike. Not for a body, which may hold anything."""
    return AMBIGUOUS.search(head) is None
