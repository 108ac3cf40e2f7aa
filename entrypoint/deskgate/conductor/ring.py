"""The newest lines of the log, bounded in bytes. Pure.

A reader keeps the number of the line that it wants next; what it missed meanwhile is counted. So
no reader has a queue of its own, and none holds up another.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was logged.

    Args:
        names: the program that wrote it, and the one that it is about.
        data: as it was logged, without its end.
    """

    names: tuple[str, ...]
    data: bytes


class Ring:
    """Keeps lines until newer ones need their place."""

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._lines: deque[Line] = deque()
        self._end = 0

    @property
    def first(self) -> int:
        """The number of the oldest line that is still there."""
        return self._end - len(self._lines)

    @property
    def end(self) -> int:
        """The number of the next line to come."""
        return self._end

    def add(self, names: tuple[str, ...], data: bytes) -> None:
        """Keep a line; the oldest ones go for it."""
        self._lines.append(Line(names, data))
        self._end += 1
        self._bytes += len(data)
        while self._bytes > self._max_bytes:
            self._bytes -= len(self._lines.popleft().data)

    def line(self, number: int) -> Line:
        """A line that is still there."""
        return self._lines[number - self.first]
