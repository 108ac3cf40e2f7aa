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
        assert not readiness.is_there(ready)
        server.listen()
        assert readiness.is_there(ready)


def test_a_unix_socket_answers_once_it_listens(tmp_path: Path) -> None:
    """The file alone says nothing."""
    ready = f"unix:{tmp_path}/s"
    assert readiness.must_be_asked(ready)
    assert not readiness.is_there(ready)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{tmp_path}/s")
        assert not readiness.is_there(ready)
        server.listen()
        assert readiness.is_there(ready)


def test_a_file_is_there_once_it_is(tmp_path: Path) -> None:
    """Of whatever kind; a folder without permission holds none."""
    ready = f"file:{tmp_path}/f"
    assert readiness.must_be_asked(ready)
    assert not readiness.is_there(ready)
    (tmp_path / "f").touch()
    assert readiness.is_there(ready)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_localhost_is_where_a_program_listens_that_was_told_so(address: str) -> None:
    """Some take the one address for it, some the other."""
    with socket.create_server((address, 0), family=readiness.family_of(address)) as server:
        port = server.getsockname()[1]
        assert readiness.is_there(f"tcp:localhost:{port}")
    assert not readiness.is_there(f"tcp:localhost:{port}")


def test_brackets_around_an_address_are_allowed() -> None:
    """As in a URL."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        assert readiness.is_there(f"tcp:[::1]:{server.getsockname()[1]}")


def test_questions_are_frequent_at_first_and_then_less() -> None:
    """Nobody waits a tenth longer than he has to, and a long wait costs a question a second."""
    wait = readiness.Wait(100.0)
    assert wait.is_due(100.0)
    assert not wait.is_due(100.01)
    assert (wait.ask_at, wait.is_due(101.0), wait.ask_at) == (100.02, True, 101.1)
    assert (wait.is_due(1000.0), wait.ask_at) == (True, 1001.0)


@pytest.mark.parametrize("ready", ["stdout", "spawn", "exit"])
def test_what_is_told_is_not_asked(ready: str) -> None:
    """Readiness by event needs no probe."""
    assert not readiness.must_be_asked(ready)
