"""The bytes of one HTTP connection: its clock, its backpressure, and the ways it ends."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

from deskgate.gate import limits


def peer_of(address: Any) -> str:
    """The address of the other end, as a socket tells it; IPv4 as such on a socket for both."""
    return str(address[0]).removeprefix("::ffff:") if address else "unix"


def send_at_once(transport: asyncio.BaseTransport) -> None:
    """Let no small write wait until the one before is acknowledged: browsers take 40 ms for that.

    asyncio does so only for a socket that knows its protocol's number, which ours may not.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Channel(asyncio.Protocol):
    """What a connection is below HTTP. `server.Connection` reads and answers on it."""

    def __init__(self) -> None:
        self.silent = True  # nothing came yet
        self._came = time.monotonic()
        self.idle = False  # between two requests
        self._timer: asyncio.TimerHandle | None = None
        self._full = False  # the client does not take its answers
        self._waiting = 0  # bytes of the last answer that the client has not taken
        self._lingered: int | None = None  # bytes thrown away since the last answer; None before

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, and know who is there."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        if hasattr(transport, "max_size"):  # of asyncio's own, for plain sockets
            transport.max_size = limits.READ_BYTES
        self._transport = transport
        send_at_once(transport)
        self.peer = peer_of(transport.get_extra_info("peername"))

    @property
    def dawdles(self) -> bool:
        """Whether it has had time to say something, and does not. A new one is not yet read."""
        return self.idle or (self.silent and time.monotonic() - self._came > limits.SILENT_SECONDS)

    def abort(self) -> None:
        """End at once."""
        self._transport.abort()

    # The clock

    def _clock(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_clock()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    # Backpressure

    @property
    def _over(self) -> bool:
        """Whether the last answer is given: what still comes is thrown away."""
        return self._lingered is not None

    def _throw_away(self, data: bytes) -> None:
        self._lingered = (self._lingered or 0) + len(data)
        if self._lingered > limits.LINGER_BYTES:
            self._transport.abort()

    def pause_writing(self) -> None:
        """The client takes no more: read no further request, whose answer would wait as well."""
        self._full = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """And now it does."""
        self._full = False
        self._read_on()

    def _read_on(self) -> None:
        raise NotImplementedError

    # Ends

    def _rest(self) -> None:
        """Wait for the next request, but not for ever."""
        self.idle = True
        self._waiting = self._transport.get_write_buffer_size() + 1
        self._clock(limits.KEEP_ALIVE_SECONDS, self._rested)

    def _rested(self) -> None:
        """Nothing new came; go, unless the client is still taking its answer."""
        left = self._transport.get_write_buffer_size()
        if 0 < left < self._waiting:
            self._waiting = left
            self._clock(limits.KEEP_ALIVE_SECONDS, self._rested)
        elif left:
            self._transport.abort()
        else:
            self._transport.close()

    def _finish(self) -> None:
        """The client wants no more than this answer: go when it has it."""
        self._lingered = 0
        self._rest()
        self._transport.close()  # sends first what waits

    def _linger(self) -> None:
        """Let the client read the refusal: closing on bytes not yet read would reset it away."""
        self._lingered = 0
        self._clock(limits.LINGER_SECONDS, self._transport.abort)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:  # TLS has no half-closing
            self._transport.close()
