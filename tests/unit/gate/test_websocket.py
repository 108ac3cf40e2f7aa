"""What one viewer can do to the gate and to the others by its WebSocket alone.

Floods, lengths that are lies, silence, a cable that is pulled, a reader that stops, a crowd. The
frames themselves are judged in test_rfc6455.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from deskgate import rfb
from deskgate.gate import limits

from .running import (
    Desk,
    Gate,
    read_all,
    receive,
    reset,
    running_gate,
    wait_until,
)
from .samples import CONTROL
from .wire import (
    BINARY,
    CLIENT_INIT,
    CLOSE,
    CONT,
    OPENING,
    PING,
    PONG,
    TEXT,
    Seen,
    close,
    fragmented,
    frame,
    joined,
    read_frame,
    read_frames,
    read_head,
    write,
)

BEARER = f"Authorization: Bearer {CONTROL}"
MIB = limits.MESSAGE_BYTES
BOUND_BYTES = 30_000_000  # more than the kernel's buffers and ours take
POLICY, TOO_BIG, TRY_LATER = 1008, 1009, 1013


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that looks often."""
    monkeypatch.setattr(limits, "TICK_SECONDS", 0.02)


def cpu_seconds(gate: Gate) -> float:
    """What the gate's thread has used so far."""
    used: float = gate.call(time.thread_time)
    return used


def ends_of(browser: socket.socket, xvnc: socket.socket) -> tuple[list[Seen], bytes]:
    """What still came on both sides, up to the end of both."""
    return read_frames(read_all(browser)), read_all(xvnc)


# Fragments and floods


def test_w7_one_byte_fragments_with_pings_between_arrive_whole(gate: Gate, desk: Desk) -> None:
    """In one write, and every ping has its answer."""
    message = bytes(range(100))
    with joined(gate, desk) as (browser, xvnc):
        browser.sendall(fragmented(message, 1, between=frame(PING, b"?")))
        assert xvnc.recv(200) == message
        pongs = [read_frame(partial(receive, browser)) for _ in range(99)]
        assert pongs == [Seen(PONG, b"?")] * 99


def test_w7_a_message_in_too_many_fragments_ends_with_1009(gate: Gate, desk: Desk) -> None:
    """None of it arrives; one fragment less passes (test_rfc6455.py, 10.4)."""
    with joined(gate, desk) as (browser, xvnc):
        browser.sendall(fragmented(b"x" * (limits.FRAGMENTS + 1), 1))
        (last,), arrived = ends_of(browser, xvnc)
    assert (last.code, arrived) == (TOO_BIG, b"")


EMPTY = {
    "fragments": frame(BINARY, fin=False) + frame(CONT, fin=False) * 1_000_000,
    "messages": frame(BINARY) * 1_000_000,
}


@pytest.mark.parametrize("flood", EMPTY.values(), ids=EMPTY)
def test_w7_a_million_empty_frames_cost_little_and_end_with_1008(
    gate: Gate, desk: Desk, flood: bytes
) -> None:
    """They cost the sender nothing. A hundred are no flood; all of them parsed would be seconds."""
    with joined(gate, desk) as (browser, xvnc):
        browser.sendall(frame(BINARY) * 100 + frame(BINARY, b"whole"))
        assert receive(xvnc, 5) == b"whole"
        before = cpu_seconds(gate)
        write(browser, flood)
        (last,), arrived = ends_of(browser, xvnc)
    assert (last.code, arrived) == (POLICY, b"")
    assert cpu_seconds(gate) - before < 0.2
    assert gate.status(f"GET /vnc.html HTTP/1.1\r\n{BEARER}") == 200


CONTROL_FLOODS = {
    "pings": frame(PING),
    "pings-with-content": frame(PING, b"p" * 125),
    "pongs": frame(PONG),
    "pongs-with-content": frame(PONG, b"p" * 125),
}


@pytest.mark.parametrize("one", CONTROL_FLOODS.values(), ids=CONTROL_FLOODS)
def test_w9_a_flood_of_pings_or_pongs_costs_little_and_ends_with_1008(
    gate: Gate, desk: Desk, one: bytes
) -> None:
    """Ten seconds of 10 000 a second in one go: what was read with the one too many is answered."""
    is_ping = one[0] & 0x0F == PING
    with joined(gate, desk) as (browser, xvnc):
        browser.sendall(one * 100 + frame(BINARY, b"whole"))
        assert receive(xvnc, 5) == b"whole"
        before = cpu_seconds(gate)
        write(browser, one * 100_000)
        (*pongs, last), arrived = ends_of(browser, xvnc)
    assert (last.code, arrived) == (POLICY, b"")
    assert {seen.opcode for seen in pongs} == ({PONG} if is_ping else set())
    at_most = 2 * limits.EMPTY_FRAMES_PER_SECOND  # a second may end amid the flood
    assert len(pongs) <= at_most + limits.READ_BYTES // len(one) + 1
    assert cpu_seconds(gate) - before < 0.2
    assert gate.status(f"GET /vnc.html HTTP/1.1\r\n{BEARER}") == 200


# Lengths that are lies

FIRST = frame(BINARY, b"one", fin=False)
TOO_MUCH = {
    "2^63-1": frame(BINARY, claim=2**63 - 1),
    "2^63-1 in a fragment": FIRST + frame(CONT, claim=2**63 - 1),
    "2^63-1 of text": frame(TEXT, claim=2**63 - 1),
    "2^63-1 of ping": frame(PING, claim=2**63 - 1),
    "2^32": frame(BINARY, claim=2**32),
    "a byte too much": frame(BINARY, claim=MIB + 1),
    "a byte too much in a fragment": FIRST + frame(CONT, claim=MIB - 2),
}


@pytest.mark.parametrize("sent", TOO_MUCH.values(), ids=TOO_MUCH)
def test_w8_too_long_a_message_ends_with_1009_before_any_allocation(
    gate: Gate, desk: Desk, sent: bytes
) -> None:
    """By its head alone: nothing of the payload is waited for, and no memory taken."""
    with joined(gate, desk) as (browser, xvnc):
        tracemalloc.start()
        try:
            browser.sendall(sent)
            (last,), arrived = ends_of(browser, xvnc)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (last.code, arrived) == (TOO_BIG, b"")
    assert peak < MIB / 2


def test_w8_a_message_of_the_largest_size_takes_its_memory_and_arrives(
    gate: Gate, desk: Desk
) -> None:
    """So the measurement above is alive, and the limit is no byte too low."""
    sent = frame(BINARY, b"x" * MIB)
    with joined(gate, desk) as (browser, xvnc):
        tracemalloc.start()
        try:
            browser.sendall(sent)
            arrived = 0
            while arrived < MIB:
                arrived += len(xvnc.recv(4096))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak > MIB


# Silence


@pytest.mark.usefixtures("quick")
def test_w9_who_never_answers_a_ping_is_dead_within_a_minute(
    gate: Gate, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only then: one beside it, that says nothing else but answers, stays."""
    assert 2 * limits.PING_SECONDS < limits.DEAD_SECONDS  # one may be lost
    assert limits.DEAD_SECONDS + 1 <= 60  # a tick is a second
    monkeypatch.setattr(limits, "PING_SECONDS", 0.05)
    monkeypatch.setattr(limits, "DEAD_SECONDS", 0.5)
    with joined(gate, desk) as (living, theirs), joined(gate, desk) as (mute, xvnc):
        began = time.monotonic()
        while time.monotonic() - began < 3 * limits.DEAD_SECONDS:
            ping = read_frame(partial(receive, living))
            assert ping.opcode == PING
            living.sendall(frame(PONG, ping.payload))
        assert len(gate.keeper.viewers) == 1
        pings, arrived = ends_of(mute, xvnc)
        living.sendall(frame(BINARY, b"alive"))
        assert receive(theirs, 5) == b"alive"
    assert {seen.opcode for seen in pings} == {PING}
    assert arrived == b""


def say_goodbye(browser: socket.socket, _xvnc: socket.socket) -> None:
    browser.sendall(frame(CLOSE, close(1000)))


def send_fin(browser: socket.socket, _xvnc: socket.socket) -> None:
    browser.shutdown(socket.SHUT_WR)


def send_rst(browser: socket.socket, _xvnc: socket.socket) -> None:
    reset(browser)


def vanish(_browser: socket.socket, _xvnc: socket.socket) -> None:
    """Nothing comes any more, not even a FIN, as with a pulled cable."""


def vanish_amid_a_picture(_browser: socket.socket, xvnc: socket.socket) -> None:
    """The same, while more is on its way than anybody takes."""
    xvnc.settimeout(0.1)
    with contextlib.suppress(TimeoutError, ConnectionError):
        while True:
            xvnc.sendall(b"picture" * 10_000)
    xvnc.settimeout(5)


# And after how long without a word it is dead; who says that it goes is let go at once.
GOING = {
    "goodbye": (say_goodbye, limits.DEAD_SECONDS),
    "FIN": (send_fin, limits.DEAD_SECONDS),
    "RST": (send_rst, limits.DEAD_SECONDS),
    "vanished": (vanish, 0.3),
    "vanished amid a picture": (vanish_amid_a_picture, 0.3),
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("go", "dead_seconds"), GOING.values(), ids=GOING)
def test_w10_whoever_goes_leaves_nothing_behind(
    gate: Gate,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    go: Callable[[socket.socket, socket.socket], None],
    dead_seconds: float,
) -> None:
    """Five times: both sides are closed, and the gate has as many files and tasks as before."""
    assert limits.DEAD_SECONDS + 1 <= 60
    monkeypatch.setattr(limits, "DEAD_SECONDS", dead_seconds)
    monkeypatch.setattr(limits, "CLOSE_SECONDS", 60.0)  # no second clock helps

    def files() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - Path keeps one open

    def tasks() -> int:
        count: int = gate.call(lambda: len(asyncio.all_tasks()))
        return count

    with joined(gate, desk):
        pass  # what is loaded and opened once for all
    wait_until(lambda: not gate.keeper.viewers)
    before = files(), tasks()
    for _ in range(5):
        with joined(gate, desk) as (browser, xvnc):
            assert files() == before[0] + 4
            go(browser, xvnc)
            assert read_all(xvnc) == b""
            if browser.fileno() != -1:
                read_all(browser)
        wait_until(lambda: not gate.keeper.viewers)
    wait_until(lambda: (files(), tasks()) == before)


# A reader that stops


def round_trips(browser: socket.socket, xvnc: socket.socket, goes_on: Callable[[], bool]) -> float:
    """The 99th percentile, in seconds, of a key press and its answer while something goes on."""
    took = []
    while goes_on():
        began = time.monotonic()
        browser.sendall(frame(BINARY, b"key"))
        assert receive(xvnc, 3) == b"key"
        xvnc.sendall(b"picture")
        assert read_frame(partial(receive, browser)) == Seen(BINARY, b"picture")
        took.append(time.monotonic() - began)
    assert len(took) > 20
    return sorted(took)[len(took) * 99 // 100]


@pytest.mark.usefixtures("quick")
def test_w11_a_viewer_that_stops_reading_gets_1013_and_slows_nobody(
    gate: Gate, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its Xvnc is held back instead of memory filled; the other's keys do not wait for it."""
    monkeypatch.setattr(limits, "STALL_SECONDS", 0.5)
    sent = 0  # bytes

    def play(xvnc: socket.socket) -> None:
        nonlocal sent
        with contextlib.suppress(ConnectionError):
            while sent < 3 * BOUND_BYTES:
                sent += xvnc.send(b"video" * 10_000)

    with joined(gate, desk) as (stuck, video), joined(gate, desk) as (other, theirs):
        playing = threading.Thread(target=play, args=(video,))
        playing.start()
        slowest = round_trips(other, theirs, playing.is_alive)
        while (seen := read_frame(partial(receive, stuck))).opcode == BINARY:
            pass  # what had been on its way
        assert seen.code == TRY_LATER
        other.sendall(frame(BINARY, b"alive"))
        assert receive(theirs, 5) == b"alive"
    assert sent < BOUND_BYTES
    assert slowest < 0.1  # a fifth of the stall; benchmarks/relay measures it exactly


# A crowd


@contextlib.contextmanager
def slow_desk(path: Path) -> Iterator[tuple[Desk, list[int]]]:
    """A desktop with Xvnc's backlog, which takes its time; how many it had in hand, each time."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(5)
    desk = Desk(listener)
    shake, lock, shaking = desk._shake, threading.Lock(), 0
    in_hand: list[int] = []

    def shake_slowly(sock: socket.socket) -> None:
        nonlocal shaking
        with lock:
            shaking += 1
            in_hand.append(shaking)
        time.sleep(0.02)
        with lock:
            shaking -= 1
        shake(sock)

    setattr(desk, "_shake", shake_slowly)  # noqa: B010 - mypy: a method
    threading.Thread(target=desk.serve, daemon=True).start()
    yield desk, in_hand
    desk.close()
    for sock in desk.sockets:
        sock.close()


def test_w13_of_200_at_once_sixteen_come_in_and_each_other_gets_503(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Xvnc, whose backlog is five, hears of the sixteen alone, at most four at once."""
    path = tmp_path / "rfb.sock"
    capfd.readouterr()
    with (
        slow_desk(path) as (desk, in_hand),
        running_gate(tmp_path, 0, rfb=f"unix_socket:{path}") as gate,
        ThreadPoolExecutor(200) as pool,
        contextlib.ExitStack() as stack,
    ):

        def ask(_number: int) -> tuple[bytes, socket.socket]:
            sock = stack.enter_context(gate.socket())
            sock.sendall(gate.upgrade() + b"\r\n\r\n")
            return read_head(sock), sock

        answers = list(pool.map(ask, range(200)))
        admitted = [sock for head, sock in answers if head.startswith(b"HTTP/1.1 101 ")]
        refused = [head for head, _ in answers if head.startswith(b"HTTP/1.1 503 ")]
        assert (len(admitted), len(refused)) == (limits.VIEWERS, 200 - limits.VIEWERS)
        assert all(b"\r\nRetry-After: 2\r\n" in head for head in refused)
        assert len(in_hand) == limits.VIEWERS
        assert max(in_hand) <= limits.DIALS
        for sock in admitted:  # each of them works
            sock.sendall(frame(BINARY, OPENING + b"key"))
        for _ in admitted:
            _, xvnc = desk.next()
            assert receive(xvnc, 4) == CLIENT_INIT + b"key"
            xvnc.sendall(b"picture")
        for sock in admitted:
            payloads = [read_frame(partial(receive, sock)).payload for _ in range(3)]
            assert payloads == [rfb.VERSION, b"\x01\x01" + bytes(4), b"picture"]
        assert "desktop" not in capfd.readouterr().err  # no trouble with Xvnc
