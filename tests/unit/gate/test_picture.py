"""Pictures of the screen: from RFB to PNG, against a scripted server and a real Xvnc."""

from __future__ import annotations

import os
import struct
import sys
import time
from pathlib import Path

import pytest

from deskgate.gate import limits, picture
from deskgate.gate.picture import Camera, PictureError
from tests.png import pixels

from .running import Desk, Gate, read_all, wait_until
from .samples import CONTROL, VIEW

BEARER = f"Authorization: Bearer {CONTROL}"
RED, BLUE = b"\xff\0\0", b"\0\0\xff"


def server_init(width: int, height: int, name: bytes = b"desk") -> bytes:
    size = struct.pack(">HH", width, height)
    return size + bytes(16) + len(name).to_bytes(4, "big") + name


def rectangle(left: int, top: int, width: int, height: int, colour: bytes) -> bytes:
    head = struct.pack(">HHHHi", left, top, width, height, picture.RAW)
    return head + (colour + b"\0") * (width * height)


def update(*rectangles: bytes) -> bytes:
    return struct.pack(">BxH", 0, len(rectangles)) + b"".join(rectangles)


STREAM = b"".join(
    (
        server_init(3, 2),
        b"\x02",  # Bell
        b"\x03\0\0\0\0\0\0\x02hi",  # ServerCutText
        update(rectangle(0, 0, 1, 2, RED)),
        update(rectangle(1, 0, 2, 1, BLUE), rectangle(1, 1, 2, 1, RED)),
    )
)


@pytest.mark.parametrize("step", [1, 2, 3, 7, len(STREAM)])
def test_a_picture_is_the_same_however_it_comes(step: int) -> None:
    """Byte by byte, or all at once; what else the server says is passed over."""
    camera, asked = Camera(), b""
    for at in range(0, len(STREAM), step):
        asked += camera.feed(STREAM[at : at + step])
    assert camera.done
    assert pixels(camera.png()) == (3, 2, [RED, BLUE, BLUE, RED, RED, RED])
    assert asked.endswith(struct.pack(">BBHHHH", 3, 0, 0, 0, 3, 2))


HOSTILE = {
    "no size": server_init(0, 5),
    "too large": server_init(65535, 65535),
    "a long name": server_init(3, 2)[:20] + b"\xff\xff\xff\xff",
    "an unknown message": server_init(3, 2) + b"\x63",
    "another encoding": server_init(3, 2) + update(struct.pack(">HHHHi", 0, 0, 1, 1, 7)),
    "a rectangle beyond the screen": server_init(3, 2) + update(rectangle(2, 0, 2, 1, RED)),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_makes_no_picture_is_refused(case: str) -> None:
    """Without waiting for ever, and without taking memory for it."""
    with pytest.raises(PictureError):
        Camera().feed(HOSTILE[case])


def test_without_a_desktop_a_screenshot_is_503(gate: Gate, desk: Desk) -> None:
    """And a watcher gets none at all."""
    desk.close()
    assert gate.status(f"GET /api/screenshot.png HTTP/1.1\r\n{BEARER}") == 503
    watcher = f"Authorization: Bearer {VIEW}"
    assert gate.status(f"GET /api/screenshot.png HTTP/1.1\r\n{watcher}") == 403


@pytest.fixture
def snapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the gate's child find our package, which is not installed here: -I hides it."""
    python = tmp_path / "python"
    path = os.pathsep.join(sys.path)
    python.write_text(f'#!/bin/sh\nshift\nPYTHONPATH={path} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))


@pytest.mark.usefixtures("snapping")
def test_a_crowd_of_screenshots_is_bounded(
    gate: Gate, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each starts a process; who was lent control must not queue up hundreds before the owner."""
    monkeypatch.setattr(limits, "SCREENSHOTS", 2)
    monkeypatch.setattr(limits, "SCREENSHOT_SECONDS", 2.0)
    head = f"GET /api/screenshot.png HTTP/1.1\r\n{BEARER}"
    ask = f"{head}\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
    with gate.socket() as one, gate.socket() as two:
        for sock in (one, two):
            sock.sendall(ask)
        desk.next()  # the first is being taken, and the scripted server never draws
        wait_until(lambda: gate.keeper.snapping == 2)
        began = time.monotonic()
        assert gate.status(head) == 503
        assert time.monotonic() - began < 1
        assert [int(read_all(sock).split()[1]) for sock in (one, two)] == [503, 503]
    assert gate.keeper.snapping == 0


@pytest.mark.usefixtures("snapping")
def test_a_desktop_that_hangs_is_given_up(
    gate: Gate, desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The scripted server never draws."""
    monkeypatch.setattr(limits, "SCREENSHOT_SECONDS", 2.0)
    assert gate.status(f"GET /api/screenshot.png HTTP/1.1\r\n{BEARER}") == 503
    desk.next()
    assert "no screenshot: Xvnc does not answer" in capfd.readouterr().err
