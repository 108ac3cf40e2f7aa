"""The engine as the kit drives it, and what only these suites need of the machine."""

from __future__ import annotations

import socket

from deskgate.testing.engine import Result, docker, run, wait_until, why_no_engine

__all__ = ["Result", "docker", "free_port", "run", "wait_until", "why_no_engine"]


def free_port() -> int:
    """A port of loopback that nothing uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
