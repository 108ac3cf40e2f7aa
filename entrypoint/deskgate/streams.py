"""The standard streams of a start: all three are there, and none can hold it up.

Whoever starts a container may have closed them, or be reading nothing.
"""

from __future__ import annotations

import contextlib
import os
import select  # here: who has become another user may not reach it any more
from typing import Final

from deskgate import colours
from deskgate.errors import printable

STDOUT: Final = 1
STDERR: Final = 2
SLOW_SECONDS: Final = 0.5  # for a slow reader to take a line


def complete() -> None:
    """Open those that are closed: a file of ours would get their number, and then our lines."""
    for fd in (0, 1, STDERR):
        try:
            os.fstat(fd)
        except OSError:
            # The lowest number that is free, so it is this one (open(2)).
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def is_capable(fd: int = STDERR) -> bool:
    """Whether a stream is a terminal that understands escape sequences."""
    return colours.is_capable(os.environ, terminal=os.isatty(fd))


def has_colours(fd: int = STDERR) -> bool:
    """Whether to use colours on a stream."""
    return colours.wanted(os.environ, terminal=os.isatty(fd))


def tell(level: str, text: str) -> None:
    """Say a line of ours on stderr, with its level, whatever a program's file put into it."""
    say(f"deskgate: {colours.level(level, on=has_colours())}: {printable(text)}")


def say(line: str) -> None:
    """Say a line on stderr, if anybody takes it."""
    poll = select.poll()
    poll.register(STDERR, select.POLLOUT)
    with contextlib.suppress(OSError):  # closed, or its reader is gone
        if poll.poll(SLOW_SECONDS * 1000):
            os.write(STDERR, f"{line}\n".encode("utf-8", "backslashreplace"))
