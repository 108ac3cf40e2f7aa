"""`python -I -m deskgate.gate.snap GATE_JSON`: one picture of the screen on stdout, as PNG.

A process of its own: the framebuffer's megabytes are gone with it, and no viewer waits while it
compresses.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from deskgate import rfb
from deskgate.errors import Status
from deskgate.gate.config import GateConfig, Target, read_config
from deskgate.gate.limits import SCREENSHOT_SECONDS
from deskgate.gate.picture import Camera

STDOUT = 1
SHARED = b"\x01"  # ClientInit (RFC 6143, 7.3.1): evict nobody


def _connect(target: Target) -> socket.socket:
    if target.path is None:
        return socket.create_connection((target.host, target.port), SCREENSHOT_SECONDS)
    door = socket.socket(socket.AF_UNIX)
    door.settimeout(SCREENSHOT_SECONDS)
    door.connect(target.path)
    return door


def _read(door: socket.socket) -> bytes:
    data = door.recv(1 << 18)
    if not data:
        raise ConnectionError("Xvnc closed the connection")
    return data


def take_picture(config: GateConfig) -> bytes:
    """Connect to Xvnc and look once.

    Raises:
        OSError: it is not up.
        ValueError: it does not speak as RFC 6143 has it.
    """
    try:
        stored = Path(config.rfbauth).read_bytes()[: rfb.PASSWORD_BYTES]
    except OSError:
        stored = b""
    password = rfb.deobfuscate(stored) if stored else None
    handshake, camera = rfb.ClientHandshake(password, none_is_fine=True), Camera()
    with _connect(config.rfb) as door:
        while not handshake.done:
            door.sendall(handshake.feed(_read(door)))
        door.sendall(SHARED)
        while not camera.done:
            door.sendall(camera.feed(_read(door)))
    return camera.png()


def main(arguments: list[str]) -> int:
    """Write the picture; returns the exit status."""
    config = read_config(Path(arguments[0]).read_text("utf-8"), socket.gethostname())
    try:
        data = take_picture(config)
    except (OSError, ValueError):
        return Status.UNAVAILABLE
    with os.fdopen(STDOUT, "wb") as out:
        out.write(data)
    return Status.OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
