"""Many slow and silent connections: each ends soon, and a person gets in meanwhile."""

from __future__ import annotations

import contextlib
import resource
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskgate.gate import limits

from .running import (
    Desk,
    Gate,
    join,
    receive,
    statuses,
    wait_until,
    write_files,
)
from .samples import CONTROL
from .test_process import Process, free_port, process

BEARER = f"Authorization: Bearer {CONTROL}"
HOST = "Host: localhost"
SLOW = 200
SILENT = 1000
FORM = "Content-Type: application/x-www-form-urlencoded"


@contextlib.contextmanager
def dripping(gate: Gate, head: bytes, count: int) -> Iterator[list[float]]:
    """Connections that send a byte now and then; how many seconds each one lasted."""
    lasted: list[float] = []
    over = threading.Event()
    began = {gate.socket(): time.monotonic() for _ in range(count)}

    def drip() -> None:  # one thread for all: two hundred would keep the gate from its work
        sent = 0
        while began and not over.wait(0.05):
            for sock in tuple(began):
                with contextlib.suppress(OSError):
                    sock.sendall(head[sent : sent + 1] or b"a")
            sent += 1
            for sock in select.select(began, [], [], 0)[0]:
                with contextlib.suppress(OSError):
                    if sock.recv(4096):
                        continue
                lasted.append(time.monotonic() - began.pop(sock))
                sock.close()

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield lasted
    finally:
        over.set()
        thread.join(5)
        for sock in began:
            sock.close()


def test_h9_two_hundred_slow_connections_keep_nobody_out(
    gate: Gate, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte at a time does not lengthen the time that a request has; a person waits for none."""
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 1.5)
    until = time.monotonic() + 10
    with dripping(gate, b"GET / HTTP/1.1\r\nX: ", SLOW) as lasted:
        while len(lasted) < SLOW:
            began = time.monotonic()
            assert gate.status(f"GET /vnc.html HTTP/1.1\r\n{BEARER}") == 200
            with gate.view() as viewer:
                join(viewer)
                _, xvnc = desk.next()
                assert receive(xvnc, 1) == b"\x01"
            assert time.monotonic() - began < 1
            assert began < until
        assert 1 < max(lasted) < 5  # some had their time, and none had more


def test_h10_a_slow_body_ends(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is that of the whole request, with its body."""
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.5)
    head = f"POST /login HTTP/1.1\r\n{HOST}\r\n{FORM}\r\nContent-Length: 4000\r\n\r\n"
    with gate.socket() as sock:
        began = time.monotonic()
        sock.sendall(head.encode())
        sock.settimeout(0.02)
        given = b""
        while not given:
            sock.sendall(b"a")
            with contextlib.suppress(TimeoutError):
                given = sock.recv(4096)
            assert time.monotonic() - began < 3
    assert statuses(given) == [408]


def test_h10_a_reader_who_takes_a_little_now_and_then_is_dropped(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer waits in our memory as long as it takes; this one would wait for an hour."""
    monkeypatch.setattr(limits, "KEEP_ALIVE_SECONDS", 0.3)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", gate.port))
        sock.sendall(f"GET /big.js HTTP/1.1\r\n{HOST}\r\n{BEARER}\r\n\r\n".encode())
        until = time.monotonic() + 5
        wait_until(lambda: bool(gate.keeper.connections))
        while gate.keeper.connections:
            assert sock.recv(100)
            time.sleep(0.01)
            assert time.monotonic() < until


@pytest.fixture
def path(tmp_path: Path, desk: Desk) -> Path:
    """A gate.json."""
    return write_files(tmp_path, desk.port, listen=["127.0.0.1", free_port()])


@pytest.fixture
def many_files() -> Iterator[None]:
    """This process may open so many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, SILENT + 200)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_files(gate: Process) -> int:
    return len(list(Path(f"/proc/{gate.process.pid}/fd").iterdir()))


@contextlib.contextmanager
def silent(port: int) -> Iterator[list[socket.socket]]:
    """A thousand connections that say nothing."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in range(SILENT)]
        for sock in socks:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        yield socks


def settle(socks: list[socket.socket]) -> None:
    """Until the kernel lets none try again, a second later: a newcomer would meet them all."""
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLOUT)
    waiting, until = len(socks), time.monotonic() + 20
    while waiting:
        for fd, _ in poll.poll(1000):
            poll.unregister(fd)
            waiting -= 1
        assert time.monotonic() < until


@contextlib.contextmanager
def session(gate: Process, desk: Desk) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A viewer's socket, past the upgrade, and Xvnc's."""
    lines = [
        *("GET /websockify HTTP/1.1", HOST, BEARER, "Upgrade: websocket", "Connection: Upgrade"),
        *("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""),
    ]
    with socket.create_connection(("127.0.0.1", gate.port), timeout=5) as sock:
        sock.sendall("\r\n".join(lines).encode())
        _, xvnc = desk.next()
        while not sock.recv(4096).endswith(b"RFB 003.008\n"):
            pass
        yield sock, xvnc


def assert_frames_pass(sock: socket.socket, xvnc: socket.socket) -> None:
    began = time.monotonic()
    for _ in range(20):
        xvnc.sendall(b"a picture")
        assert receive(sock, 11) == b"\x82\x09a picture"
        assert time.monotonic() - began < 1


@pytest.mark.usefixtures("many_files")
def test_h12_a_thousand_silent_connections_take_no_more_than_their_places(
    path: Path, desk: Desk
) -> None:
    """The cap holds, a session keeps its frames, and a newcomer is served at once."""
    with process(path) as gate:
        gate.ready()
        with session(gate, desk) as (sock, xvnc):
            before = open_files(gate)
            with silent(gate.port) as socks:
                settle(socks)
                gate.ask("/", BEARER)  # behind the last of them
                for _ in range(20):
                    began = time.monotonic()
                    assert gate.ask("/vnc.html", BEARER).startswith(b"HTTP/1.1 200 ")
                    assert time.monotonic() - began < 1
                    assert open_files(gate) <= before + limits.STRANGERS + 20
                    assert_frames_pass(sock, xvnc)


@pytest.mark.usefixtures("many_files")
def test_h12_without_descriptors_sessions_go_on_and_newcomers_wait(path: Path, desk: Desk) -> None:
    """64 descriptors are fewer than the places for strangers: accepting fails, and comes back."""
    with process(path) as gate:
        gate.ready()
        with session(gate, desk) as (sock, xvnc):
            resource.prlimit(gate.process.pid, resource.RLIMIT_NOFILE, (64, 64))
            assert gate.process.stderr is not None
            with silent(gate.port):
                while b"Too many open files" not in gate.process.stderr.readline():
                    pass
                for _ in range(20):
                    assert_frames_pass(sock, xvnc)
                assert open_files(gate) <= 64
            until = time.monotonic() + 5
            while not gate.ask("/vnc.html", BEARER).startswith(b"HTTP/1.1 200 "):
                assert time.monotonic() < until
            assert_frames_pass(sock, xvnc)
        status, _, err, _ = gate.stop()
    assert status == 0
    assert b"Traceback" not in err
