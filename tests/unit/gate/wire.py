"""A browser's end of a WebSocket, byte by byte: what a library refuses to send is sent here."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deskgate import rfb

from .running import Desk, Gate, receive

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = bytes.fromhex("37fa213d")  # RFC 6455, 5.7
CLIENT_INIT = b"\x01"
OPENING = rfb.VERSION + bytes([rfb.NONE]) + CLIENT_INIT  # a viewer's half, in one message


def mask(payload: bytes, key: bytes) -> bytes:
    """RFC 6455, 5.3."""
    size = len(payload)
    pad = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    key: bytes | None = KEY,
    claim: int | None = None,
    form: int | None = None,
) -> bytes:
    """A client's frame, right or wrong.

    Args:
        rsv: the three reserved bits as a number, RSV1 the highest.
        key: None sends it unmasked.
        claim: the length that it says; its payload's own by default.
        form: bytes that hold the length beyond the seven bits: 0, 2 or 8; the fewest by default.
    """
    length = len(payload) if claim is None else claim
    if form is None:
        form = 0 if length < 126 else 2 if length < 65536 else 8
    short = {0: length, 2: 126, 8: 127}[form]
    head = bytes((fin << 7 | rsv << 4 | opcode, (key is not None) << 7 | short))
    head += length.to_bytes(form, "big") if form else b""
    return head + payload if key is None else head + key + mask(payload, key)


def fragmented(payload: bytes, size: int, between: bytes = b"") -> bytes:
    """A binary message in fragments of one size, and a frame between any two."""
    starts = range(0, len(payload), size)
    return between.join(
        frame(CONT if at else BINARY, payload[at : at + size], fin=at == starts[-1])
        for at in starts
    )


def close(code: int, reason: bytes = b"") -> bytes:
    """The payload of a close frame."""
    return code.to_bytes(2, "big") + reason


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame that the gate sent."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """Of a close frame."""
        assert self.opcode == CLOSE
        return int.from_bytes(self.payload[:2], "big")


def read_frame(take: Callable[[int], bytes]) -> Seen:
    """One frame of the gate's, which must be as RFC 6455, 5.1 and 5.2, has it of a server.

    Args:
        take: gives so many bytes.
    """
    first, length = take(2)
    assert first & 0xF0 == 0x80, "FIN alone: nothing is fragmented, no extension is on"
    assert length < 0x80, "a server must not mask"
    if length > 125:
        form = 2 if length == 126 else 8
        length = int.from_bytes(take(form), "big")
        assert length >= (126 if form == 2 else 65536), "not the shortest form"
    payload = take(length)
    assert len(payload) == length, "a frame is cut off"
    return Seen(first & 0x0F, payload)


def read_frames(data: bytes) -> list[Seen]:
    """All frames in these bytes."""
    stream = io.BytesIO(data)
    found = []
    while stream.tell() < len(data):
        found.append(read_frame(stream.read))
    return found


def write(sock: socket.socket, data: bytes, chop: int = 0) -> None:
    """Send in pieces of so many bytes, each a TCP segment of its own; 0 sends all at once.

    The gate may have ended it before everything is out.
    """
    with contextlib.suppress(ConnectionError):
        for at in range(0, len(data), chop or max(len(data), 1)):
            sock.sendall(data[at : at + chop] if chop else data)


def read_head(sock: socket.socket) -> bytes:
    """An answer's head, and not a byte of what follows it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += receive(sock, 1)
    return head


def opened(gate: Gate, *headers: str) -> socket.socket:
    """A browser that says the whole opening at once, and ClientInit in it."""
    browser = gate.socket()
    browser.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    browser.sendall(gate.upgrade(*headers) + b"\r\n\r\n" + frame(BINARY, OPENING))
    assert read_head(browser).startswith(b"HTTP/1.1 101 ")
    greeting = b"".join(read_frame(lambda n: receive(browser, n)).payload for _ in range(2))
    assert greeting == rfb.VERSION + bytes((1, rfb.NONE)) + bytes(4)
    return browser


@contextlib.contextmanager
def joined(gate: Gate, desk: Desk, *headers: str) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A viewer whose ClientInit has arrived: its socket, and Xvnc's."""
    with opened(gate, *headers) as browser:
        _, xvnc = desk.next()
        with xvnc:
            assert receive(xvnc, len(CLIENT_INIT)) == CLIENT_INIT
            yield browser, xvnc
