"""Readiness: how a program tells that it can be used, and whether what it needs is there.

`stdout` is its first line, `exit` its end: events. A listening socket or a file announces itself
to nobody, so the loop asks for it, often at first and then less.
"""

from __future__ import annotations

import os
import socket
from typing import Final

FIRST_PAUSE_SECONDS: Final = 0.02  # between two questions; one costs about 50 us on loopback
MAX_PAUSE_SECONDS: Final = 1.0
PAUSE_SHARE: Final = 0.1  # of the time waited: so nobody waits much longer than he has to
# Loopback answers or refuses at once; this is for a host that does neither.
CONNECT_SECONDS: Final = 0.1
LOCALHOST: Final = ("127.0.0.1", "::1")  # where a program listens that was told `localhost`


class Wait:
    """The waiting for something that has to be asked for; times are monotonic seconds.

    Args:
        now: when it begins.
    """

    def __init__(self, now: float) -> None:
        self.since = now
        self.ask_at = now  # when to ask next
        self.misses: str | None = None  # what was not there when it was asked for last
        self.told = False  # whether the log knows how long it takes

    def is_due(self, now: float) -> bool:
        """Whether to ask now; if so, it is next due after a pause."""
        if now < self.ask_at:
            return False
        pause = max(FIRST_PAUSE_SECONDS, (now - self.since) * PAUSE_SHARE)
        self.ask_at = now + min(pause, MAX_PAUSE_SECONDS)
        return True


def must_be_asked(ready: str) -> bool:
    """Whether it has to be asked for, rather than being told."""
    return ready.startswith(("tcp:", "unix:", "file:"))


def is_there(endpoint: str) -> bool:
    """Whether `tcp:HOST:PORT` or `unix:PATH` accepts a connection now, or `file:PATH` is there."""
    kind, _, where = endpoint.partition(":")
    if kind == "file":
        return os.path.exists(where)  # noqa: PTH110 - no raising
    if kind == "unix":
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            return probe.connect_ex(where) == 0
    host, _, port = where.rpartition(":")
    hosts = LOCALHOST if host == "localhost" else (host.strip("[]"),)
    return any(_accepts(each, int(port)) for each in hosts)


def family_of(host: str) -> socket.AddressFamily:
    """IPv6 for an address with a colon."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.socket(family_of(host), socket.SOCK_STREAM) as probe:
            probe.settimeout(CONNECT_SECONDS)
            return probe.connect_ex((host, port)) == 0
    except OSError:  # no IPv6 here
        return False
