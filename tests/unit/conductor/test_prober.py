"""A question to a real socket, step by step."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskgate.conductor.prober import Probe
from deskgate.signs import Sign, read_sign


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Somebody who listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        yield listening


def sign_of(server: socket.socket, kind: str = "rfb", path: str = "") -> Sign:
    """The sign that a server gives."""
    sign = read_sign(f"{kind}:127.0.0.1:{server.getsockname()[1]}{path}")
    assert sign is not None
    return sign


def go_on(probe: Probe, seconds: float = 5.0) -> bool | None:
    """Serve a probe as the loop does, until it knows or nothing comes for so long."""
    deadline = time.monotonic() + seconds
    while probe.alive is None and (left := deadline - time.monotonic()) > 0:
        poll = select.poll()
        poll.register(probe.fileno(), probe.mask)
        for _, events in poll.poll(left * 1000):
            probe.handle(events)
    return probe.alive


def test_a_greeting_is_a_sign_of_life(server: socket.socket) -> None:
    """Also one that comes in pieces; the connection ends with it."""
    probe = Probe(sign_of(server))
    door, _ = server.accept()
    with door:
        door.sendall(b"RFB 003")
        assert go_on(probe, 0.05) is None
        door.sendall(b".008\n")
        assert go_on(probe) is True
        assert (probe.mask, door.recv(1)) == (0, b"")
    probe.handle(select.POLLIN)  # too late: nothing happens


def test_a_page_is_a_sign_of_life(server: socket.socket) -> None:
    """It is asked for by its path; what follows the status is not read."""
    probe = Probe(sign_of(server, "http", "/up"))
    assert probe.mask == select.POLLOUT
    door, _ = server.accept()
    with door:
        assert go_on(probe, 0.05) is None
        assert door.recv(1000).startswith(b"GET /up HTTP/1.1\r\nHost: 127.0.0.1:")
        door.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000)
        assert go_on(probe) is True


@pytest.mark.parametrize("answer", [b"", b"RFB", b"HTTP/1.1 400 Bad Request"], ids=ascii)
def test_another_answer_is_none(server: socket.socket, answer: bytes) -> None:
    """Or none at all."""
    probe = Probe(sign_of(server))
    door, _ = server.accept()
    door.sendall(answer)
    door.close()
    assert go_on(probe) is False


def test_who_hangs_is_asked_once(server: socket.socket) -> None:
    """The kernel takes the connection for it; nothing else comes."""
    probe = Probe(sign_of(server))
    assert go_on(probe, 0.1) is None
    probe.close()


def test_where_nobody_listens_there_is_no_life(server: socket.socket, tmp_path: Path) -> None:
    """On TCP and on a unix socket: its file alone says nothing."""
    sign = sign_of(server)
    server.close()
    assert go_on(Probe(sign)) is False
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{tmp_path}/s")
        assert Probe(Sign(kind="rfb", addresses=(f"{tmp_path}/s",))).alive is False
    assert Probe(Sign(kind="rfb", addresses=(f"{tmp_path}/none",))).alive is False


def test_a_full_queue_takes_nobody(tmp_path: Path) -> None:
    """So looks an Xvnc that hangs, on its unix socket, once its queue is full."""
    address = f"{tmp_path}/s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(0)
        first = Probe(Sign(kind="rfb", addresses=(address,)))
        assert first.alive is None
        assert Probe(Sign(kind="rfb", addresses=(address,))).alive is False
        first.close()


def test_a_question_that_cannot_be_asked_says_nothing_of_the_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a limit of ours nor a wrong path of the row is its fault."""
    with pytest.raises(OSError, match="AF_UNIX path too long"):
        Probe(Sign(kind="rfb", addresses=("/" + "x" * 200,)))
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: 99)  # EADDRNOTAVAIL
    with pytest.raises(OSError, match="cannot connect"):
        Probe(Sign(kind="rfb", addresses=(("127.0.0.1", 1),)))


def test_localhost_is_either_of_two_addresses() -> None:
    """A program that was told so may listen on `::1` alone; where no family is, it is no fault."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        server.settimeout(5)
        sign = read_sign(f"rfb:localhost:{server.getsockname()[1]}")
        assert sign is not None
        probe = Probe(sign)
        assert go_on(probe, 0.05) is None
        door, _ = server.accept()
        with door:
            door.sendall(b"RFB 003.008\n")
            assert go_on(probe) is True
    assert go_on(Probe(sign)) is False
