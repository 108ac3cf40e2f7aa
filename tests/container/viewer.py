"""A viewer without a browser: RFB 3.8 over a WebSocket (RFC 6143, RFC 6455), raw encoding only."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final, Self

from websockets.sync.client import connect

from tests.container.desk import Desk

VERSION: Final = b"RFB 003.008\n"
NONE: Final = 1  # security type
RAW: Final = 0
EXTENDED_DESKTOP_SIZE: Final = -308
ANSWER_SECONDS: Final = 5.0
# X keysyms (keysymdef.h)
SHIFT: Final = 0xFFE1


class Viewer:
    """One connection, shaken hands with: it has read ServerInit.

    Args:
        port: another published port than the gate's.

    Raises:
        websockets.exceptions.InvalidStatus: the gate refused; holds its HTTP answer.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        target: str = "/websockify",
        headers: Mapping[str, str] | None = None,
        shared: bool = True,
        port: int | None = None,
    ) -> None:
        self._open = ExitStack()
        opening = connect(
            f"ws://127.0.0.1:{port or desk.port}{target}",
            additional_headers=dict(headers or {}),
            compression=None,
            proxy=None,
            max_size=None,
            open_timeout=ANSWER_SECONDS,
            close_timeout=ANSWER_SECONDS,
        )
        self._socket = self._open.enter_context(opening)
        self._buffer = b""
        self.cut_texts: list[str] = []  # what the desktop's clipboard sent
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

    def _shake_hands(self, shared: bool) -> tuple[int, int, str]:
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

    def look(self, x: int, y: int, width: int, height: int) -> bytes:
        """Fetch a part of the screen: four bytes a pixel (blue, green, red, nothing)."""
        area = (x, y, width, height)
        self._socket.send(struct.pack(">BBHHHH", 3, 0, *area))
        while True:
            kind = self._read(1)[0]
            if kind == 0:
                found = self._rectangles()
                if len(found) == width * height * 4:
                    return found
                # Once it knows that we follow its size, Xvnc answers with that alone, and keeps
                # the pixels, marked as changed, for a next request that is incremental.
                self._socket.send(struct.pack(">BBHHHH", 3, 1, *area))
            elif kind == 3:
                self._cut_text()
            else:
                assert kind == 2, f"message {kind}"  # a bell

    def _rectangles(self) -> bytes:
        found = b""
        for _ in range(struct.unpack(">xH", self._read(3))[0]):
            _, _, width, height, encoding = struct.unpack(">HHHHi", self._read(12))
            if encoding == RAW:
                found += self._read(width * height * 4)
            else:
                assert encoding == EXTENDED_DESKTOP_SIZE, encoding
                self._read(3 + 16 * self._read(1)[0])
        return found

    def _cut_text(self) -> None:
        (length,) = struct.unpack(">xxxI", self._read(7))
        self.cut_texts.append(self._read(length).decode("latin-1"))
