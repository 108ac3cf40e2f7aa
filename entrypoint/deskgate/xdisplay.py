"""The X display's lock and socket: what a dead server left, and what hinders a new one."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import Final

from deskgate.files import read_text

SOCKETS: Final = Path("/tmp/.X11-unix")  # noqa: S108 - X's own place, X(7)


def x_socket(display: int) -> str:
    """Where an X server listens (X(7))."""
    return str(SOCKETS / f"X{display}")


def make_socket_folder() -> None:
    """Make the folder of X's sockets as X wants it, root's and open to all.

    Another user leaves it to Xvnc, which complains that it is not root's.
    """
    with contextlib.suppress(OSError):
        if os.geteuid() == 0 and not SOCKETS.exists():
            SOCKETS.mkdir()
            SOCKETS.chmod(0o1777)


def free_display(display: int) -> str | None:
    """Remove what a dead X server of this display left; say what hinders a new one.

    After `docker restart`, /tmp still holds the lock of the last run, and its pid may by now be
    somebody else's: Xvnc would then refuse to start.
    """
    other = "set DISPLAY to another, such as :2"
    lock = Path(f"/tmp/.X{display}-lock")  # noqa: S108 - X's own place, X(7)
    door = Path(x_socket(display))
    with socket.socket(socket.AF_UNIX) as probe:
        # A socket that answers may be the host's, mounted into the container.
        if probe.connect_ex(str(door)) == 0:
            return f"display :{display} is in use: a server answers at {door}; {other}"
    holder = _holder(lock)
    if holder.startswith("X"):
        return f"display :{display} is in use by {holder}; {other}"
    if not os.access(lock.parent, os.W_OK | os.X_OK):
        return f"cannot write {lock.parent}, where X keeps its lock; mount one with --tmpfs /tmp"
    for leftover in (lock, door):
        try:
            _remove(leftover)
        except OSError as error:
            reason = f"cannot remove {leftover}, left by another X server: {error.strerror}"
            return f"{reason}; {other}"
    return None


def _remove(leftover: Path) -> None:
    """Remove what is there, if anything; a folder that a user of the desktop made is put aside."""
    try:
        leftover.unlink(missing_ok=True)
    except IsADirectoryError:
        leftover.rename(leftover.with_name(f"{leftover.name}.{os.urandom(4).hex()}"))


def _holder(lock: Path) -> str:
    """Name and pid of the process in a lock file; empty when there is none that lives."""
    try:
        pid = "" if lock.is_symlink() else read_text(str(lock), limit=64).strip()
        name = Path(f"/proc/{int(pid)}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):  # a FormError is one
        return ""
    return f"{name} (pid {pid})"
