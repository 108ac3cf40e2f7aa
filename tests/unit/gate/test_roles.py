"""The two rights, against real Xvnc: what a watcher sends has no effect on X.

Each case first shows that the same message has its effect from the control link, or it would
prove nothing.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection

from deskgate import rfb

from .running import VIEW_PASSWORD, Gate, running_gate, shake, wait_until
from .samples import CONTROL, VIEW


def x(display: str, *command: str) -> str:
    environment = {**os.environ, "DISPLAY": display}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[tuple[Gate, str]]:
    """Xvnc on a socket of its own with a gate before it; and its display."""
    passwords = rfb.obfuscate(b"control!") + rfb.obfuscate(VIEW_PASSWORD)
    (tmp_path / "xvnc-auth").write_bytes(passwords)
    sock = str(tmp_path / "rfb.sock")
    first = 100 + os.getpid() % 5000  # two test runs at once do not meet
    number = next(n for n in range(first, 6000) if not Path(f"/tmp/.X{n}-lock").exists())
    display = f":{number}"
    command = [
        *("Xvnc", display, "-geometry", "640x480", "-rfbport", "-1", "-rfbunixpath", sock),
        *("-SecurityTypes", "None,VncAuth", "-rfbauth", str(tmp_path / "xvnc-auth")),
        *("-AlwaysShared", "-UseBlacklist=0", "-nolisten", "tcp"),
    ]
    xvnc = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: Path(sock).exists(), 10)
        with running_gate(tmp_path, 0, rfb=f"unix_socket:{sock}") as gate:
            yield gate, display
    finally:
        xvnc.terminate()
        xvnc.wait(10)


@contextlib.contextmanager
def joined(gate: Gate, token: str, *, shared: bytes = b"\x01") -> Iterator[ClientConnection]:
    with gate.view(token) as viewer:
        shake(viewer)
        viewer.send(shared)
        assert viewer.recv(5)  # ServerInit
        yield viewer


def pointer(place: int) -> bytes:
    return b"\x05\x00" + place.to_bytes(2, "big") * 2


def settle(viewer: ClientConnection) -> None:
    """Wait until Xvnc has dealt with all that was sent: it takes messages in their order."""
    viewer.send(b"\x03\0" + bytes(4) + b"\0\x01" * 2)  # FramebufferUpdateRequest of one pixel
    while viewer.recv(5)[:1] != b"\0":
        pass


def key(code: int) -> bytes:
    return b"\x04\x01\0\0" + code.to_bytes(4, "big") + b"\x04\x00\0\0" + code.to_bytes(4, "big")


def resize(width: int, height: int) -> bytes:
    size = width.to_bytes(2, "big") + height.to_bytes(2, "big")
    return b"\xfb\0" + size + b"\x01\0" + bytes(4) + bytes(4) + size + bytes(4)


def location(display: str) -> str:
    return x(display, "xdotool", "getmouselocation")


def geometry(display: str) -> str:
    return x(display, "xdotool", "getdisplaygeometry").strip()


def test_a_watcher_moves_no_pointer(desktop: tuple[Gate, str]) -> None:
    """R2: PointerEvent, whole and split at every byte."""
    gate, display = desktop
    with joined(gate, CONTROL) as control, joined(gate, VIEW) as watcher:
        control.send(pointer(111))
        wait_until(lambda: "x:111 y:111" in location(display))
        watcher.send(pointer(222))
        for byte in pointer(223):
            watcher.send(bytes([byte]))
        settle(watcher)
        control.send(pointer(112))
        wait_until(lambda: "x:112 y:112" in location(display))


def test_a_watcher_resizes_no_screen(desktop: tuple[Gate, str]) -> None:
    """R4: SetDesktopSize, after the encoding that announces it."""
    gate, display = desktop
    announce = b"\x02\0\0\x01" + (-308).to_bytes(4, "big", signed=True)
    with joined(gate, CONTROL) as control, joined(gate, VIEW) as watcher:
        watcher.send(announce + resize(700, 500))
        control.send(announce + resize(800, 600))
        wait_until(lambda: geometry(display) == "800 600")
        watcher.send(resize(700, 500))
        settle(watcher)
        assert geometry(display) == "800 600"


def test_a_watcher_presses_no_key(desktop: tuple[Gate, str], tmp_path: Path) -> None:
    """R1: KeyEvent; what an X client sees of the keyboard."""
    gate, display = desktop
    seen = tmp_path / "keys"
    with seen.open("w") as out:
        watching = subprocess.Popen(
            ["xev", "-root", "-event", "keyboard"],
            stdout=out,
            env={**os.environ, "DISPLAY": display},
        )
    try:
        with joined(gate, CONTROL) as control, joined(gate, VIEW) as watcher:

            def press_until_seen() -> bool:
                control.send(pointer(5) + key(ord("c")))
                return "(keysym 0x63, c)" in seen.read_text()

            wait_until(press_until_seen)
            watcher.send(pointer(6) + key(ord("v")))
            settle(watcher)
            control.send(key(ord("e")))
            wait_until(lambda: "(keysym 0x65, e)" in seen.read_text())
            assert "(keysym 0x76, v)" not in seen.read_text()
    finally:
        watching.terminate()
        watching.wait(10)


def test_a_watcher_evicts_nobody(desktop: tuple[Gate, str]) -> None:
    """R7: ClientInit with the shared flag off."""
    gate, display = desktop
    with joined(gate, CONTROL) as control, joined(gate, VIEW, shared=b"\0"):
        control.send(pointer(42))
        wait_until(lambda: "x:42 y:42" in location(display))


def test_health_is_xvncs_own_greeting(desktop: tuple[Gate, str]) -> None:
    """And a hundred probes lock nobody out."""
    gate, _ = desktop
    assert gate.status("GET /healthz HTTP/1.1") == 200
    for _ in range(10):
        gate.keeper.desk._greeted = (0.0, False)
        assert gate.status("GET /healthz HTTP/1.1") == 200
    with joined(gate, CONTROL):
        pass
