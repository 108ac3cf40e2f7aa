"""`python -I -m deskgate.gate GATE_JSON [LISTENING_FD]`: the gate's process.

stdin gives one line: the boot secret, 64 hex digits, and at a start with VNC_LINK=once the tickets
of the control and the view link, 32 hex digits each; stdout says `ready` when the gate serves, and
a pipe there then hears every few seconds that it lives; stderr is the log. SIGTERM ends it, SIGHUP
reads the token file again.
"""

from __future__ import annotations

import os
import re
import select
import socket
import sys
from pathlib import Path

from deskgate import memory
from deskgate.errors import Status
from deskgate.gate import log
from deskgate.gate.config import ConfigError, GateConfig, read_config
from deskgate.gate.lean import load_asyncio_without_tls
from deskgate.listening import listen

SECRET_BYTES = 32  # 256 bits
HANDED = re.compile(rb"([0-9a-f]{64})(?: ([0-9a-f]{32}) ([0-9a-f]{32}))?\n?")
HANDED_BYTES = 64 + 2 * 33 + 1
SECRET_SECONDS = 2.0


def main(arguments: list[str]) -> int:
    """Serve until a signal; return the exit status."""
    log.prepare()
    if len(arguments) not in (1, 2):
        log.error("usage: python -I -m deskgate.gate GATE_JSON [LISTENING_FD]")
        return Status.USAGE
    try:
        config = read_config(Path(arguments[0]).read_text("utf-8"), socket.gethostname())
    except OSError as error:
        log.error(f"gate.json: cannot read it: {error.strerror}")
        return Status.NO_INPUT
    except (ConfigError, UnicodeDecodeError) as error:
        log.error(f"gate.json: cannot use it: {error}")
        return Status.CONFIG
    # First of all: a browser that comes while the rest is loaded waits instead of being refused.
    try:
        handed = arguments[1:]
        listener = (
            socket.socket(fileno=int(handed[0])) if handed else listen(config.host, config.port)
        )
    except OSError as error:
        log.error(f"cannot listen on {config.host or 'all'} port {config.port}: {error.strerror}")
        return Status.UNAVAILABLE
    if not memory.lock():
        log.warning("prctl: other programs of this user can read the gate's memory")
    boot_secret, tickets = read_handed(0)
    return _serve(config, listener, boot_secret, tickets)


def read_handed(fd: int) -> tuple[bytes, tuple[str, ...]]:
    """Take the boot secret and the tickets that PID 1 hands down.

    Without them, make a secret that dies with this process.
    """
    given = b""
    try:
        while b"\n" not in given and len(given) < HANDED_BYTES:
            if not select.select([fd], [], [], SECRET_SECONDS)[0]:
                break
            chunk = os.read(fd, HANDED_BYTES)
            if not chunk:
                break
            given += chunk
    except OSError:
        pass
    handed = HANDED.fullmatch(given)
    if handed is None:
        return os.urandom(SECRET_BYTES), ()
    secret, *tickets = (text.decode("ascii") for text in handed.groups() if text)
    return bytes.fromhex(secret), tuple(tickets)


def _serve(
    config: GateConfig, listener: socket.socket, boot_secret: bytes, tickets: tuple[str, ...]
) -> int:
    if config.cert is None:
        load_asyncio_without_tls()
    import asyncio

    from deskgate.gate.life import live

    return asyncio.run(live(config, listener, boot_secret, tickets))


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    # No interpreter teardown: it would only delay every stop, by 20 ms.
    os._exit(exit_code)
