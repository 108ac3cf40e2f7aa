"""Pictures of the screen: a small RFB client's messages in, a PNG out. Pure.

RFB (RFC 6143) with Raw encoding only, PNG (W3C PNG, third edition) without filters: on a desktop's
flat areas deflate alone does well, and neither needs a library of megabytes.
"""

from __future__ import annotations

import struct
import zlib

MAX_PIXELS = 64 * 1024 * 1024  # as VNC_GEOMETRY allows
DEFLATE_LEVEL = 3  # 40 ms for 1280x800; level 9 takes six times as long for a tenth less
RAW = 0  # RFC 6143, 7.7.1
# 32 bits a pixel, true colour, red in the lowest byte: then rows are R, G, B, nothing (7.4).
RGBX = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class PictureError(ValueError):
    """The server said something that a picture cannot be made of."""


class Camera:
    """Takes everything that Xvnc says after ClientInit, until the picture is whole."""

    def __init__(self) -> None:
        self.width = self.height = 0
        self._pixels = bytearray()
        self._missing = -1  # pixels; -1 before ServerInit
        self._rectangles = 0  # of the update that is being read
        self._buffer = bytearray()

    @property
    def done(self) -> bool:
        """Whether every pixel came."""
        return self._missing == 0

    def feed(self, data: bytes) -> bytes:
        """Take bytes; return what to send."""
        self._buffer += data
        reply = b""
        if self._missing < 0:
            reply = self._read_start()
        while self._missing > 0 and self._read_message():
            pass
        return reply

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _read_start(self) -> bytes:
        """ServerInit (7.3.2); asks for all of the screen once."""
        head = 24
        if len(self._buffer) < head:
            return b""
        length = int.from_bytes(self._buffer[20:24], "big")
        if length > 1024:
            raise PictureError("the desktop's name is too long")
        if len(self._buffer) < head + length:
            return b""
        self.width, self.height = struct.unpack(">HH", self._take(head + length)[:4])
        self._missing = self.width * self.height
        if not 0 < self._missing <= MAX_PIXELS:
            raise PictureError("the screen has no size to be drawn")
        self._pixels = bytearray(self._missing * 3)
        set_format = b"\0\0\0\0" + RGBX
        set_encodings = struct.pack(">BxHi", 2, 1, RAW)
        ask = struct.pack(">BBHHHH", 3, 0, 0, 0, self.width, self.height)
        return set_format + set_encodings + ask

    def _read_message(self) -> bool:
        """Read one message or rectangle; whether there was a whole one."""
        if self._rectangles:
            return self._read_rectangle()
        if not self._buffer:
            return False
        kind = self._buffer[0]
        if kind == 0 and len(self._buffer) >= 4:  # FramebufferUpdate
            self._rectangles = int.from_bytes(self._take(4)[2:], "big")
            return True
        if kind == 2:  # Bell
            self._take(1)
            return True
        if kind == 3 and len(self._buffer) >= 8:  # ServerCutText
            length = 8 + int.from_bytes(self._buffer[4:8], "big")
            if len(self._buffer) < length:
                return False
            self._take(length)
            return True
        if kind not in {0, 3}:
            raise PictureError(f"a message of type {kind} was not asked for")
        return False

    def _read_rectangle(self) -> bool:
        if len(self._buffer) < 12:
            return False
        left, top, width, height, encoding = struct.unpack(">HHHHi", self._buffer[:12])
        if encoding != RAW or left + width > self.width or top + height > self.height:
            raise PictureError("a rectangle was not asked for")
        size = width * height * 4
        if len(self._buffer) < 12 + size:
            return False
        data = self._take(12 + size)[12:]
        for row in range(height):
            line = data[row * width * 4 : (row + 1) * width * 4]
            start = ((top + row) * self.width + left) * 3
            for colour in range(3):
                end = start + width * 3
                self._pixels[start + colour : end : 3] = line[colour::4]
        self._rectangles -= 1
        self._missing = max(0, self._missing - width * height)
        return True

    def png(self) -> bytes:
        """The picture."""
        stride = self.width * 3
        rows = b"".join(
            b"\0" + self._pixels[start : start + stride]
            for start in range(0, len(self._pixels), stride)
        )
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return PNG_SIGNATURE + b"".join(
            (
                _chunk(b"IHDR", header),
                _chunk(b"IDAT", zlib.compress(rows, DEFLATE_LEVEL)),
                _chunk(b"IEND", b""),
            )
        )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
