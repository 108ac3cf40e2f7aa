"""Connections in memory for the harnesses, in one loop: tens of thousands a minute."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from deskgate.gate import log

Result = TypeVar("Result")
ENDINGS = 3  # what one end of a connection sets off takes this many turns of the loop at most


class Wire(asyncio.Transport):
    """One connection, by the rules of asyncio's sockets: order, what it raises, how it ends.

    It takes everything that is written at once, so nothing is ever held back.
    """

    def __init__(self, protocol: asyncio.BaseProtocol, peer: str = "192.0.2.7") -> None:
        super().__init__({"peername": (peer, 50000)})
        self.sent = bytearray()
        self.closed = False
        self._protocol = protocol
        self._half_closed = False
        self._reading = True
        self._held: list[bytes] = []  # came while nobody read
        protocol.connection_made(self)

    def feed(self, data: bytes) -> None:
        """Let bytes come from the other end."""
        self._held.append(data)
        self._deliver()

    def _deliver(self) -> None:
        while self._held and self._reading and not self.closed:
            data = b"".join(self._held)
            self._held.clear()
            if isinstance(self._protocol, asyncio.BufferedProtocol):
                memoryview(self._protocol.get_buffer(len(data)))[: len(data)] = data
                self._protocol.buffer_updated(len(data))
            else:
                assert isinstance(self._protocol, asyncio.Protocol)
                self._protocol.data_received(data)

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        asyncio.get_running_loop().call_soon(self._deliver)

    def write(self, data: Any) -> None:
        assert not self._half_closed, "asyncio: Cannot call write() after write_eof()"
        if not self.closed:
            self.sent += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self._half_closed = True

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self._lost)

    close = abort  # nothing ever waits to be sent

    def _lost(self) -> None:
        self._protocol.connection_lost(None)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol


def pieces(data: bytes) -> Iterator[list[bytes]]:
    """The same bytes as they may come: at once, and in pieces, always the same ones."""
    yield [data]
    chance = random.Random(data)  # noqa: S311 - to be repeated, not to be secret
    most = chance.choice((1, 3, 20, 200))
    cuts, at = [], 0
    while at < len(data):
        size = chance.randint(1, most)
        cuts.append(data[at : at + size])
        at += size
    yield cuts


async def quiet() -> None:
    """Wait until nothing is under way any more."""
    turns = 0
    while turns < ENDINGS:
        turns += 1
        await asyncio.sleep(0)
        if rest := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(rest)
            turns = 0


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run in the harnesses' loop. What asyncio would only log is raised."""
    troubles: list[dict[str, Any]] = []
    _loop().set_exception_handler(lambda _, context: troubles.append(context))
    result = _loop().run_until_complete(work)
    for trouble in troubles:
        raise trouble.get("exception") or AssertionError(trouble["message"])
    return result


@cache
def _log_file() -> int:
    return os.memfd_create("log")


def close_loop() -> None:
    """Let go of the loop; the next `run` makes another one."""
    _loop().close()
    _loop.cache_clear()


@contextmanager
def logged() -> Iterator[list[str]]:
    """What the gate says meanwhile, line by line."""
    lines: list[str] = []
    before, log.STDERR = log.STDERR, _log_file()
    try:
        yield lines
    finally:
        log.STDERR = before
        size = os.lseek(_log_file(), 0, os.SEEK_CUR)
        lines += os.pread(_log_file(), size, 0).decode().split("\n")[:-1] if size else []
        os.ftruncate(_log_file(), 0)
        os.lseek(_log_file(), 0, os.SEEK_SET)
