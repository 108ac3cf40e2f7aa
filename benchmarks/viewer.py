"""A viewer: just enough of RFC 6143 and RFC 6455 to reach ServerInit and to press a key."""

from __future__ import annotations

import base64
import io
import os
import socket
import struct

PATIENCE_SECONDS = 10.0
BUFFER_BYTES = 64 * 1024
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10  # RFC 6455, 5.2
WASTE = memoryview(bytearray(1 << 20))  # where bytes go that nobody looks at
CELL = (8, 16)  # a character cell of a terminal, in pixels
PIXEL_BYTES = 4
UPDATE_HEAD_BYTES = 4 + 12  # FramebufferUpdate with one rectangle (RFC 6143, 7.6.1)
CELL_BYTES = UPDATE_HEAD_BYTES + CELL[0] * CELL[1] * PIXEL_BYTES


class RefusedError(ConnectionError):
    """No WebSocket was made; `status` is HTTP's."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


class ClosedError(ConnectionError):
    """The other end is gone; `code` is its close frame's, None without one."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Viewer:
    """On plain TCP, as raw references take it.

    Args:
        token: unused here.
    """

    def __init__(self, port: int, token: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = io.BufferedReader(self.socket.makefile("rb", 0), BUFFER_BYTES)

    # Bytes of RFB, whatever carries them

    def send(self, message: bytes) -> None:
        """One RFB message."""
        self.socket.sendall(message)

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        return self._raw(count)

    def skip(self, count: int) -> None:
        """Read so many bytes and forget them."""
        self._skip_raw(count)

    def _raw(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) < count:
            raise ClosedError
        return data

    def _skip_raw(self, count: int) -> None:
        while count:
            got = self._file.readinto(WASTE[:count])
            if not got:
                raise ClosedError
            count -= got

    # RFB

    def server_init(self) -> None:
        """Go through the handshake up to the size of the screen."""
        self.read(12)
        self.send(b"RFB 003.008\n")
        self.read(self.read(1)[0])
        self.send(b"\x01")
        if self.read(4) != bytes(4):
            raise ConnectionError("not let in")
        self.send(b"\x01")
        head = self.read(24)
        self.read(int.from_bytes(head[20:], "big"))
        if not all(struct.unpack(">HH", head[:4])):
            raise ConnectionError("a screen without a size")

    def press_key(self) -> None:
        """KeyEvent (RFC 6143, 7.5.4)."""
        self.send(struct.pack(">BBxxI", 4, 1, ord("a")))

    def ask_for(self, width: int, height: int) -> None:
        """FramebufferUpdateRequest, all of it (7.5.3)."""
        self.send(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))

    def skip_update(self) -> None:
        """Read up to the end of the next FramebufferUpdate, all raw (7.6.1)."""
        while (kind := self.read(1)[0]) != 0:
            if kind != 2:  # Bell is all that comes beside it
                raise ConnectionError(f"an unexpected message {kind}")
        for _ in range(int.from_bytes(self.read(3)[1:], "big")):
            width, height, encoding = struct.unpack(">4xHHi", self.read(12))
            if encoding != 0:
                raise ConnectionError(f"an unexpected encoding {encoding}")
            self.skip(width * height * PIXEL_BYTES)

    def close(self) -> None:
        """Leave."""
        self._file.close()
        self.socket.close()


class WebSocketViewer(Viewer):
    """Behind a proxy that speaks WebSocket.

    Args:
        token: goes into the query; none when the headers hold a credential.
        headers: more lines of the request.
    """

    def __init__(self, port: int, token: str = "", *headers: str) -> None:
        super().__init__(port)
        self._left = 0  # of the frame that is being read
        query = f"?token={token}" if token else ""
        lines = [
            f"GET /websockify{query} HTTP/1.1",
            f"Host: localhost:{port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            *headers,
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        words = self._file.readline().split()
        status = int(words[1]) if len(words) > 1 else 0
        if status != 101:
            self.close()
            raise RefusedError(status)
        while self._file.readline().strip():
            pass

    def send(self, message: bytes) -> None:
        """One binary message."""
        self._send(BINARY, message)

    def _send(self, opcode: int, payload: bytes) -> None:
        # Masked with zeros: this is no browser with a cache to protect.
        head = struct.pack(">BB4x", 0x80 | opcode, 0x80 | len(payload))
        self.socket.sendall(head + payload)

    def read(self, count: int) -> bytes:
        """Exactly so many bytes, however they are framed."""
        data = b""
        while len(data) < count:
            take = min(count - len(data), self._left or self._next())
            data += self._raw(take)
            self._left -= take
        return data

    def skip(self, count: int) -> None:
        """Read so many bytes and forget them."""
        while count:
            take = min(count, self._left or self._next())
            self._skip_raw(take)
            self._left -= take
            count -= take

    def _next(self) -> int:
        """Begin the next frame that is not empty; its length. A server's frames are not masked."""
        while not self._left:
            first, length = self._raw(2)
            if length >= 126:
                length = int.from_bytes(self._raw(2 if length == 126 else 8), "big")
            opcode = first & 15
            if opcode < CLOSE:
                self._left = length
                continue
            payload = self._raw(length)
            if opcode == CLOSE:
                raise ClosedError(int.from_bytes(payload[:2], "big"))
            if opcode == PING:
                self._send(PONG, payload)
        return self._left

    def close_code(self) -> int | None:
        """Read to the end; the code of the close frame."""
        try:
            while True:
                self.skip(1)
        except ClosedError as error:
            return error.code
        except ConnectionError:
            return None

    def say_goodbye(self) -> None:
        """Close as a browser does, and wait for the answer."""
        self._send(CLOSE, struct.pack(">H", 1000))
        self.close_code()
        self.close()
