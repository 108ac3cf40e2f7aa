"""What a program writes into its pipes, cut into lines; supervisor has files or chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from supervisor.dispatchers import PDispatcher

if TYPE_CHECKING:
    from deskgate.conductor.embed import Process

MAX_PENDING = 64 * 1024  # bytes of one line kept while its end has not come

# Called with each line that a program writes.
OnLine = Callable[["Process", str], None]


class LineDispatcher(PDispatcher):  # type: ignore[misc]
    """Cuts one pipe of a program into lines."""

    def __init__(self, process: Process, channel: str, fd: int, on_line: OnLine) -> None:
        super().__init__(process, channel, fd)
        self._on_line = on_line
        self._pending = b""

    def readable(self) -> bool:
        """Whether the loop should wait for it."""
        return not self.closed

    def writable(self) -> bool:
        """Never: it only reads."""
        return False

    def handle_read_event(self) -> None:
        """Read what is there and hand on whole lines."""
        data = self.process.config.options.readfd(self.fd)
        *lines, self._pending = (self._pending + data).split(b"\n")
        if len(self._pending) > MAX_PENDING or (not data and self._pending):
            lines.append(self._pending)
            self._pending = b""
        for line in lines:
            self._on_line(self.process, line.decode("utf-8", "replace").rstrip("\r"))
        if not data:
            self.close()
