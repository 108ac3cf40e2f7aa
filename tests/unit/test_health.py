"""Health's reading of the kernel's tables, and the tables that packages and installs go by."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deskgate import health, probe
from deskgate.errors import ProgramError
from deskgate.programs import TOKENS_FILE

from . import samples

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue\n"
TCP = HEAD + (
    "   0: 0100007F:170D 00000000:0000 0A 0\n"  # 127.0.0.1:5901, listening
    "   1: 00000000:1F42 00000000:0000 0A 0\n"  # 0.0.0.0:8002, listening
    "   2: 0B00007F:1770 00000000:0000 0A 0\n"  # 127.0.0.11:6000, listening
    "   3: 0200A8C0:1F90 0100A8C0:C000 01 0\n"  # 192.168.0.2:8080, connected
)
TCP6 = HEAD + (
    "   0: 00000000000000000000000001000000:170D 0:0 0A 0\n"  # [::1]:5901
    "   1: 00000000000000000000000000000000:1771 0:0 0A 0\n"  # [::]:6001
)


def test_only_listeners_beyond_loopback_count() -> None:
    """proc(5): hexadecimal, little-endian, state 0A."""
    assert health.open_listeners([TCP, TCP6]) == {8002, 6001}
    assert health.open_listeners([]) == set()


RECORD = {"display": ":1", "port": 8002, "rfb": "127.0.0.1:5901"}


@pytest.mark.parametrize(
    ("listening", "healthy"),
    [({8002}, True), ({8002, 9000}, True), ({5901}, False), ({8002, 6001}, False), ({5999}, True)],
    ids=str,
)
def test_a_back_door_past_the_gate_is_not_healthy(listening: set[int], healthy: bool) -> None:
    """Ports of the user's own command are the user's business; VNC's and X's are not."""
    if healthy:
        health.refuse_back_doors(RECORD, listening)
    else:
        with pytest.raises(ProgramError, match="past the gate"):
            health.refuse_back_doors(RECORD, listening)


@contextlib.contextmanager
def answering(answer: Callable[[bool], bytes]) -> Iterator[dict[str, Any]]:
    """A server in the gate's place; yields its record.

    Args:
        answer: whether a request has a credential → what comes back.
    """

    def serve(door: socket.socket) -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                client, _ = door.accept()
                with client:
                    client.sendall(answer(b"Authorization" in client.recv(4096)))

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=serve, args=(door,), daemon=True).start()
        port = door.getsockname()[1]
        record = {"listen": "", "port": port, "tls": False, "auth": "token", "proxy": "gate"}
        yield {**record, "listener_uid": os.geteuid()}
        door.shutdown(socket.SHUT_RDWR)


OPEN = b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x82\x0c" + probe.GREETING
SHUT = b"HTTP/1.1 401 Unauthorized\r\n\r\n"


@pytest.mark.parametrize(
    ("with_token", "without", "says"),
    [
        (OPEN, SHUT, None),
        (OPEN, OPEN, "lets in whoever has no token"),
        (SHUT, SHUT, "no RFB greeting comes"),
    ],
    ids=["right", "open", "shut"],
)
def test_a_gate_is_healthy_that_greets_the_token_and_nobody_else(
    with_token: bytes, without: bytes, says: str | None
) -> None:
    """One that greets everybody works, and is the worst of all."""
    with answering(lambda credential: with_token if credential else without) as record:
        if says is None:
            health.greeting_only_with_token(record, samples.GIVEN)
        else:
            with pytest.raises(ProgramError, match=says):
                health.greeting_only_with_token(record, samples.GIVEN)


GATE_ROW = "   0: 00000000000000000000000000000000:1F42 0:0 0A 0:0 00:0 0 63002 0 1 1\n"
OTHERS = (
    "   1: 0100007F:1F42 0:0 0A 0:0 00:0 0 1234 0 1 1\n"  # the port, of another
    "   2: 0100007F:1F43 0:0 0A 0:0 00:0 0 63002 0 1 1\n"  # another port
    "   3: 0100007F:1F42 0:0 01 0:0 00:0 0 63002 0 1 1\n"  # a connection
)


@pytest.mark.parametrize(
    ("rows", "uid", "fine"),
    [
        (GATE_ROW, 63002, True),
        (OTHERS + GATE_ROW, 63002, True),
        (OTHERS, 63002, False),
        ("", 63002, False),
        (OTHERS, None, True),
    ],
    ids=["the gate", "among others", "others", "nobody", "one user"],
)
def test_c7_no_other_program_on_the_gates_port_is_told_a_token(
    rows: str, uid: int | None, fine: bool
) -> None:
    """The desktop takes it while the gate is down; a health check would bring it the token."""
    if fine:
        probe.refuse_other_listeners([HEAD + rows], 8002, uid)
    else:
        with pytest.raises(ConnectionRefusedError, match="not the gate"):
            probe.refuse_other_listeners([HEAD + rows], 8002, uid)


def test_a_program_that_was_given_up_is_not_healthy() -> None:
    """One that waits, or that nobody has asked for, is."""
    rows = [
        {"name": f"p-{state}", "state": state} for state in ("ready", "waiting", "down", "done")
    ]
    health.refuse_failed({"programs": rows})
    rows += [{"name": "panel", "state": "failed"}, {"name": "db", "state": "failed"}]
    with pytest.raises(ProgramError, match="health: panel, db cannot live"):
        health.refuse_failed({"programs": rows})


def test_the_credential_is_a_live_token_and_control_if_there_is_one(tmp_path: Path) -> None:
    """An expired one is refused by the gate, which is no illness; no file, no credential."""
    file = tmp_path / TOKENS_FILE
    assert probe.live_token(tmp_path, 0) is None
    view = f"# role=view expires=1970-01-01T00:03:20Z\n{samples.GIVEN[::-1]}: 127.0.0.1:0\n"
    control = f"# role=control expires=1970-01-01T00:01:40Z\n{samples.GIVEN}: 127.0.0.1:5901\n"
    file.write_text(view + control)
    found = [probe.live_token(tmp_path, now) for now in (99, 100, 200)]
    assert [each and each.value for each in found] == [samples.GIVEN, samples.GIVEN[::-1], None]
