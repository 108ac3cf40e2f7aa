"""A viewer's life on real sockets: both roles, both ways, every close code."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection

from deskgate import rfb
from deskgate.gate import limits
from deskgate.gate.desk import DeskLink
from deskgate.gate.frames import binary_header
from deskgate.tokens import Role

from .running import (
    TOKEN_FILE,
    Desk,
    Gate,
    close_code,
    join,
    read_all,
    receive,
    reset,
    roles_here,
    running_gate,
    shake,
    wait_until,
)
from .samples import CONTROL, VIEW
from .wire import BINARY, CLOSE, close, frame, joined, read_frame

HEADERS = [
    (0, b"\x82\x00"),
    (125, b"\x82\x7d"),
    (126, b"\x82\x7e\x00\x7e"),
    (65535, b"\x82\x7e\xff\xff"),
    (65536, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
]


@pytest.mark.parametrize(("length", "header"), HEADERS)
def test_our_frame_heads_are_those_of_the_library(length: int, header: bytes) -> None:
    """RFC 6455, 5.2, at every border."""
    assert binary_header(length) == header
    whole = Frame(Opcode.BINARY, b"x" * length).serialize(mask=False)
    assert whole == header + b"x" * length


def admitted(gate: Gate) -> None:
    with gate.view():
        pass


def send_raw(viewer: ClientConnection, data: bytes) -> None:
    viewer.socket.sendall(data)


def masked(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    return Frame(Opcode(opcode), payload, fin=fin).serialize(mask=True)


@pytest.mark.parametrize(("token", "kind"), [(CONTROL, rfb.NONE), (VIEW, rfb.VNC_AUTH)])
def test_each_role_enters_xvnc_by_its_own_door(
    gate: Gate, desk: Desk, token: str, kind: int
) -> None:
    """The browser sees None both times; bytes pass both ways unread."""
    with gate.view(token) as viewer:
        chosen, xvnc = desk.next()
        assert chosen == kind
        shake(viewer)
        viewer.send(b"\x01")
        assert receive(xvnc, 1) == b"\x01"
        xvnc.sendall(b"server init")
        assert viewer.recv(5) == b"server init"
        for size in (1, 125, 126, 65535, 65536, 300_000):
            xvnc.sendall(b"s" * size)
            got = b""
            while len(got) < size:
                part = viewer.recv(5)
                assert isinstance(part, bytes)
                got += part
            viewer.send(b"c" * size)
            assert receive(xvnc, size) == b"c" * size


def test_a_view_link_without_a_view_password_is_no_control_link(gate: Gate, desk: Desk) -> None:
    """T14: refused before the upgrade, whatever is wrong with the password file."""
    for content in (b"", b"\0" * 8, b"\0" * 16, b"\0" * 24):
        Path(gate.keeper.config.rfbauth).write_bytes(content)
        assert gate.refuses(token=VIEW) == 503
    Path(gate.keeper.config.rfbauth).unlink()
    assert gate.refuses(token=VIEW) == 503
    assert desk.accepted.empty()


@pytest.mark.parametrize(("token", "password"), [(CONTROL, "control!"), (VIEW, "viewonly")])
def test_a_desktop_that_asks_everybody_is_entered_by_password(
    gate: Gate, desk: Desk, token: str, password: str
) -> None:
    """Then nobody else in the container gets in without one; each role with its own."""
    desk.types = b"\x01\x02"
    with gate.view(token) as viewer:
        chosen, xvnc = desk.next()
        assert chosen == rfb.VNC_AUTH
        assert desk.answers == [rfb.answer_challenge(password.encode(), bytes(range(16)))]
        join(viewer)
        assert receive(xvnc, 1) == b"\x01"


def test_a_desktop_that_died_before_the_viewer_began_ends_with_1011(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the moment between its handshake and our 101, nobody else would hear of it."""
    reach = gate.keeper.desk.open

    async def reach_dying(role: Role) -> DeskLink:
        link = await reach(role)
        link.transport.abort()
        await asyncio.sleep(0.01)
        return link

    monkeypatch.setattr(gate.keeper.desk, "open", reach_dying)
    with gate.view() as viewer:
        assert close_code(viewer) == 1011


def test_a_control_link_needs_no_password_file_where_none_is_asked_for(
    gate: Gate, desk: Desk
) -> None:
    """The file is the conductor's; without it, watching ends, not control."""
    Path(gate.keeper.config.rfbauth).unlink()
    with gate.view() as viewer:
        join(viewer)
        assert desk.next()[0] == rfb.NONE


def test_a_probe_is_no_viewer(gate: Gate, capfd: pytest.CaptureFixture[str]) -> None:
    """It takes the greeting and goes: no count, no log line every few seconds."""
    capfd.readouterr()
    with gate.view() as viewer:
        assert viewer.recv(5) == rfb.VERSION
    wait_until(lambda: not gate.keeper.viewers)
    assert "info:" not in capfd.readouterr().err
    with gate.view() as viewer:
        join(viewer)
        wait_until(lambda: roles_here(gate) == [Role.CONTROL])
    wait_until(lambda: not gate.keeper.viewers)
    err = capfd.readouterr().err
    assert err.count("joined") == err.count("left") == 1


def test_watchers_leave_places_for_control(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was given a view link cannot keep the owner out."""
    monkeypatch.setattr(limits, "VIEWERS", 3)
    monkeypatch.setattr(limits, "WATCHERS", 2)
    with gate.view(VIEW), gate.view(VIEW):
        assert gate.refuses(token=VIEW) == 503
        with gate.view():
            assert gate.refuses() == 503


def test_in_a_full_house_a_machine_is_greeted_and_no_more(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`deskgate health` asks for the greeting alone."""
    monkeypatch.setattr(limits, "VIEWERS", 1)
    monkeypatch.setattr(limits, "GUESTS", 1)
    bearer = {"Authorization": f"Bearer {CONTROL}"}
    with gate.view() as owner:
        join(owner)
        with gate.view(None, additional_headers=bearer) as probe:
            assert gate.refuses(f"Authorization: Bearer {CONTROL}", token=None) == 503
            join(probe)
            assert close_code(probe) == 1013
        wait_until(lambda: roles_here(gate) == [Role.CONTROL])


def test_w7_a_message_arrives_in_one_write(gate: Gate, desk: Desk) -> None:
    """Up to 1.15, Xvnc loses step when a message is split; fragments are put together first."""
    with gate.view() as viewer:
        _, xvnc = desk.next()
        shake(viewer)
        send_raw(viewer, masked(2, b"\xfb" + b"1" * 10, fin=False))
        send_raw(viewer, masked(9, b"ping"))
        send_raw(viewer, masked(0, b"", fin=False))
        send_raw(viewer, masked(0, b"2" * 10))
        assert xvnc.recv(100) == b"\xfb" + b"1" * 10 + b"2" * 10


def test_what_is_glued_to_the_handshake_is_not_lost(gate: Gate, desk: Desk) -> None:
    """A client may send its ClientInit at once."""
    with gate.view() as viewer:
        _, xvnc = desk.next()
        viewer.send(rfb.VERSION + b"\x01" + b"\x01")
        assert receive(xvnc, 1) == b"\x01"


BROKEN = {
    "text": (masked(1, b"hello"), 1003),
    "unmasked": (b"\x82\x01x", 1002),
    "reserved bit": (b"\xc2\x80\0\0\0\0", 1002),
    "bad opcode": (b"\x83\x80\0\0\0\0", 1002),
    "fragmented ping": (b"\x09\x80\0\0\0\0", 1002),
    "long ping": (b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126, 1002),
    "close code 1005": (masked(8, b"\x03\xed"), 1002),
    "bad close reason": (masked(8, b"\x03\xe8\xff\xff"), 1007),
    "a stray continuation": (masked(0, b"x"), 1002),
}


@pytest.mark.parametrize(("sent", "code"), BROKEN.values(), ids=BROKEN)
def test_w6_a_broken_frame_ends_both_sides(gate: Gate, desk: Desk, sent: bytes, code: int) -> None:
    """A whole one passes before it; nothing does after it. All of them: test_rfc6455.py."""
    with gate.view() as viewer:
        _, xvnc = desk.next()
        join(viewer)
        assert receive(xvnc, 1) == b"\x01"
        send_raw(viewer, sent + masked(2, b"late"))
        assert close_code(viewer) == code
        with contextlib.suppress(ConnectionResetError):
            assert xvnc.recv(1) == b""
    wait_until(lambda: not gate.keeper.viewers)


def test_a_wrong_rfb_opening_is_told_why(gate: Gate, desk: Desk) -> None:
    """RFC 6143, 7.1.2; and nothing of it reaches Xvnc."""
    with gate.view() as viewer:
        _, xvnc = desk.next()
        assert viewer.recv(5) == rfb.VERSION
        viewer.send(b"RFB 003.003\n\x01")
        refusal = viewer.recv(5)
        assert isinstance(refusal, bytes)
        assert refusal[0] == 0
        assert close_code(viewer) == 1002
        with contextlib.suppress(ConnectionResetError):
            assert xvnc.recv(1) == b""


def test_a_dead_desktop_ends_with_1011(gate: Gate, desk: Desk) -> None:
    """noVNC tries again then."""
    with gate.view() as viewer:
        _, xvnc = desk.next()
        shake(viewer)
        xvnc.close()
        assert close_code(viewer) == 1011


def test_a_viewer_who_is_held_back_is_told_at_once_that_the_desktop_died(
    gate: Gate, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer to our close frame is read, although nothing else of it was."""
    monkeypatch.setattr(limits, "CLOSE_SECONDS", 60.0)
    with joined(gate, desk) as (browser, xvnc):
        (held,) = gate.keeper.viewers
        more = frame(BINARY, b"y" * 65536) * 500  # than all buffers on the way take
        sending = threading.Thread(target=browser.sendall, args=(more,))
        sending.start()
        wait_until(lambda: not held._browser.is_reading())
        reset(xvnc)
        assert read_frame(partial(receive, browser)).code == 1011
        sending.join()
        browser.sendall(frame(CLOSE, close(1011)))
        assert read_all(browser) == b""


def test_w13_the_place_of_a_viewer_is_free_again(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 17th gets 503, until one leaves."""
    monkeypatch.setattr(limits, "VIEWERS", 2)
    with gate.view(), gate.view(VIEW):
        assert gate.refuses() == 503
    wait_until(lambda: not gate.keeper.viewers)
    admitted(gate)


# Time and tokens


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that looks often."""
    monkeypatch.setattr(limits, "TICK_SECONDS", 0.02)


@pytest.mark.usefixtures("quick")
def test_w12_silence_after_the_upgrade_ends(
    gate: Gate, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ten seconds, on both sides; who joins in time stays."""
    assert limits.FIRST_MESSAGE_SECONDS == 10
    monkeypatch.setattr(limits, "FIRST_MESSAGE_SECONDS", 0.3)
    with gate.view() as viewer, gate.view() as silent:
        join(viewer)
        desk.next()
        _, xvnc = desk.next()
        assert close_code(silent) == 1008
        with contextlib.suppress(ConnectionResetError):
            assert xvnc.recv(1) == b""
        viewer.ping().wait(5)
        assert roles_here(gate) == [Role.CONTROL]


def write_tokens(gate: Gate, text: str) -> None:
    fresh = gate.tokens.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(gate.tokens)


@pytest.mark.usefixtures("quick")
def test_s3_a_removed_token_ends_its_viewers_and_no_other(gate: Gate) -> None:
    """Live, with 1008."""
    with gate.view() as control, gate.view(VIEW) as watcher:
        shake(control)
        shake(watcher)
        write_tokens(gate, TOKEN_FILE.split("# name=view")[0])
        assert close_code(watcher) == 1008
        wait_until(lambda: [one.access.role for one in gate.keeper.viewers] == ["control"])
    assert gate.refuses(token=VIEW) == 401


@pytest.mark.usefixtures("quick")
def test_a_token_that_changed_its_role_ends_its_viewers(gate: Gate) -> None:
    """Xvnc gave them the old right."""
    with gate.view() as viewer:
        shake(viewer)
        write_tokens(gate, TOKEN_FILE.replace("role=control", "role=view"))
        assert close_code(viewer) == 1008


@pytest.mark.usefixtures("quick")
def test_s4_an_expiring_token_ends_its_viewers(gate: Gate) -> None:
    """Also when the end was set while they looked."""
    with gate.view(VIEW) as viewer:
        shake(viewer)
        past = TOKEN_FILE.replace("role=view", "role=view expires=2020-01-01T00:00:00Z")
        write_tokens(gate, past)
        assert close_code(viewer) == 1008


@pytest.mark.usefixtures("quick")
def test_a_file_that_is_being_written_is_waited_for(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor empties it first: that must end nobody's session."""
    monkeypatch.setattr(limits, "SETTLE_SECONDS", 0.5)
    with gate.view() as viewer:
        join(viewer)
        gate.tokens.write_text("")
        time.sleep(0.1)  # some looks
        gate.tokens.write_text(TOKEN_FILE.split("# name=view")[0])
        wait_until(lambda: gate.refuses(token=VIEW) == 401)
        assert roles_here(gate) == [Role.CONTROL]


@pytest.mark.usefixtures("quick")
def test_s2_a_bad_token_file_keeps_the_old_set_and_is_said_once(
    gate: Gate, capfd: pytest.CaptureFixture[str]
) -> None:
    """A typing error locks nobody out."""
    capfd.readouterr()
    with gate.view() as viewer:
        shake(viewer)
        write_tokens(gate, "half a line")
        gate.call(gate.keeper.look_at_tokens)
        time.sleep(0.2)  # several ticks
        admitted(gate)
        assert len(gate.keeper.viewers) >= 1
    wait_until(lambda: not gate.keeper.viewers)  # and they log no more
    assert capfd.readouterr().err.count("error: token file") == 1
    for bad in ("x" * 2_000_000, "\ud800"):
        gate.tokens.write_bytes(bad.encode("utf-8", "surrogatepass"))
        gate.call(gate.keeper.reload_tokens)
        admitted(gate)
    gate.tokens.unlink()
    gate.call(gate.keeper.look_at_tokens)
    admitted(gate)


def test_s6_logging_out_ends_the_sessions_viewers(gate: Gate, desk: Desk) -> None:
    """The second browser stays."""
    cookies = []
    for _ in range(2):
        answer = gate.ask(f"GET /?token={CONTROL} HTTP/1.1")
        cookies.append(answer.split(b"Set-Cookie: ")[1].split(b";")[0].decode())
    first, second = (
        dict[str, Any](additional_headers={"Cookie": one}, origin=f"http://127.0.0.1:{gate.port}")
        for one in cookies
    )
    with gate.view(None, **first) as leaving, gate.view(None, **second) as staying:
        shake(leaving)
        shake(staying)
        head = f"POST /logout HTTP/1.1\r\nCookie: {cookies[0]}\r\nContent-Length: 0"
        assert gate.status(head) == 303
        assert close_code(leaving) == 1008
        wait_until(lambda: len(gate.keeper.viewers) == 1)
        origin = f"Origin: http://127.0.0.1:{gate.port}"
        assert gate.refuses(f"Cookie: {cookies[0]}", origin, token=None) == 401


# Backpressure


def test_a_desktop_that_reads_nothing_holds_the_viewer_back(gate: Gate, desk: Desk) -> None:
    """And goes on where it stopped."""
    with gate.view() as viewer:
        _, xvnc = desk.next()
        shake(viewer)
        viewer.socket.settimeout(0.5)
        chunk = masked(2, b"y" * 65536)
        sent = b""
        with contextlib.suppress(TimeoutError):
            for _ in range(1000):
                viewer.socket.sendall(chunk)
                sent += b"y" * 65536
        assert len(sent) < 40_000_000
        assert receive(xvnc, len(sent)) == sent


def test_w9_pongs_that_nobody_reads_are_bounded(
    gate: Gate, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is dropped; here without the bound on pings, which would end it sooner."""
    monkeypatch.setattr(limits, "EMPTY_FRAMES_PER_SECOND", 10**9)
    monkeypatch.setattr(limits, "SEND_BUFFER_BYTES", 100_000)
    monkeypatch.setattr(limits, "FIRST_MESSAGE_SECONDS", 60.0)
    with gate.socket() as raw:
        raw.sendall(gate.upgrade() + b"\r\n\r\n")
        desk.next()
        wait_until(lambda: bool(gate.keeper.viewers))
        deadline = time.monotonic() + 10
        with contextlib.suppress(OSError):
            while gate.keeper.viewers:
                raw.sendall(masked(9, b"p" * 125) * 1000)
                assert time.monotonic() < deadline
        wait_until(lambda: not gate.keeper.viewers)


def test_the_gates_end_is_said(tmp_path: Path, desk: Desk) -> None:
    """1001: going away."""
    with contextlib.ExitStack() as stack:
        with running_gate(tmp_path, desk.port) as gate:
            viewer = stack.enter_context(gate.view())
            shake(viewer)
        assert close_code(viewer) == 1001


def test_w13_thirty_viewers_at_once_wait_for_their_turn(
    gate: Gate, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Xvnc's backlog is five; nobody is refused for it."""
    monkeypatch.setattr(limits, "VIEWERS", 30)
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(30) as pool:
        list(pool.map(lambda _: stack.enter_context(gate.view()), range(30)))
        wait_until(lambda: len(gate.keeper.viewers) == 30)


def test_a_closed_connection_raises_nothing_twice(gate: Gate, desk: Desk) -> None:
    """Sending after the end is the client's error alone."""
    with gate.view() as viewer:
        desk.next()
        viewer.close()
        with pytest.raises(ConnectionClosed):
            viewer.send(b"x")


def take(gate: Gate, *pieces: bytes) -> None:
    """Let the only viewer's relay have bytes as if they came in these pieces, and nothing else."""
    (viewer,) = gate.keeper.viewers

    def give() -> None:
        for piece in pieces:
            viewer.data_received(piece)

    gate.call(give)


def test_content_that_looks_like_a_frame_is_content(gate: Gate, desk: Desk) -> None:
    """Cut right before it, as the network may."""
    with gate.view() as viewer:
        join(viewer)
        _, xvnc = desk.next()
        assert receive(xvnc, 1) == b"\x01"
        inner = masked(Opcode.BINARY, b"12345678")
        take(gate, b"\x82\x8e" + bytes(4), inner, masked(Opcode.BINARY, b"after"))
        assert receive(xvnc, len(inner) + 5) == inner + b"after"


def test_a_whole_message_between_fragments_ends_with_1002(gate: Gate, desk: Desk) -> None:
    """RFC 6455, 5.4; although a small message alone is not looked at closely."""
    with gate.view() as viewer:
        join(viewer)
        first = masked(Opcode.BINARY, b"first", fin=False)
        take(gate, first, masked(Opcode.BINARY, b"whole"))
        assert close_code(viewer) == 1002


def test_who_said_goodbye_is_not_let_in_any_more(gate: Gate, desk: Desk) -> None:
    """What comes behind a close frame is nobody's."""
    with gate.view() as viewer:
        shake(viewer)
        (relay,) = gate.keeper.viewers
        take(gate, masked(Opcode.CLOSE, b"\x03\xe8"), masked(Opcode.BINARY, b"\x01"))
        assert not relay.joined
