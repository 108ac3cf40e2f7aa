"""A viewer without a browser: RFB 3.8 over a WebSocket (RFC 6143, RFC 6455), raw encoding only.

What RFC 6143 does not have stands in the community's rfbproto.rst: fences, continuous updates,
the extended clipboard, the extended desktop size.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Final, Protocol, Self

from websockets.sync.client import connect

from deskgate.testing.web import any_certificate

VERSION: Final = b"RFB 003.008\n"
NONE: Final = 1  # security type
RAW: Final = 0
EXTENDED_DESKTOP_SIZE: Final = -308
LIGHTS: Final = -261  # QEMU's LED state: which of the keyboard's lights are on
# Rectangles without content: QEMU's key events, extended mouse buttons.
ANNOUNCED: Final = (-258, -316)
ANSWER_SECONDS: Final = 5.0
# X keysyms (keysymdef.h)
SHIFT: Final = 0xFFE1
CAPS_LOCK: Final = 0xFFE5


class Door(Protocol):
    """What has a gate's port on 127.0.0.1: a desk in a container, or a gate in this process."""

    @property
    def port(self) -> int:
        """Where it listens."""


class Viewer:
    """One connection, shaken hands with: it has read ServerInit.

    Args:
        port: another published port than the gate's.
        place: the address of another way in, such as `https://localhost:8443/desk`; any
            certificate will do.

    Raises:
        websockets.exceptions.InvalidStatus: the gate refused; holds its HTTP answer.
    """

    def __init__(
        self,
        desk: Door,
        *,
        target: str = "/websockify",
        headers: Mapping[str, str] | None = None,
        shared: int = True,
        port: int | None = None,
        place: str | None = None,
    ) -> None:
        self._open = ExitStack()
        address = (place or f"http://127.0.0.1:{port or desk.port}") + target
        opening = connect(
            address.replace("http", "ws", 1),
            ssl=any_certificate() if address.startswith("https:") else None,
            additional_headers=dict(headers or {}),
            compression=None,
            proxy=None,
            max_size=None,
            open_timeout=ANSWER_SECONDS,
            close_timeout=ANSWER_SECONDS,
        )
        self._socket = self._open.enter_context(opening)
        self._buffer = b""
        self.pixel_bytes = 4
        self.cut_texts: list[str] = []  # what the desktop's clipboard sent
        self.extended: list[tuple[int, bytes]] = []  # the same, as flags and data
        self.fences: list[tuple[int, bytes]] = []  # flags and payload
        self.continuous_ended = 0  # EndOfContinuousUpdates
        self._lights = 0  # scroll, num and caps lock, from the lowest bit on
        try:
            self.width, self.height, self.name = self._shake_hands(shared)
        except BaseException:
            self._open.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _read(self, count: int) -> bytes:
        while len(self._buffer) < count:
            message = self._socket.recv(timeout=ANSWER_SECONDS)
            assert isinstance(message, bytes), "a text frame"
            self._buffer += message
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _shake_hands(self, shared: int) -> tuple[int, int, str]:
        assert self._read(12) == VERSION
        self._socket.send(VERSION)
        self.security_types = self._read(self._read(1)[0])
        assert NONE in self.security_types
        self._socket.send(bytes([NONE]))
        assert self._read(4) == bytes(4)
        self._socket.send(bytes([shared]))
        width, height, *_, length = struct.unpack(">HH16sI", self._read(24))
        # 32 bits a pixel, little-endian, 24 deep, 8 bits a colour at 16, 8 and 0.
        pixels = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
        self._socket.send(b"\0\0\0\0" + pixels)
        return width, height, self._read(length).decode()

    # --- what a viewer sends -----------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Anything, as one WebSocket message."""
        self._socket.send(data)

    def reach_the_gate(self) -> None:
        """Wait until the gate has dealt with all that was sent."""
        assert self._socket.ping().wait(ANSWER_SECONDS)

    def point(self, x: int, y: int, *, buttons: int = 0) -> None:
        """PointerEvent."""
        self._socket.send(struct.pack(">BBHH", 5, buttons, x, y))

    def key(self, keysym: int, *, down: bool) -> None:
        """KeyEvent."""
        self._socket.send(struct.pack(">BBxxI", 4, down, keysym))

    def cut(self, text: str) -> None:
        """ClientCutText: Latin-1, as RFC 6143 has it."""
        data = text.encode("latin-1")
        self._socket.send(struct.pack(">BxxxI", 6, len(data)) + data)

    def resize(self, width: int, height: int) -> None:
        """SetDesktopSize with one screen, after saying that we know it."""
        self._socket.send(struct.pack(">BxHii", 2, 2, RAW, EXTENDED_DESKTOP_SIZE))
        self.settle()
        screen = struct.pack(">IHHHHI", 0, 0, 0, width, height, 0)
        self._socket.send(struct.pack(">BxHHBx", 251, width, height, 1) + screen)

    def settle(self) -> bytes:
        """Wait until all that was sent is dealt with; returns the screen's first pixel.

        Xvnc takes messages in their order, so the answer to a request comes after their effect.
        """
        return self.look(0, 0, 1, 1)

    def fence(self) -> None:
        """Wait until all that was sent is dealt with, after saying that we know fences.

        Also where a request would not do, as its answer may be that of an earlier one.
        """
        mark = (0, b"%d" % len(self.fences))
        self._socket.send(struct.pack(">BxxxIB", 248, 1 << 31, len(mark[1])) + mark[1])
        self.listen_until(lambda: mark in self.fences)

    def lights(self) -> int:
        """Which of the keyboard's lights are on, as Xvnc tells every viewer: caps lock is 4."""
        self._socket.send(struct.pack(">BxHii", 2, 2, RAW, LIGHTS))
        self.settle()
        return self._lights

    def look(self, x: int, y: int, width: int, height: int) -> bytes:
        """Fetch a part of the screen: four bytes a pixel (blue, green, red, nothing)."""
        area = (x, y, width, height)
        self._socket.send(struct.pack(">BBHHHH", 3, 0, *area))
        while True:
            found = self._message()
            if found is None:
                continue
            if len(found) == width * height * self.pixel_bytes:
                return found
            # Once it knows that we follow its size, Xvnc answers with that alone, and keeps
            # the pixels, marked as changed, for a next request that is incremental.
            self._socket.send(struct.pack(">BBHHHH", 3, 1, *area))

    def listen_until(self, condition: Callable[[], object]) -> None:
        """Take what Xvnc sends until something is true."""
        while not condition():
            self._message()

    def _message(self) -> bytes | None:
        """Take one message; an update's pixels, or None for any other."""
        kind = self._read(1)[0]
        if kind == 0:
            return self._rectangles()
        if kind == 3:
            self._cut_text()
        elif kind == 150:
            self.continuous_ended += 1
        elif kind == 248:
            flags, length = struct.unpack(">xxxIB", self._read(8))
            self.fences.append((flags, self._read(length)))
        else:
            assert kind == 2, f"message {kind}"  # a bell
        return None

    def _rectangles(self) -> bytes:
        found = b""
        for _ in range(struct.unpack(">xH", self._read(3))[0]):
            _, _, width, height, encoding = struct.unpack(">HHHHi", self._read(12))
            if encoding == RAW:
                found += self._read(width * height * self.pixel_bytes)
            elif encoding == EXTENDED_DESKTOP_SIZE:
                self._read(3 + 16 * self._read(1)[0])
            elif encoding == LIGHTS:
                (self._lights,) = self._read(1)
            else:  # it only says that Xvnc knows it
                assert encoding in ANNOUNCED, encoding
        return found

    def _cut_text(self) -> None:
        (length,) = struct.unpack(">xxxi", self._read(7))
        if length < 0:
            (flags,) = struct.unpack(">I", self._read(4))
            self.extended.append((flags, self._read(-length - 4)))
        else:
            self.cut_texts.append(self._read(length).decode("latin-1"))
