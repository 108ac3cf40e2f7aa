"""Health: does the desktop really work? Standard library only, no import that costs.

Asks what a person would find out: X answers with our cookie, an RFB greeting comes through the
gate with a credential, none comes without, and nothing but the gate listens beyond loopback on a
port of VNC or X. And no program was given up.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from deskgate import clock
from deskgate.errors import ProgramError, Status
from deskgate.files import read_own, read_secret
from deskgate.forms import FormError
from deskgate.neighbours import LISTEN, sockets
from deskgate.probe import (
    GREETING,
    TIMEOUT_SECONDS,
    ask_greeting,
    is_ready,
    live_token,
    receive,
    socket_tables,
)
from deskgate.running import NotRunningError, json_file, runtime_folder
from deskgate.xdisplay import x_socket


def x_answers(display: int, cookie: bytes) -> None:
    """Set up an X connection with our cookie (X Window System Protocol, 8)."""
    name = b"MIT-MAGIC-COOKIE-1"
    head = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie))
    request = head + name + b"\0" * (-len(name) % 4) + cookie + b"\0" * (-len(cookie) % 4)
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(TIMEOUT_SECONDS)
        door.connect(x_socket(display))
        door.sendall(request)
        answer = receive(door, lambda data: len(data) >= 8)
    if answer[:1] != b"\1":
        raise ProgramError("health: X refuses our cookie")


def greeting_only_with_token(record: Mapping[str, Any], token: str | None) -> None:
    """The gate lets a credential in, and nobody else.

    Args:
        token: None when none is asked for, or when all have expired: then nobody gets in, and
            that is as it should be.
    """
    asks = record["auth"] == "token"
    works = is_ready(record) if asks and token is None else GREETING in ask_greeting(record, token)
    if not works:
        raise ProgramError("health: no RFB greeting comes through the gate")
    if asks and GREETING in ask_greeting(record, None):
        raise ProgramError("health: the gate lets in whoever has no token")


def open_listeners(tables: Sequence[str]) -> set[int]:
    """TCP ports that listen beyond loopback, from the text of /proc/net/tcp and tcp6."""
    found = set()
    for address, port, _ in sockets(tables, LISTEN):
        ipv4_loopback = len(address) == 8 and address.endswith("7F")  # 127/8, little-endian
        ipv6_loopback = address == "00000000000000000000000001000000"
        if not ipv4_loopback and not ipv6_loopback:
            found.add(port)
    return found


def refuse_back_doors(record: Mapping[str, Any], listening: Set[int]) -> None:
    """Neither Xvnc's RFB port nor X itself may listen beyond loopback."""
    display = int(record["display"][1:])
    doors = {5900 + display, 6000 + display}
    if not record["rfb"].startswith("unix_socket:"):
        doors.add(int(record["rfb"].rpartition(":")[2]))
    if bad := sorted(listening & doors - {record["port"]}):
        raise ProgramError(f"health: port {bad[0]} listens beyond loopback, past the gate")


def refuse_failed(status: Mapping[str, Any]) -> None:
    """No program that should run may have been given up."""
    if failed := [row["name"] for row in status["programs"] if row["state"] == "failed"]:
        raise ProgramError(f"health: {', '.join(failed)} cannot live; the log says why")


def desktop_is_off() -> bool:
    """Whether nobody asked for a desktop: HEALTHCHECK runs in the container all the same."""
    from deskgate.errors import SettingsError
    from deskgate.reading import read_settings

    try:
        return not read_settings(os.environ, read_secret).settings.enable_vnc
    except SettingsError:
        return False


def health() -> int:
    """Ask everything; the first thing that does not work is the error."""
    try:
        folder = runtime_folder()
    except NotRunningError:
        if desktop_is_off():
            print("healthy: the desktop is off, only the command runs")
            return Status.OK
        raise
    record = ask(folder)
    print(f"healthy: {record['display']} behind port {record['port']} (uid {os.getuid()})")
    return Status.OK


def ask(folder: Path) -> Mapping[str, Any]:
    """Ask everything of the desktop whose runtime folder this is; returns its start record.

    Raises:
        ProgramError: the first thing that does not work.
    """
    record = json_file(folder / "start.json")
    refuse_failed(json_file(folder / "status.json"))
    token = live_token(folder, clock.now(record["booted"])) if record["auth"] == "token" else None
    try:
        cookie = read_own(folder / "Xauthority")[0][-16:]
        x_answers(int(record["display"][1:]), cookie)
    except FormError as error:
        raise ProgramError(f"health: Xauthority: {error}") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProgramError(f"health: X does not answer at {record['display']}: {reason}") from None
    try:
        greeting_only_with_token(record, token.value if token else None)
        refuse_back_doors(record, open_listeners(socket_tables()))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProgramError(f"health: the gate does not answer: {reason}") from None
    return record
