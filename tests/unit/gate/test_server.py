"""HTTP on real sockets: what the parser, the clocks and the bounds do."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from pathlib import Path

import pytest

from deskgate import listening, rfb
from deskgate.gate import limits
from deskgate.gate.actions import http_date

from .running import (
    BIG_BYTES,
    Desk,
    Gate,
    body_of,
    join,
    read_all,
    receive,
    reset,
    running_gate,
    statuses,
    wait_until,
)
from .samples import CONTROL, VIEW

BEARER = f"Authorization: Bearer {CONTROL}"


def test_h1_a_stranger_gets_a_real_401(gate: Gate) -> None:
    """Not a closed connection, as stock websockify gives."""
    answer = gate.ask("GET /core/rfb.js HTTP/1.1")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nConnection: close\r\n" in answer
    assert b'data-access="locked"' in answer


def test_h7_head_has_no_body(gate: Gate) -> None:
    """But the length of one."""
    head = gate.ask("HEAD / HTTP/1.1")
    assert head.endswith(b"\r\n\r\n")
    assert b"Content-Length: " in head


def read_one(sock: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += sock.recv(65536)
    return head


def test_a_connection_serves_many_requests(gate: Gate) -> None:
    """noVNC loads a hundred files."""
    with gate.socket() as sock:
        for _ in range(3):
            sock.sendall(f"GET /vnc.html HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode())
            assert read_one(sock).startswith(b"HTTP/1.1 200 ")


def test_h11_pipelined_requests_are_each_judged_alone(gate: Gate) -> None:
    """The first one's credential is not the second one's."""
    with gate.socket() as sock:
        first = f"GET /vnc.html HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n"
        sock.sendall((first + "GET /vnc.html HTTP/1.1\r\nHost: a\r\n\r\n").encode())
        answers = read_all(sock)
    assert statuses(answers) == [200, 401]


def test_h9_a_slow_request_is_408(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte at a time holds a place for ten seconds at most."""
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.5)
    with gate.socket() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nX")
        assert read_all(sock).startswith(b"HTTP/1.1 408 ")


def test_h9_a_slow_request_after_another_is_408(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is known may dawdle no longer than a stranger."""
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(limits, "KEEP_ALIVE_SECONDS", 60.0)
    with gate.socket() as sock:
        sock.sendall(f"GET /vnc.html HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode())
        assert read_one(sock).startswith(b"HTTP/1.1 200 ")
        sock.sendall(b"GET / HTTP/1.1\r\nX")
        assert read_all(sock).startswith(b"HTTP/1.1 408 ")


def test_h8_who_stays_after_a_refusal_is_left(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer can be read for a moment; nobody keeps the connection open after that."""
    monkeypatch.setattr(limits, "LINGER_SECONDS", 0.2)
    with gate.socket() as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert read_all(sock).startswith(b"HTTP/1.1 405 ")
        wait_until(lambda: not gate.keeper.connections)


def test_h8_who_sends_on_after_a_refusal_is_left(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody reads is bounded, too."""
    monkeypatch.setattr(limits, "LINGER_SECONDS", 60.0)
    monkeypatch.setattr(limits, "LINGER_BYTES", 1000)
    with gate.socket() as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert read_all(sock).startswith(b"HTTP/1.1 405 ")
        sock.sendall(b"y" * 5000)
        wait_until(lambda: not gate.keeper.connections)


def test_h12_a_silent_connection_is_closed(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer that nobody asked for."""
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.1)
    with gate.socket() as sock:
        assert read_all(sock) == b""


def test_an_idle_connection_is_closed(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its last answer."""
    monkeypatch.setattr(limits, "KEEP_ALIVE_SECONDS", 0.1)
    with gate.socket() as sock:
        sock.sendall(f"GET /vnc.html HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode())
        assert read_all(sock).startswith(b"HTTP/1.1 200 ")


def test_h10_who_does_not_take_an_answer_is_dropped(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file waits in memory for a while only."""
    monkeypatch.setattr(limits, "KEEP_ALIVE_SECONDS", 0.1)
    with gate.socket() as sock:
        sock.sendall(f"GET /big.js HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode())
        sock.recv(1, socket.MSG_PEEK)
        wait_until(lambda: not gate.keeper.connections)
        assert len(read_all(sock)) < BIG_BYTES


def test_a_slow_reader_that_reads_gets_everything(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only standing still is punished."""
    monkeypatch.setattr(limits, "KEEP_ALIVE_SECONDS", 1.0)
    with gate.socket() as sock:
        sock.sendall(f"GET /big.js HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode())
        assert len(read_all(sock)) > BIG_BYTES


def test_h12_the_oldest_stranger_makes_room(
    tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silent connections do not keep a person out, and who is in is no stranger.

    The silent go first, without an answer that would keep their descriptor; who has begun to
    ask is told.
    """
    monkeypatch.setattr(limits, "STRANGERS", 3)
    with running_gate(tmp_path, desk.port) as gate:
        known = gate.socket()
        known.sendall(f"GET /vnc.html HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode())
        read_one(known)
        silent = [gate.socket() for _ in range(6)]
        assert gate.status(f"GET /vnc.html HTTP/1.1\r\n{BEARER}") == 200
        assert read_all(silent[0]) == b""
        asking = []
        for spoke in range(2, 6):  # the known one did as well
            asking.append(gate.socket())
            asking[-1].sendall(b"GET / HT")
            wait_until(lambda n=spoke: sum(not c.silent for c in gate.keeper.connections) >= n)  # type: ignore[misc]
        assert read_all(asking[0]).startswith(b"HTTP/1.1 503 ")
        known.sendall(f"GET /vnc.html HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode())
        assert read_one(known).startswith(b"HTTP/1.1 200 ")
        for sock in [known, *silent, *asking]:
            sock.close()


def test_a_stranger_that_has_its_answer_makes_room_without_another(
    tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its next request would take the second one for its own."""
    monkeypatch.setattr(limits, "STRANGERS", 1)
    with running_gate(tmp_path, desk.port) as gate, gate.socket() as answered:
        answered.sendall(f"GET /nothing HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode())
        assert read_one(answered).startswith(b"HTTP/1.1 404 ")
        with gate.socket():
            assert read_all(answered) == b""


def test_a_stranger_that_has_its_answer_goes_before_one_that_asks(
    tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it came later: it only waits."""
    monkeypatch.setattr(limits, "STRANGERS", 2)
    with running_gate(tmp_path, desk.port) as gate, gate.socket() as asking:
        asking.sendall(b"GET / HT")
        wait_until(lambda: any(not each.silent for each in gate.keeper.connections))
        with gate.socket() as answered, contextlib.ExitStack() as stack:
            answered.sendall(f"GET /nothing HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode())
            assert read_one(answered).startswith(b"HTTP/1.1 404 ")
            stack.enter_context(gate.socket())
            assert read_all(answered) == b""
            asking.sendall(b"TP/1.1\r\nHost: a\r\n\r\n")
            assert read_all(asking).startswith(b"HTTP/1.1 401 ")


def test_a_hundred_that_come_at_once_are_read_before_one_makes_room(gate: Gate) -> None:
    """Each has sent its token already when the gate looks up: none of them is a stranger."""
    assert 3 * limits.ACCEPTS < limits.STRANGERS < 100 < listening.BACKLOG
    go = threading.Event()
    gate.loop.call_soon_threadsafe(go.wait, 5)
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(gate.socket()) for _ in range(100)]
        for sock in crowd:
            sock.sendall(f"GET /vnc.html HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n".encode())
        go.set()
        for sock in crowd:
            assert read_one(sock).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_asks_first_is_told_to_go_on(gate: Gate) -> None:
    """RFC 9110, 10.1.1."""
    body = f"token={CONTROL}".encode()
    with gate.socket() as sock:
        sock.sendall(
            b"POST /login HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        )
        assert sock.recv(100).startswith(b"HTTP/1.1 100 ")
        sock.sendall(body)
        assert read_all(sock).startswith(b"HTTP/1.1 303 ")


def test_h4_health_follows_the_desktop(
    gate: Gate, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 with an RFB greeting, 503 without, two letters each."""
    monkeypatch.setattr(limits, "PROBE_FRESH_SECONDS", 0.0)
    answer = gate.ask("GET /healthz HTTP/1.1\r\nCookie: vnc_00000000=v1.old")
    assert statuses(answer) == [200]
    assert body_of(answer) == b"ok\n"
    assert b"Set-Cookie" not in answer
    desk.greeting = b"SSH-2.0-none"
    answer = gate.ask("GET /healthz HTTP/1.1")
    assert statuses(answer) == [503]
    assert body_of(answer) == b"no\n"
    desk.close()
    assert gate.status("HEAD /readyz HTTP/1.1") == 503


def test_a_flood_of_probes_asks_the_desktop_once(gate: Gate, desk: Desk) -> None:
    """A good answer is kept for a second."""
    assert gate.status("GET /healthz HTTP/1.1") == 200
    desk.greeting = b"not any more"
    assert gate.status("GET /healthz HTTP/1.1") == 200


def test_without_a_desktop_the_upgrade_is_503(gate: Gate, desk: Desk) -> None:
    """Before it, so that every client understands."""
    desk.close()
    with gate.socket() as sock:
        sock.sendall(gate.upgrade() + b"\r\n\r\n")
        assert b"Retry-After: 2" in sock.recv(4096)
    assert gate.refuses() == 503


def test_status_counts_viewers_by_role(gate: Gate) -> None:
    """For `deskgate status` and `deskgate token list`."""
    with gate.view() as one, gate.view(VIEW) as two, gate.view(VIEW) as three, gate.view():
        for viewer in (one, two, three):
            join(viewer)
        wait_until(lambda: sum(viewer.joined for viewer in gate.keeper.viewers) == 3)
        answer = gate.ask(f"GET /api/status HTTP/1.1\r\n{BEARER}")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {
        "viewers": {"control": 1, "view": 2},
        "names": {"control": 1, "view": 2},
        "loans": [],
    }


def test_an_answer_comes_in_one_piece_and_at_once(gate: Gate) -> None:
    """Else its body waits until the browser acknowledges its head, which takes it 40 ms.

    Our listener does not know its protocol's number, and asyncio would leave Nagle's algorithm on.
    """
    with gate.socket() as sock:
        request = f"GET /vnc.html HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n\r\n"
        sock.sendall(request.encode())
        assert sock.recv(65536).endswith(b"\r\n\r\n<html></html>")
        (connection,) = gate.keeper.connections
        inside = connection._transport.get_extra_info("socket")
        assert inside.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_file_that_went_away_is_404(gate: Gate, tmp_path: Path) -> None:
    """Not an error of ours."""
    (tmp_path / "web" / "vnc.html").unlink()
    assert gate.status(f"GET /vnc.html HTTP/1.1\r\n{BEARER}") == 404


def test_clients_that_vanish_leave_nothing(gate: Gate) -> None:
    """No connection, no task, no file."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are all that counts
    for _ in range(20):
        sock = gate.socket()
        sock.sendall(f"GET /healthz HTTP/1.1\r\nHost: a\r\n{BEARER}\r\n".encode())
        reset(sock)
    gate.status("GET / HTTP/1.1")  # connections are accepted in order
    wait_until(lambda: not gate.keeper.connections and len(gate.keeper.strangers) == 0)
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before)  # noqa: PTH208


AMBIGUOUS = {
    "bare line feeds": b"GET / HTTP/1.1\nHost: a\n\n",
    "one bare line feed": b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
    "a folded line": b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
    "folded with a tab": b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n",
}


@pytest.mark.parametrize("sent", AMBIGUOUS.values(), ids=AMBIGUOUS)
@pytest.mark.parametrize("size", [1, 1000])
def test_h8_line_ends_that_can_be_read_in_two_ways_are_refused(
    gate: Gate, sent: bytes, size: int
) -> None:
    """A proxy before us may read them differently; however the bytes come."""
    with gate.socket() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            for start in range(0, len(sent), size):
                sock.sendall(sent[start : start + size])
        assert sock.recv(12) == b"HTTP/1.1 400"


@pytest.mark.parametrize("body", [b'{\n "ttl": "30"\n}\n', b' {"ttl":\r\n\t"30"}'], ids=ascii)
@pytest.mark.parametrize("size", [1, 1000])
def test_a_body_may_have_any_line_ends(gate: Gate, body: bytes, size: int) -> None:
    """JSON as people write it; the next request behind it is looked at again."""
    head = f"POST /api/tickets HTTP/1.1\r\nHost: a\r\n{BEARER}\r\nContent-Length: {len(body)}"
    sent = f"{head}\r\n\r\n".encode() + body + b"GET / HTTP/1.1\nHost: a\r\n\r\n"
    with gate.socket() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            for start in range(0, len(sent), size):
                sock.sendall(sent[start : start + size])
        answers = read_all(sock)
    assert answers.startswith(b"HTTP/1.1 201")
    assert b"HTTP/1.1 400" in answers


def test_frames_may_come_with_the_upgrade(gate: Gate, desk: Desk) -> None:
    """In one go, and with a line feed in them, as RFB's version has it."""
    frames = b"\x82\x8d" + bytes(4) + rfb.VERSION + b"\x01" + b"\x82\x81" + bytes(4) + b"\x01"
    with gate.socket() as sock:
        sock.sendall(gate.upgrade() + b"\r\n\r\n" + frames)
        assert sock.recv(12) == b"HTTP/1.1 101"
        _, xvnc = desk.next()
        assert receive(xvnc, 1) == b"\x01"


def test_a_file_name_of_any_script_is_answered(gate: Gate) -> None:
    """Not a dropped connection and an error in the log."""
    assert gate.status(f"GET /%C3%A9.html?token={CONTROL} HTTP/1.1") == 303


def test_requests_that_come_at_once_see_each_other(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last places are given away before the desktop answers, not after."""
    monkeypatch.setattr(limits, "VIEWERS", 3)
    socks = [gate.socket() for _ in range(20)]
    for sock in socks:
        sock.sendall(gate.upgrade() + b"\r\n\r\n")
    answers = [sock.recv(12) for sock in socks]
    assert answers.count(b"HTTP/1.1 101") == 3
    assert answers.count(b"HTTP/1.1 503") == 17
    for sock in socks:
        sock.close()
    wait_until(lambda: not gate.keeper.viewers)
    assert not gate.keeper.arriving.total()


def test_dates_are_those_of_http() -> None:
    """RFC 9110, 5.6.7, its own example."""
    assert http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"
