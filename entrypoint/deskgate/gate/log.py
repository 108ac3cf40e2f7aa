"""The gate's log: one line an event on stderr, `level: text`. The conductor filters and prefixes.

Never a query string, cookie or token: callers name tokens by name. What a stranger wrote is
escaped, so that it cannot forge a line, and cut.
"""

from __future__ import annotations

import contextlib
import os
import stat

STDERR = 2
LINE_CHARACTERS = 256


def prepare() -> None:
    """Make a full log pipe lose lines instead of stopping the gate. Only if it is our own pipe."""
    with contextlib.suppress(OSError):  # no stderr at all
        if stat.S_ISFIFO(os.fstat(STDERR).st_mode):
            os.set_blocking(STDERR, False)


def line(level: str, text: str) -> str:
    """Format one line: control characters escaped, cut to a length."""
    shown = text if len(text) <= LINE_CHARACTERS else text[:LINE_CHARACTERS] + "…"
    return f"{level}: " + "".join(
        char if char.isprintable() else char.encode("unicode_escape", "replace").decode("ascii")
        for char in shown
    )


def _write(level: str, text: str) -> None:
    with contextlib.suppress(OSError):  # a full or closed log must not stop a desktop
        os.write(STDERR, (line(level, text) + "\n").encode("utf-8", "backslashreplace"))


def debug(text: str) -> None:
    """What only a developer wants to know."""
    _write("debug", text)


def info(text: str) -> None:
    """A state that changed."""
    _write("info", text)


def warning(text: str) -> None:
    """Somebody should change something."""
    _write("warning", text)


def error(text: str) -> None:
    """The gate cannot do its work."""
    _write("error", text)
