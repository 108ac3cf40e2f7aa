"""A desktop that answers at once, in a process of its own: `python -m benchmarks.stub`.

A key press brings the character cell that a terminal would draw, a request for an update all the
pixels asked for, raw. So what is measured between a viewer and this is the proxy, not Xvnc's
60 Hz. Says its port on stdout.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

from benchmarks.viewer import CELL, PIXEL_BYTES

SCREEN = (1280, 800)
PIXEL_FORMAT = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
CHUNK = bytes(1 << 20)
LENGTHS = {3: 10, 4: 8}  # of the two messages that are understood (RFC 6143, 7.5)


def receive(sock: socket.socket, count: int) -> bytes:
    """Exactly so many bytes."""
    data = sock.recv(count, socket.MSG_WAITALL)
    if len(data) < count:
        raise ConnectionError("gone")
    return data


def update(sock: socket.socket, width: int, height: int) -> None:
    """FramebufferUpdate with one raw rectangle (7.6.1)."""
    head = struct.pack(">BxH HHHHi", 0, 1, 0, 0, width, height, 0)
    size = width * height * PIXEL_BYTES
    first = min(size, len(CHUNK))
    sock.sendall(head + CHUNK[:first])
    size -= first
    while size:
        size -= sock.send(CHUNK[:size])


def serve(sock: socket.socket) -> None:
    """One viewer, from the greeting on."""
    with sock, contextlib.suppress(ConnectionError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(b"RFB 003.008\n")
        receive(sock, 12)
        sock.sendall(b"\x01\x01")
        receive(sock, 1)
        sock.sendall(bytes(4))
        receive(sock, 1)
        sock.sendall(struct.pack(">HH", *SCREEN) + PIXEL_FORMAT + struct.pack(">I", 4) + b"stub")
        while True:
            kind = receive(sock, 1)[0]
            rest = receive(sock, LENGTHS[kind] - 1)
            if kind == 4:
                update(sock, *CELL)
            else:
                update(sock, *struct.unpack(">HH", rest[5:]))


def main() -> None:
    """Accept until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


if __name__ == "__main__":
    main()
