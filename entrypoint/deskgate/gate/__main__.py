"""`python -I -m deskgate.gate GATE_JSON`: the gate's process.

stdin gives the boot secret as one line of 64 hex digits; stdout says `ready` once, when the
gate serves; stderr is the log. SIGTERM ends it, SIGHUP reads the token file again.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from pathlib import Path

from deskgate.errors import Status
from deskgate.gate import log
from deskgate.gate.config import ConfigError, GateConfig, read_config
from deskgate.gate.lean import load_asyncio_without_tls

SECRET_HEX = 64  # 256 bits
SECRET_SECONDS = 2.0
BACKLOG = 128


def main(arguments: list[str]) -> int:
    """Serve until a signal; return the exit status."""
    log.prepare()
    if len(arguments) != 1:
        log.error("usage: python -I -m deskgate.gate GATE_JSON")
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
        listener = listen(config.host, config.port)
    except OSError as error:
        log.error(f"cannot listen on {config.host or 'all'} port {config.port}: {error.strerror}")
        return Status.UNAVAILABLE
    boot_secret = read_boot_secret(0)
    return _serve(config, listener, boot_secret)


def listen(host: str, port: int) -> socket.socket:
    """Bind the one port; an empty host is every address, IPv6 too when the kernel has it.

    Raises:
        OSError: taken, or not allowed.
    """
    if not host:
        try:
            return _listen(socket.AF_INET6, "::", port)
        except OSError:
            return _listen(socket.AF_INET, "0.0.0.0", port)  # noqa: S104 - what was asked for
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return _listen(family, host, port)


def _listen(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def read_boot_secret(fd: int) -> bytes:
    """Take the secret that PID 1 hands down, or make one that dies with this process."""
    given = b""
    try:
        while b"\n" not in given and len(given) <= SECRET_HEX:
            if not select.select([fd], [], [], SECRET_SECONDS)[0]:
                break
            chunk = os.read(fd, SECRET_HEX + 1)
            if not chunk:
                break
            given += chunk
        secret = bytes.fromhex(given.strip().decode("ascii"))
    except (OSError, ValueError):
        secret = b""
    return secret if len(secret) == SECRET_HEX // 2 else os.urandom(SECRET_HEX // 2)


def _serve(config: GateConfig, listener: socket.socket, boot_secret: bytes) -> int:
    if config.cert is None:
        load_asyncio_without_tls()
    import asyncio

    from deskgate.gate.life import live

    return asyncio.run(live(config, listener, boot_secret))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
