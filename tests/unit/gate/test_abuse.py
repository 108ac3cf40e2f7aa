"""What one client must not do to the others: memory, time, places, and rights that have ended."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deskgate import rfb
from deskgate.files import LOGGED_OUT_FILE
from deskgate.gate import limits
from tests.messages import key

from .running import (
    BIG_BYTES,
    TOKEN_FILE,
    Desk,
    Gate,
    close_code,
    cookie,
    join,
    read_all,
    receive,
    running_desk,
    running_gate,
    wait_until,
)
from .samples import CONTROL, VIEW
from .test_relay import masked

BEARER = f"Authorization: Bearer {CONTROL}"


def waiting(gate: Gate) -> int:
    """Bytes of answers that clients have not taken."""
    sizes: list[int] = gate.call(
        lambda: [each._transport.get_write_buffer_size() for each in gate.keeper.connections]
    )
    return sum(sizes)


def test_h10_answers_that_nobody_takes_do_not_pile_up(gate: Gate) -> None:
    """Of a hundred pipelined requests only as many are answered as the client reads."""
    request = f"GET /big.js HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode()
    with gate.socket() as sock:
        sock.sendall(request * 100)
        wait_until(lambda: waiting(gate) > 0)
        assert gate.status(f"GET /vnc.html HTTP/1.1\r\n{BEARER}") == 200  # others go on
        assert waiting(gate) < 1.1 * BIG_BYTES


def test_answers_to_all_pipelined_requests_come_as_they_are_read(
    gate: Gate, tmp_path: Path
) -> None:
    """Held back is not lost."""
    (tmp_path / "web" / "vnc.html").write_text("x" * 100_000)
    request = f"GET /vnc.html HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode()
    probe = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with gate.socket() as sock:
        sock.sendall((request + probe) * 20 + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answers = read_all(sock)
    assert answers.count(b"HTTP/1.1 200 OK\r\n") + answers.count(b"HTTP/1.1 200 \r\n") == 40
    assert answers.count(b"x" * 100_000) == 20
    assert answers.count(b"HTTP/1.1 401 ") == 1


def test_an_answer_is_whole_although_the_client_wants_no_other(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Connection: close` and a slow reader: no two seconds and out, as after a refusal."""
    monkeypatch.setattr(limits, "LINGER_SECONDS", 0.05)
    (tmp_path / "web" / "vnc.html").write_bytes(b"x" * 8_000_000)  # more than the kernel keeps
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        sock.settimeout(5)
        sock.connect(("127.0.0.1", gate.port))
        head = f"GET /vnc.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{BEARER}\r\n\r\n"
        sock.sendall(head.encode())
        time.sleep(0.2)  # a reader that takes its time
        assert len(read_all(sock)) > 8_000_000


def test_who_is_known_is_bounded_as_well(
    tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder of a view link cannot take every descriptor; viewers are not touched."""
    monkeypatch.setattr(limits, "KNOWN", 4)
    with running_gate(tmp_path, desk.port) as gate, gate.view(CONTROL) as viewer:
        join(viewer)
        crowd = [gate.socket() for _ in range(8)]
        for sock in crowd:
            head = f"GET /vnc.html HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {VIEW}\r\n\r\n"
            sock.sendall(head.encode())
            assert sock.recv(12) == b"HTTP/1.1 200"
        wait_until(lambda: len(gate.keeper.connections) <= 4)
        viewer.ping().wait(5)
        for sock in crowd:
            sock.close()


@contextlib.contextmanager
def slow_desk() -> Iterator[tuple[Desk, threading.Event]]:
    """A desktop that shakes hands when it is told to."""
    go = threading.Event()
    with running_desk() as desk:
        shake = desk._shake

        def wait_and_shake(sock: socket.socket) -> None:
            go.wait(5)
            shake(sock)

        setattr(desk, "_shake", wait_and_shake)  # noqa: B010 - mypy: a method
        yield desk, go
        go.set()


def upgrade(gate: Gate, *headers: str, token: str | None = CONTROL) -> socket.socket:
    """A connection that has asked for a WebSocket."""
    sock = gate.socket()
    sock.sendall(gate.upgrade(*headers, token=token) + b"\r\n\r\n")
    return sock


def close_code_of(sock: socket.socket) -> int:
    """Of the close frame behind the head of the 101 and the gate's RFB version."""
    frames = read_all(sock).split(b"\r\n\r\n", 1)[1][2 + 12 :]
    assert frames[0] == 0x88
    return int.from_bytes(frames[2:4], "big")


def test_a_token_revoked_while_xvnc_is_asked_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the request and the 101 its holder is no viewer yet, and must not be missed."""
    monkeypatch.setattr(limits, "CLOSE_SECONDS", 0.05)
    with slow_desk() as (desk, go), running_gate(tmp_path, desk.port) as gate:
        sock = upgrade(gate)
        wait_until(lambda: gate.keeper.arriving.total() == 1)
        gate.tokens.write_text("# name=view" + TOKEN_FILE.split("# name=view")[1])
        gate.call(gate.keeper.reload_tokens)
        go.set()
        assert close_code_of(sock) == 1008
        sock.close()


def test_what_came_with_the_request_is_not_heard_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames need not wait for the 101: else one last key went by a right that has ended."""
    monkeypatch.setattr(limits, "CLOSE_SECONDS", 0.05)
    early = b"".join(masked(2, part) for part in (rfb.VERSION, b"\x01", b"\x01", key(0xFF0D)))
    for revoked in (False, True):
        with slow_desk() as (desk, go), running_gate(tmp_path, desk.port) as gate:
            with gate.socket() as sock:
                sock.sendall(gate.upgrade() + b"\r\n\r\n" + early)
                wait_until(lambda: gate.keeper.arriving.total() == 1)
                if revoked:
                    gate.tokens.write_text("# name=view" + TOKEN_FILE.split("# name=view")[1])
                    gate.call(gate.keeper.reload_tokens)
                go.set()
                _, xvnc = desk.next()
                came = read_all(xvnc) if revoked else receive(xvnc, 9)
            assert came == (b"" if revoked else b"\x01" + key(0xFF0D))


def test_a_session_logged_out_while_xvnc_is_asked_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for a logout."""
    monkeypatch.setattr(limits, "CLOSE_SECONDS", 0.05)
    with slow_desk() as (desk, go), running_gate(tmp_path, desk.port) as gate:
        session = cookie(gate.ask(f"GET /?token={CONTROL} HTTP/1.1"))
        origin = f"Origin: http://127.0.0.1:{gate.port}"
        sock = upgrade(gate, session, origin, token=None)
        wait_until(lambda: gate.keeper.arriving.total() == 1)
        assert gate.status(f"POST /logout HTTP/1.1\r\n{session}\r\nContent-Length: 0") == 303
        go.set()
        assert close_code_of(sock) == 1008
        sock.close()


def test_a_logout_outlives_the_gate(tmp_path: Path, desk: Desk) -> None:
    """The boot secret comes again after a crash, so a dead cookie would too."""
    with running_gate(tmp_path, desk.port) as gate:
        session = cookie(gate.ask(f"GET /?token={CONTROL} HTTP/1.1"))
        assert gate.status(f"GET /vnc.html HTTP/1.1\r\n{session}") == 200
        assert gate.status(f"POST /logout HTTP/1.1\r\n{session}\r\nContent-Length: 0") == 303
    with running_gate(tmp_path, desk.port) as gate:
        assert gate.status(f"GET /vnc.html HTTP/1.1\r\n{session}") == 401
        fresh = cookie(gate.ask(f"GET /?token={CONTROL} HTTP/1.1"))
        assert gate.status(f"GET /vnc.html HTTP/1.1\r\n{fresh}") == 200


def test_logouts_do_not_pile_up_over_the_years(tmp_path: Path, desk: Desk) -> None:
    """Each rotation leaves a token with its list; who logs out takes along what is over."""
    path = tmp_path / LOGGED_OUT_FILE
    path.write_text('{"ids": {"gone": {"long ago": 1}}, "floors": {"gone": 1}, "until": -1}')
    with running_gate(tmp_path, desk.port) as gate:
        session = cookie(gate.ask(f"GET /?token={CONTROL} HTTP/1.1"))
        assert gate.status(f"POST /logout HTTP/1.1\r\n{session}\r\nContent-Length: 0") == 303
    left = json.loads(path.read_text())
    assert len(left["ids"]) == 1
    assert "gone" not in {*left["ids"], *left["floors"]}


def test_guests_that_come_at_once_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a full house, no more are greeted than may be."""
    monkeypatch.setattr(limits, "WATCHERS", 0)
    monkeypatch.setattr(limits, "GUESTS", 3)
    monkeypatch.setattr(limits, "DIALS", 20)
    with slow_desk() as (desk, go), running_gate(tmp_path, desk.port) as gate:
        bearer = f"Authorization: Bearer {VIEW}"
        crowd = [upgrade(gate, bearer, token=None) for _ in range(10)]
        wait_until(lambda: gate.keeper.arriving.total() == 3)
        go.set()
        answers = [receive(sock, 12) for sock in crowd]
        assert answers.count(b"HTTP/1.1 101") == 3
        assert answers.count(b"HTTP/1.1 503") == 7
        for sock in crowd:
            sock.close()


def test_w12_who_says_something_but_never_joins_is_sent_away(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One byte a while would else hold a guest's place for ever."""
    monkeypatch.setattr(limits, "FIRST_MESSAGE_SECONDS", 0.3)
    monkeypatch.setattr(limits, "TICK_SECONDS", 0.05)
    with gate.view(VIEW) as viewer:
        viewer.send(b"R")
        assert close_code(viewer) == 1008


def test_asyncios_trouble_is_said_once_a_second(capfd: pytest.CaptureFixture[str]) -> None:
    """Without descriptors it comes with each connection, and fills the log."""
    from deskgate.gate.life import exception_logger

    class Clock:
        now = 0.0

        def time(self) -> float:
            return self.now

    clock: Any = Clock()
    say = exception_logger()
    for now in (0.0, 0.1, 0.9, 1.0):
        clock.now = now
        say(clock, {"message": "cannot accept", "exception": OSError("EMFILE")})
    assert capfd.readouterr().err == "error: cannot accept OSError: EMFILE\n" * 2
