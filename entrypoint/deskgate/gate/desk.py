"""Connections to Xvnc: few at once, through its handshake, then handed to a viewer's relay."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar

from deskgate import rfb
from deskgate.gate import limits
from deskgate.gate.config import Target
from deskgate.tokens import Role

# One for all: the loop fills it and hands it on before it fills it again, so a viewer costs
# no read buffer of its own.
SHARED_BUFFER = memoryview(bytearray(256 * 1024))
# A full listen backlog, on a unix socket found out only at the first read (measured: 18 of 30
# connects at once).
BUSY = frozenset({errno.EINVAL, errno.EAGAIN, errno.ENOTCONN})
BUSY_SECONDS = 0.02
Result = TypeVar("Result")


class DeskError(Exception):
    """Xvnc does not let us in. The text is for the log."""


class DeskAwayError(DeskError):
    """Xvnc is not there: PID 1 knows, says why, and starts it again."""


class Far(Protocol):
    """Who takes what Xvnc sends, once it is past the handshake."""

    def from_desk(self, data: memoryview) -> None:
        """Take bytes; they are only valid during the call."""

    def desk_lost(self) -> None:
        """Xvnc closed the connection."""

    def pause_desk_writing(self) -> None:
        """Xvnc takes no more for now."""

    def resume_desk_writing(self) -> None:
        """Xvnc takes more again."""


class DeskLink(asyncio.BufferedProtocol):
    """One connection to Xvnc: our half of the handshake, then a pipe.

    Args:
        handshake: None only reads the greeting.
    """

    def __init__(self, handshake: rfb.ClientHandshake | None) -> None:
        self.transport: asyncio.Transport
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.far: Far | None = None
        self._handshake = handshake
        self._greeting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait: Xvnc speaks first."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self.transport = transport
        transport.set_write_buffer_limits(high=limits.HIGH_WATER_BYTES)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the loop the shared buffer for one read."""
        return SHARED_BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """Relay, or go on with the handshake."""
        if self.far is not None:
            self.far.from_desk(SHARED_BUFFER[:nbytes])
        elif not self.ready.done():
            try:
                self._shake(bytes(SHARED_BUFFER[:nbytes]))
            except rfb.RfbError as error:
                self._fail(DeskError(str(error)))

    def _shake(self, data: bytes) -> None:
        if self._handshake is None:
            self._greeting += data
            if len(self._greeting) >= len(rfb.VERSION):
                if not self._greeting.startswith(b"RFB "):
                    raise rfb.RfbError("no RFB greeting")
                self.ready.set_result(None)
            return
        if reply := self._handshake.feed(data):
            self.transport.write(reply)
        if self._handshake.done:
            self.ready.set_result(None)

    def pause_writing(self) -> None:
        """Hold the viewer back."""
        if self.far is not None:
            self.far.pause_desk_writing()

    def resume_writing(self) -> None:
        """Let the viewer go on."""
        if self.far is not None:
            self.far.resume_desk_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if self.far is not None:
            self.far.desk_lost()
        elif not self.ready.done():
            self._fail(exc or DeskAwayError("Xvnc closed the connection"))

    def _fail(self, error: Exception) -> None:
        self.ready.set_exception(error)
        # Seen: who waited may be gone, and asyncio would say that nobody looked.
        self.ready.exception()


class Desk:
    """Where Xvnc is, and how to get in.

    Args:
        rfbauth: Xvnc's password file; its second half is the view password.
    """

    def __init__(self, target: Target, rfbauth: str) -> None:
        self._target = target
        self._rfbauth = Path(rfbauth)
        self._dials = asyncio.Semaphore(limits.DIALS)
        self._greeted: tuple[float, bool] = (float("-inf"), False)
        self._probe = asyncio.Lock()

    async def open(self, role: Role) -> DeskLink:
        """Get a link on which Xvnc waits for ClientInit.

        Raises:
            DeskAwayError: Xvnc is not up.
            DeskError: it is full, silent, or not ours.
        """
        password = self._password(role)  # before the connect: it may be that there is none
        control = role is Role.CONTROL

        def shaken() -> DeskLink:
            return DeskLink(rfb.ClientHandshake(password, none_is_fine=control))

        return await self._in_time(lambda: self._connect(shaken), limits.DIAL_SECONDS)

    async def greets(self) -> bool:
        """Whether Xvnc answers with an RFB greeting; remembered for a moment."""
        async with self._probe:
            when, good = self._greeted
            fresh = limits.PROBE_FRESH_SECONDS if good else limits.PROBE_STALE_SECONDS
            if time.monotonic() - when < fresh:
                return good
            try:
                link = await self._in_time(
                    lambda: self._connect(lambda: DeskLink(None)), limits.PROBE_SECONDS
                )
            except DeskError:
                good = False
            else:
                good = True
                link.transport.abort()
            self._greeted = (time.monotonic(), good)
            return good

    def _password(self, role: Role) -> bytes | None:
        try:
            stored = self._rfbauth.read_bytes()
        except OSError:
            stored = b""
        if role is Role.CONTROL:  # needs none where Xvnc offers None
            return rfb.deobfuscate(stored[: rfb.PASSWORD_BYTES]) if stored else None
        # Without a view password a view link must end here, never as control.
        if len(stored) != 2 * rfb.PASSWORD_BYTES:
            raise DeskError("the RFB password file has no view password")
        return rfb.deobfuscate(stored[rfb.PASSWORD_BYTES :])

    async def _in_time(self, work: Callable[[], Awaitable[Result]], seconds: float) -> Result:
        try:
            async with asyncio.timeout(seconds):
                async with self._dials:
                    return await work()
        except TimeoutError:
            raise DeskError("Xvnc does not answer") from None
        except (ConnectionError, FileNotFoundError) as error:
            raise DeskAwayError(f"Xvnc cannot be reached: {error.strerror}") from None
        except OSError as error:
            raise DeskError(f"Xvnc cannot be reached: {error.strerror}") from None

    async def _connect(self, make: Callable[[], DeskLink]) -> DeskLink:
        while True:
            try:
                return await self._connect_once(make)
            except OSError as error:
                if error.errno not in BUSY:
                    raise
            await asyncio.sleep(BUSY_SECONDS)  # the backlog is full: let Xvnc accept

    async def _connect_once(self, make: Callable[[], DeskLink]) -> DeskLink:
        loop = asyncio.get_running_loop()
        if self._target.path is not None:
            _, link = await loop.create_unix_connection(make, self._target.path)
        else:
            _, link = await loop.create_connection(make, self._target.host, self._target.port)
        try:
            await link.ready
        except BaseException:
            link.transport.abort()
            raise
        return link
