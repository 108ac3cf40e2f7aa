"""The gate's port. PID 1 binds it once and hands it to each gate, so that nobody takes it between.

A browser that comes while there is no gate waits in the backlog, instead of being refused.
"""

from __future__ import annotations

import fcntl
import os
import socket
from typing import Final

BACKLOG: Final = 128  # connections that the kernel keeps for us
FIRST_KEPT_FD: Final = 16  # minfds in supervisord.conf.j2


def listen(host: str, port: int) -> socket.socket:
    """Bind the one port; an empty host is every address, IPv6 too when the kernel has it.

    Raises:
        OSError: taken, or not allowed.
    """
    if not host:
        try:
            return _listen(socket.AF_INET6, "::", port)
        except OSError:
            return _listen(socket.AF_INET, "0.0.0.0", port)  # noqa: S104 - what was asked for
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return _listen(family, host, port)


def _listen(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def keep(fd: int) -> int:
    """Move a listener to where supervisor closes nothing in a child; only exec will."""
    kept = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_KEPT_FD)
    os.close(fd)
    return kept
