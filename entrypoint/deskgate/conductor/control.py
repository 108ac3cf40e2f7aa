"""The control socket: what `deskgate restart` and `deskgate logs` ask PID 1.

For root and our own user alone, who could do as much with kill(2) and `docker logs`: no answer
holds a secret or a link. Nothing here waits: a client that does not read, or does not ask, holds up
nobody, and takes no more memory than one buffer.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from deskgate.conductor.replies import Reply

MAX_CLIENTS: Final = 8
BACKLOG: Final = 16
REQUEST_BYTES: Final = 4096
RETRY_SECONDS: Final = 1.0  # after an accept that failed; until then the door would stay readable
PEER: Final = struct.Struct("=iii")  # struct ucred: pid, uid, gid (unix(7))

# Called with a request's line and the time.
Answerer = Callable[[bytes, float], Reply]


def listen(path: Path) -> socket.socket:
    """Make the socket, with its mode from the first moment on.

    Raises:
        OSError: the folder is full, or its path too long for a socket's.
    """
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    before = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        door.bind(str(path))
        door.listen(BACKLOG)
    except OSError:
        door.close()
        raise
    finally:
        os.umask(before)
    return door


def may_ask(door: socket.socket) -> bool:
    """Whether the other side is root or our own user."""
    _, uid, _ = PEER.unpack(door.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
    return uid in (0, os.geteuid())


class Client:
    """One connection: a request, then its answer."""

    def __init__(self, door: socket.socket, answer: Answerer) -> None:
        self._door = door
        self._answer = answer
        self._asked = b""
        self._unsent = b""
        self.reply: Reply | None = None
        self.closed = False

    def fileno(self) -> int:
        """What to poll."""
        return self._door.fileno()

    @property
    def mask(self) -> int:
        """What to poll it for."""
        return select.POLLOUT if self._unsent else select.POLLIN

    def handle(self, events: int) -> None:
        """Take the request; after it, only the end can come."""
        if self.closed or not events & ~select.POLLOUT:
            return
        try:
            data = self._door.recv(REQUEST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._asked += data
        if not data or self.reply is not None or len(self._asked) > REQUEST_BYTES:
            self.close()

    def advance(self, now: float) -> None:
        """Begin the answer once the request is whole, and send what can be sent."""
        if self.reply is None and self._asked.endswith(b"\n"):
            self.reply = self._answer(self._asked, now)
        while self.reply is not None and not self.closed:
            if not self._unsent and not self.reply.over:
                frames = self.reply.more(now)
                self._unsent = b"".join(json.dumps(each).encode() + b"\n" for each in frames)
            if not self._unsent:
                if self.reply.over:
                    self.close()
                return
            try:
                sent = self._door.send(self._unsent, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            except OSError:
                self.close()
                return
            self._unsent = self._unsent[sent:]

    def close(self) -> None:
        """End the connection."""
        self.closed = True
        self._door.close()


class Control:
    """The socket and whoever has come by it."""

    def __init__(self, door: socket.socket, answer: Answerer) -> None:
        self._door = door
        self._answer = answer
        self.clients: list[Client] = []
        self._retry_at: float | None = None  # monotonic seconds

    def fileno(self) -> int:
        """What to poll for new ones."""
        return self._door.fileno()

    @property
    def mask(self) -> int:
        """What to poll it for."""
        return select.POLLIN if self._retry_at is None else 0

    def handle(self, events: int) -> None:
        """Take a new client; one that has not asked yet makes room for it."""
        try:
            door, _ = self._door.accept()
        except OSError:  # gone again, or no descriptor to be had
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return
        door.setblocking(False)
        if not may_ask(door):
            door.close()
            return
        client = Client(door, self._answer)
        if len(self.clients) >= MAX_CLIENTS:
            silent = [each for each in self.clients if each.reply is None]
            (silent or [client])[0].close()
        self.clients.append(client)

    def advance(self, now: float) -> None:
        """Go on with every answer."""
        if self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
        for client in self.clients:
            client.advance(now)
        self.clients = [each for each in self.clients if not each.closed]

    def due(self) -> Iterable[float]:
        """When an answer has something to say although nothing happened, in monotonic seconds."""
        if self._retry_at is not None:
            yield self._retry_at
        for client in self.clients:
            if client.reply is not None and (when := client.reply.due()) is not None:
                yield when
