"""Readiness probes against real sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from deskgate.conductor import readiness


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_a_tcp_port_answers_once_it_listens(host: str, family: socket.AddressFamily) -> None:
    """Bound is not listening."""
    with socket.socket(family) as server:
        server.bind((host, 0))
        ready = f"tcp:{host}:{server.getsockname()[1]}"
        assert readiness.must_be_asked(ready)
        assert not readiness.answers(ready)
        server.listen()
        assert readiness.answers(ready)


def test_a_unix_socket_answers_once_it_listens(tmp_path: Path) -> None:
    """The file alone says nothing."""
    ready = f"unix:{tmp_path}/s"
    assert readiness.must_be_asked(ready)
    assert not readiness.answers(ready)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{tmp_path}/s")
        assert not readiness.answers(ready)
        server.listen()
        assert readiness.answers(ready)


@pytest.mark.parametrize("ready", ["stdout", "spawn"])
def test_what_is_told_is_not_asked(ready: str) -> None:
    """Readiness by event needs no probe."""
    assert not readiness.must_be_asked(ready)
