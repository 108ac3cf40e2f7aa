"""The owner gets in while two hundred connections dawdle and somebody guesses, from his address."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from deskgate.gate import limits

from .running import Desk, join, read_all, write_files
from .samples import CONTROL
from .test_process import Process, free_port, process

SLOW = 200
DAWDLE_SECONDS = 0.1  # between two bytes
GUESSES_PER_SECOND = 100
ATTACK_SECONDS = 4.0
OWNER_SECONDS = 1.0  # security design, 5: p99 of a connect under this attack


@contextlib.contextmanager
def meanwhile(*works: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do these things until the block ends."""
    over = threading.Event()
    threads = [threading.Thread(target=work, args=(over,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(10)


def dawdle(port: int, over: threading.Event) -> None:
    """Keep so many connections open, each of which has begun a request and does not end it."""
    with contextlib.ExitStack() as stack:
        socks: list[socket.socket] = []
        while not over.wait(DAWDLE_SECONDS):
            while len(socks) < SLOW:
                sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
                sock.sendall(b"GET / HTTP/1.1\r\nX: ")
                socks.append(sock)
            for sock in tuple(socks):
                try:
                    sock.sendall(b"y")
                except OSError:
                    socks.remove(sock)


def guess(port: int, seen: Counter[bytes], over: threading.Event) -> None:
    """Show a wrong token, again and again."""
    while not over.wait(1 / GUESSES_PER_SECOND):
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), 5) as sock,
        ):
            wrong = f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {'x' * 64}\r\n\r\n"
            sock.sendall(wrong.encode())
            seen[read_all(sock)[9:12]] += 1


@pytest.fixture
def gate(tmp_path: Path, desk: Desk) -> Iterator[Process]:
    """A gate in a process of its own: the attackers' threads do not stop it."""
    path = write_files(tmp_path, desk.port, listen=["127.0.0.1", free_port()])
    with process(path) as gate:
        gate.ready()
        yield gate


def test_h9_h13_the_owner_gets_in_within_a_second(gate: Process, desk: Desk) -> None:
    """Each time, and his viewer lives; the guesser sees 429 and never more than 401."""
    seen: Counter[bytes] = Counter()
    took = []
    headers = {"Authorization": f"Bearer {CONTROL}"}
    url = f"ws://127.0.0.1:{gate.port}/websockify"
    with meanwhile(lambda over: dawdle(gate.port, over), lambda over: guess(gate.port, seen, over)):
        until = time.monotonic() + ATTACK_SECONDS
        while time.monotonic() < until:
            began = time.monotonic()
            with connect(url, additional_headers=headers, compression=None, proxy=None) as viewer:
                join(viewer)
                _, xvnc = desk.next()
                assert xvnc.recv(1) == b"\x01"
                took.append(time.monotonic() - began)
    assert len(took) > 10
    assert max(took) < OWNER_SECONDS, f"{max(took):.2f} s"
    assert seen[b"429"] > 100
    assert seen[b"401"] <= limits.FAILURES + 1
    assert set(seen) <= {b"401", b"429", b""}
