"""Readiness: how a program tells that it can be used.

`stdout` is its first line, an event; `tcp:` and `unix:` are a connect that the loop tries at
short intervals, since nothing announces a listening socket.
"""

from __future__ import annotations

import socket
from typing import Final

PROBE_SECONDS: Final = 0.02  # between two connects; one costs about 50 us on loopback


def must_be_asked(ready: str) -> bool:
    """Whether readiness has to be probed, rather than being told."""
    return ready.startswith(("tcp:", "unix:"))


def answers(ready: str) -> bool:
    """Whether the socket of `tcp:HOST:PORT` or `unix:PATH` accepts a connection now."""
    kind, _, where = ready.partition(":")
    if kind == "unix":
        family, address = socket.AF_UNIX, where
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            return probe.connect_ex(address) == 0
    host, _, port = where.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Loopback answers or refuses at once; the limit is for a host that is neither.
        probe.settimeout(PROBE_SECONDS)
        return probe.connect_ex((host, int(port))) == 0
