"""The gate's life: from a bound socket to the last viewer's goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

from deskgate.errors import Status
from deskgate.files import templates_dir
from deskgate.gate import limits, log
from deskgate.gate.config import GateConfig
from deskgate.gate.frames import GOING_AWAY
from deskgate.gate.keeper import Keeper
from deskgate.gate.lean import load_relay
from deskgate.gate.tokenset import TokensUnreadableError
from deskgate.listening import BACKLOG

if TYPE_CHECKING:
    import ssl

STDOUT = 1
GOODBYE_SECONDS = 0.3  # for viewers to take their close frame; all of a stop is 0.5 s
BEAT_SECONDS = 4.5  # between two signs of life; the conductor looks every 5 s
REPEAT_SECONDS = 1.0  # before asyncio's trouble is said again


async def live(
    config: GateConfig,
    listener: socket.socket,
    boot_secret: bytes,
    tickets: tuple[str, ...],
) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(exception_logger())
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        tls = _tls(config)
        keeper = Keeper(config, boot_secret=boot_secret, own=templates_dir() / "web")
        keeper.take_tickets(tickets)
    except TokensUnreadableError as error:
        log.error(f"token file: cannot use it: {error}")
        return Status.CONFIG
    except OSError as error:
        log.error(f"cannot start: {error.filename or 'certificate'}: {error.strerror}")
        return Status.NO_INPUT
    loop.add_signal_handler(signal.SIGHUP, keeper.reload_tokens)

    if tls is None:
        stop_accepting = (await accept(keeper, listener)).close
    else:
        from deskgate.gate.door import receive

        accepting = asyncio.ensure_future(receive(listener, keeper, tls))

        def stop_accepting() -> None:
            accepting.cancel()

    os.write(STDOUT, b"ready\n")
    if stat.S_ISFIFO(os.fstat(STDOUT).st_mode):  # somebody waits for it, and it is ours alone
        os.set_blocking(STDOUT, False)
        loop.call_later(BEAT_SECONDS, beat, loop)
    loop.call_soon(load_relay)  # what the first viewer needs, after the start is over
    await stopped.wait()
    stop_accepting()
    await say_goodbye(keeper)
    return Status.OK


def beat(loop: asyncio.AbstractEventLoop) -> None:
    """Show that the loop turns; a conductor that does not read it must not stop it."""
    with contextlib.suppress(OSError):
        os.write(STDOUT, b"alive\n")
    loop.call_later(BEAT_SECONDS, beat, loop)


async def accept(keeper: Keeper, listener: socket.socket) -> asyncio.Server:
    """Accept connections, a few at a time."""
    from deskgate.gate.server import Connection

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(keeper), sock=listener, backlog=limits.ACCEPTS
    )
    listener.listen(BACKLOG)  # asyncio has one number for both
    return server


async def say_goodbye(keeper: Keeper) -> None:
    """End every viewer with 1001 and every connection at once; wait a moment for the goodbyes."""
    for viewer in tuple(keeper.viewers):
        viewer.close(GOING_AWAY, "the gate stops")
    for connection in tuple(keeper.connections):
        connection.abort()
    deadline = asyncio.get_running_loop().time() + GOODBYE_SECONDS
    while keeper.viewers and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.01)
    for viewer in tuple(keeper.viewers):
        viewer.abort()
    keeper.close()


def _tls(config: GateConfig) -> ssl.SSLContext | None:
    if config.cert is None:
        return None
    import ssl

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(config.cert, config.key)
    return tls


def exception_logger() -> Callable[[asyncio.AbstractEventLoop, dict[str, object]], None]:
    """Say what asyncio would have, on one line; some of it is no more than EMFILE.

    The same thing is said once a second: when descriptors run out, asyncio says so each time.
    """
    said: dict[str, float] = {}

    def log_exception(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        detail = f"{type(error).__name__}: {error}" if error else ""
        text = f"{context.get('message')} {detail}".strip()
        if loop.time() - said.get(text, float("-inf")) >= REPEAT_SECONDS:
            said.clear()
            said[text] = loop.time()
            log.error(text)

    return log_exception
