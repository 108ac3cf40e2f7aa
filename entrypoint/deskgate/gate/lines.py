"""Line ends of HTTP heads, stricter than the parser: what two programs read in two ways. Pure."""

from __future__ import annotations

import re

# RFC 9112, 2.2 and 5.2: a bare line feed, or a line that goes on in the next one.
AMBIGUOUS = re.compile(rb"(?<!\r)\n|\n[ \t]")


class LineCheck:
    """Looks at a connection's bytes as they come, until it is a WebSocket."""

    def __init__(self) -> None:
        self._tail = b""

    def allows(self, data: bytes) -> bool:
        """Whether these bytes, after the earlier ones, have only one reading."""
        seen = self._tail + data
        self._tail = seen[-2:] if seen.endswith(b"\n") else seen[-1:]
        return AMBIGUOUS.search(seen) is None
