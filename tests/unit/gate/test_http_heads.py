"""Heads that are too long, malformed, or that two programs could read in two ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskgate.gate import limits

from .running import (
    Desk,
    Gate,
    body_of,
    cookie,
    exchange,
    read_all,
    statuses,
    write_files,
)
from .samples import CONTROL
from .test_process import Process, free_port, process

BEARER = f"Authorization: Bearer {CONTROL}"
HOST = "Host: localhost"
LINE, END = b"GET /vnc.html HTTP/1.1\r\nHost: localhost\r\n", b"\r\n\r\n"


def filled(size: int) -> list[str]:
    """Header lines of so many bytes together, as they are counted."""
    fixed = [HOST, BEARER]
    left = size - sum(len(line) + 2 for line in fixed)
    return [*fixed, "X: " + "a" * (left - 5)]


def test_h8_heads_up_to_the_bounds_are_served(gate: Gate) -> None:
    """Sixteen KiB, 64 lines, one of 8 KiB, a target of four: to the byte."""
    many = [HOST, BEARER, *["X: y"] * (limits.HEADER_COUNT - 2)]
    long = "/vnc.html?" + "a" * (limits.TARGET_BYTES - len("/vnc.html?"))
    for lines in (
        ["GET /vnc.html HTTP/1.0", *filled(limits.HEADER_BYTES)],
        ["GET /vnc.html HTTP/1.0", *many],
        ["GET /vnc.html HTTP/1.0", HOST, BEARER, "X: " + "a" * 8192],
        [f"GET {long} HTTP/1.0", HOST, BEARER],
    ):
        assert statuses(exchange(gate, *lines)) == [200]


BAD = {
    "a byte too much": (b"\r\n".join([LINE[:-2], b"X: " + b"a" * 16368]) + END, 431),
    "65 lines": (LINE + b"X: y\r\n" * 64 + b"\r\n", 431),
    "a line of 17 KiB": (LINE + b"X: " + b"a" * 17408 + END, 431),
    "a line without end": (LINE + b"X: " + b"a" * 100_000, 431),
    "lines without end": (LINE + b"X: y\r\n" * 20_000, 431),
    "a target of 8 KiB": (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: a" + END, 414),
    "a target a byte too long": (b"GET /" + b"a" * 4096 + b" HTTP/1.1\r\nHost: a" + END, 414),
    "a target without end": (b"GET /" + b"a" * 100_000, 431),
    "a folded line": (LINE + b"X: y\r\n z" + END, 400),
    "a folded first line": (b"GET / HTTP/1.1\r\n X: y\r\nHost: a" + END, 400),
    "no colon": (LINE + b"nonsense" + END, 400),
    "no name": (LINE + b": y" + END, 400),
    "a space before the colon": (LINE + b"X : y" + END, 400),
    "a name of another alphabet": (LINE + "Ü: y".encode() + END, 400),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "one bare line feed": (LINE + b"X: y\nZ: z" + END, 400),
    "one bare carriage return": (LINE + b"X: y\rZ: z" + END, 400),
    "a NUL in a value": (LINE + b"X: \0" + END, 400),
    "a NUL in a name": (LINE + b"X\0: y" + END, 400),
    "a long body": (b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 4097" + END, 413),
    "no version": (b"GET /\r\nHost: a" + END, 400),
    "version 0.9": (b"GET / HTTP/0.9\r\nHost: a" + END, 400),
    "version 2": (b"GET / HTTP/2.0\r\nHost: a" + END, 400),
    "version 1.2": (b"GET / HTTP/1.2" + END, 400),
    "HTTP/2's preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: a" + END, 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 400),
    "RFB": (b"RFB 003.008\n", 400),
}


@pytest.mark.parametrize(("head", "status"), BAD.values(), ids=BAD)
def test_h8_a_bad_head_gets_an_answer_and_the_end(gate: Gate, head: bytes, status: int) -> None:
    """One answer, although more was on its way, and nothing of the head in it."""
    with gate.socket() as sock:
        sock.sendall(head)
        given = read_all(sock)
    assert statuses(given) == [status]
    assert b"\r\nConnection: close\r\n" in given
    assert body_of(given) == f"{status}\n".encode()


@pytest.fixture
def path(tmp_path: Path, desk: Desk) -> Path:
    """A gate.json."""
    return write_files(tmp_path, desk.port, listen=["127.0.0.1", free_port()])


def resident(gate: Process) -> int:
    """KiB of memory that the gate's process has."""
    status = Path(f"/proc/{gate.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_h8_bad_heads_leave_no_memory_behind(path: Path) -> None:
    """Less than a MiB after thousands, once each has been seen."""
    with process(path) as gate:
        gate.ready()
        for times in (20, 100):
            before = resident(gate)
            for _ in range(times):
                for head, status in BAD.values():
                    assert statuses(gate.send(head)) == [status]
        assert resident(gate) - before < 1024


# Requests inside of requests

FORM = "Content-Type: application/x-www-form-urlencoded"
POST = ["POST /login HTTP/1.1", HOST, FORM]
CHUNKS = b"0\r\n\r\n"
FRAMED_TWICE = {
    "a length and chunks": (["Content-Length: 5", "Transfer-Encoding: chunked"], CHUNKS),
    "chunks and a length": (["Transfer-Encoding: chunked", "Content-Length: 5"], CHUNKS),
    "chunks and no length": (["Transfer-Encoding: chunked"], CHUNKS),
    "a length of zero and chunks": (["Content-Length: 0", "Transfer-Encoding: chunked"], CHUNKS),
    "two lengths": (["Content-Length: 1", "Content-Length: 2"], b"ab"),
    "a list of lengths": (["Content-Length: 1, 2"], b"ab"),
    "a signed length": (["Content-Length: +2"], b"ab"),
    "a negative length": (["Content-Length: -2"], b""),
    "a length in hexadecimal": (["Content-Length: 0x2"], b"ab"),
    "a length with a point": (["Content-Length: 2.0"], b"ab"),
    "a length with an underscore": (["Content-Length: 1_0"], b"ab"),
    "a length of other digits": (["Content-Length: \xb2"], b"ab"),
    "an empty length": (["Content-Length:"], b""),
    "odd chunks": (["Transfer-Encoding: xchunked"], CHUNKS),
    "identity": (["Transfer-Encoding: identity"], b""),
    "chunks twice": (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], CHUNKS),
    "chunks and identity": (["Transfer-Encoding: chunked, identity"], CHUNKS),
    "packed chunks": (["Transfer-Encoding: gzip, chunked"], CHUNKS),
    "chunks behind a tab": (["Transfer-Encoding:\tchunked"], CHUNKS),
    "chunks before a form feed": (["Transfer-Encoding: chunked\x0c"], CHUNKS),
    "a space before the colon": (["Transfer-Encoding : chunked"], CHUNKS),
    "a folded coding": (["Transfer-Encoding:\r\n chunked"], CHUNKS),
    "a long chunk extension": (
        ["Transfer-Encoding: chunked"],
        b"5;" + b"a" * (1 << 20) + b"\r\nhello\r\n" + CHUNKS,
    ),
}


def logout(session: str) -> bytes:
    """A whole request that shows whether it was run."""
    head = ["POST /logout HTTP/1.1", HOST, session, "Content-Length: 0", "", ""]
    return "\r\n".join(head).encode()


@pytest.fixture
def session(gate: Gate) -> str:
    """A browser's cookie."""
    return cookie(gate.ask(f"GET /?token={CONTROL} HTTP/1.1"))


def is_logged_in(gate: Gate, session: str) -> bool:
    return gate.status(f"GET /vnc.html HTTP/1.1\r\n{session}") == 200


@pytest.mark.parametrize(("lines", "content"), FRAMED_TWICE.values(), ids=FRAMED_TWICE)
def test_h11_a_body_with_two_ends_is_refused(
    gate: Gate, session: str, lines: list[str], content: bytes
) -> None:
    """One answer, and the request behind it is not run."""
    given = exchange(gate, *POST, *lines, behind=content + logout(session))
    assert statuses(given) in ([400], [413])
    assert b"\r\nConnection: close\r\n" in given
    assert is_logged_in(gate, session)
    assert statuses(exchange(gate, *POST, "Content-Length: 0", behind=logout(session))) == [401]
    assert is_logged_in(gate, session)


def test_h11_a_request_alone_is_run(gate: Gate, session: str) -> None:
    """So the tests around can fail."""
    good = f"GET /vnc.html HTTP/1.1\r\n{HOST}\r\n{BEARER}\r\n\r\n".encode()
    with gate.socket() as sock:
        sock.sendall(good + logout(session).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert statuses(read_all(sock)) == [200, 303]
    assert not is_logged_in(gate, session)


def test_h11_nothing_is_run_behind_a_refusal(gate: Gate, session: str) -> None:
    """A stranger's request in front, also for a WebSocket."""
    for lines in (
        ["GET / HTTP/1.1", HOST],
        ["GET /websockify HTTP/1.1", HOST, "Upgrade: websocket", "Connection: Upgrade"],
        ["PUT / HTTP/1.1", HOST, BEARER],
        ["GET / HTTP/1.1", HOST, HOST, BEARER],
    ):
        assert len(statuses(exchange(gate, *lines, behind=logout(session)))) == 1
        assert is_logged_in(gate, session)


def test_h11_the_body_of_a_request_is_no_request(gate: Gate, session: str) -> None:
    """Whatever its method."""
    inner = logout(session)
    for method in ("GET", "HEAD", "POST"):
        head = [f"{method} /vnc.html HTTP/1.1", HOST, BEARER, f"Content-Length: {len(inner)}"]
        assert len(statuses(exchange(gate, *head, "Connection: close", behind=inner))) == 1
        assert is_logged_in(gate, session)


def test_h11_nothing_is_run_behind_an_upgrade(gate: Gate, desk: Desk, session: str) -> None:
    """It is a frame by then, and a broken one; nor does it reach the desktop."""
    with gate.socket() as sock:
        sock.sendall(gate.upgrade() + b"\r\n\r\n" + logout(session))
        _, xvnc = desk.next()
        given = read_all(sock)
    assert statuses(given) == [101]
    assert given.endswith(b"\x03\xea" + given.partition(b"\x03\xea")[2])  # 1002
    assert xvnc.recv(1) == b""
    assert is_logged_in(gate, session)
