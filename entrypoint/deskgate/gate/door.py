"""The way in with TLS: a connection counts before its handshake, not after it.

asyncio's own server does the handshake first and tells us then: thousands of silent connections
would each hold a buffer that nobody counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import time

from deskgate.gate import limits, log
from deskgate.gate.channel import peer_of
from deskgate.gate.keeper import Keeper
from deskgate.gate.server import Connection

RETRY_SECONDS = 0.5  # when the system has no descriptor left


class Newcomer:
    """A connection in its TLS handshake."""

    _gone = 0  # handshakes that came to nothing

    def __init__(self, keeper: Keeper, sock: socket.socket, tls: ssl.SSLContext) -> None:
        self._keeper = keeper
        self._sock = sock
        self._tls = tls
        self._task: asyncio.Task[None] | None = None
        self._came = time.monotonic()
        try:
            self.peer = peer_of(sock.getpeername())
        except OSError:  # gone already
            self.peer = ""

    def start(self) -> asyncio.Task[None]:
        """Take a place among the strangers and shake hands."""
        goner = self._keeper.strangers.add(self)
        if goner is not None:
            goner.make_room()
        self._task = asyncio.ensure_future(self._shake())
        self._task.add_done_callback(self._done)
        return self._task

    @property
    def dawdles(self) -> bool:
        """Whether its handshake takes longer than one does."""
        return time.monotonic() - self._came > limits.SILENT_SECONDS

    def make_room(self) -> None:
        """Go for a newer stranger."""
        if self._task is not None:
            self._task.cancel()

    async def _shake(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):  # no TLS, a bad certificate, gone: nothing of ours
            await loop.connect_accepted_socket(
                lambda: Connection(self._keeper),
                self._sock,
                ssl=self._tls,
                ssl_handshake_timeout=limits.REQUEST_SECONDS,
            )

    def _done(self, task: asyncio.Task[None]) -> None:
        self._keeper.strangers.remove(self)
        if task.cancelled() or task.exception() is not None:
            self._sock.close()
            Newcomer._gone += 1
            if Newcomer._gone % limits.STRANGERS == 0:
                gc.collect()  # each leaves a cycle with a buffer of 256 KiB in it


async def receive(listener: socket.socket, keeper: Keeper, tls: ssl.SSLContext) -> None:
    """Accept until cancelled."""
    loop = asyncio.get_running_loop()
    listener.setblocking(False)
    shaking: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                sock, _ = await loop.sock_accept(listener)
            except OSError as error:
                log.error(f"cannot accept a connection: {error.strerror}")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            task = Newcomer(keeper, sock, tls).start()
            shaking.add(task)
            task.add_done_callback(shaking.discard)
    finally:
        for task in shaking:
            task.cancel()
        listener.close()
