"""Gates for the harnesses: the real ones, but for the socket and the clock.

Three kinds: a plain one, one behind a trusted proxy below a path, and one that asks nobody.
In an input, words in braces stand for the credentials of a gate, so that the rooms behind the
door are looked into as well: the tokens `{control}` and `{view}`, their cookies `{cookie}` and
`{watching}`, the bare session of the first, a `{ticket}`, and the `{key}` of the files.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote_to_bytes

from deskgate import rfb
from deskgate.files import templates_dir
from deskgate.gate.config import read_config
from deskgate.gate.failures import Failures
from deskgate.gate.keeper import Keeper
from deskgate.gate.messages import Context
from deskgate.gate.metrics import Counts
from deskgate.gate.server import Connection
from deskgate.gate.sessions import Denied, cookie_name, files_key, issue_cookie
from deskgate.gate.tickets import Ticket, Tickets
from deskgate.programs import TOKENS_FILE
from deskgate.tokens import Token
from tests.unit.gate import samples
from tests.unit.gate.running import TOKEN_FILE

from .wire import Wire, quiet, run

CANARY = b"only for who is inside"
TOKENS = {b"{control}": samples.CONTROL.encode(), b"{view}": samples.VIEW.encode()}
TICKET = b"5f" * 16
PUBLIC = "desk.test"
PROXIED = (
    ("trusted_proxies", ("10.0.0.0/8",)),
    ("subpath", "/lab/"),
    ("public_url", f"https://{PUBLIC}/lab"),
)
OPEN = (("auth", "none"), *PROXIED)


class Desk(asyncio.Protocol):
    """Xvnc's half of the opening, in the harnesses' own loop."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""
        self._steps = [(12, b"\x02\x01\x02"), (1, bytes(4))]
        transport.write(rfb.VERSION)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._steps and len(self._buffer) >= self._steps[0][0]:
            size, reply = self._steps.pop(0)
            taken, self._buffer = self._buffer[:size], self._buffer[size:]
            if taken == bytes([rfb.VNC_AUTH]):
                self._steps.append((16, reply))
                reply = bytes(16)
            self._transport.write(reply)


class StillKeeper(Keeper):
    """The gate's own, at a moment that stands still, so that one input has one answer."""

    def now(self) -> float:
        return samples.NOW

    def context(self) -> Context:
        return replace(super().context(), chance=samples.CHANCE)

    def forget_the_past(self) -> None:
        """Be as at the start, with one ticket given out."""
        tokens = Path(self.config.tokens)
        if tokens.read_text() != TOKEN_FILE:
            tokens.write_text(TOKEN_FILE)
            self.reload_tokens()
        self._denied = Denied()
        self.counts = Counts(began=self.now())
        self.failures = Failures()
        self.tickets = Tickets()
        ticket = Ticket(token=samples.CONTROL_TOKEN, session=None, until=self.now() + 30)
        self.tickets.add(TICKET.decode(), ticket, self.now())


class Gate:
    """What outlives an input: files, tokens, and a desktop to connect to."""

    def __init__(self, **changes: Any) -> None:
        self._held = TemporaryDirectory(prefix="fuzz-")
        self._folder = Path(self._held.name)
        (self._folder / "rfbauth").write_bytes(bytes(16))
        (self._folder / "web").mkdir()
        (self._folder / "web" / "vnc.html").write_bytes(b"<script>0</script>" + CANARY)
        (self._folder / "web" / "ui.js").write_bytes(CANARY)
        raw = samples.raw_config(
            rfb=f"unix_socket:{self._folder}/rfb.sock",
            tokens=str(self._folder / TOKENS_FILE),
            rfbauth=str(self._folder / "rfbauth"),
            web=str(self._folder / "web"),
            **changes,
        )
        (self._folder / "gate.json").write_text(json.dumps(raw))
        self.config = read_config(json.dumps(raw), "desk")
        secret = samples.SECRET
        self.credentials = {
            **TOKENS,
            b"{cookie}": self._cookie(samples.CONTROL_TOKEN),
            b"{watching}": self._cookie(samples.VIEW_TOKEN),
            b"{session}": self._cookie(samples.CONTROL_TOKEN).partition(b"=")[2],
            b"{ticket}": TICKET,
            b"{key}": files_key(samples.CONTROL_TOKEN, secret).encode(),
        }
        self._peers = count(1)
        run(self._listen())
        (self._folder / TOKENS_FILE).write_text(TOKEN_FILE)
        self.keeper = StillKeeper(
            self.config, boot_secret=samples.SECRET, own=templates_dir() / "web"
        )
        self.keeper.forget_the_past()

    def _cookie(self, token: Token) -> bytes:
        secure = self.config.public_url is not None
        suffix, subpath = self.config.cookie_suffix, self.config.subpath
        name = cookie_name(token.role, suffix, secure=secure, subpath=subpath)
        value = issue_cookie(token, samples.SECRET, now=samples.NOW, chance=samples.CHANCE)
        return f"{name}={value}".encode()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._desk = await loop.create_unix_server(Desk, f"{self._folder}/rfb.sock")

    def spell_out(self, data: bytes) -> bytes:
        """Put the credentials of this gate where an input names them."""
        for word, text in self.credentials.items():
            data = data.replace(word, text)
        return data

    def shows(self, data: bytes, *words: bytes) -> bool:
        """Whether one of these credentials stands in the bytes, plain or percent-encoded."""
        once = unquote_to_bytes(data.replace(b"+", b" "))
        spelled = (data, once, unquote_to_bytes(once.replace(b"+", b" ")))
        return any(self.credentials[word] in each for word in words for each in spelled)

    async def converse(self, chunks: Iterable[bytes]) -> bytes:
        """Everything that a client is sent who sends these bytes and goes."""
        number = next(self._peers)
        peer = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        wire = Wire(Connection(self.keeper), peer)
        for chunk in chunks:
            wire.feed(chunk)
        await quiet()
        wire.abort()
        await self.settle()
        return bytes(wire.sent)

    async def settle(self) -> None:
        """Wait until a conversation is over, and see that nobody is left over from it."""
        await quiet()
        keeper = self.keeper
        assert not keeper.connections, "a connection is left over"
        assert not keeper.viewers, "a viewer is left over"
        assert len(keeper.strangers) == 0, "a stranger's place is taken for ever"
        assert keeper.arriving.total() == 0, "a viewer's place is taken for ever"
        keeper.forget_the_past()

    def close(self) -> None:
        """Let go of files and sockets."""
        self.keeper.close()
        self._desk.close()
        self._held.cleanup()


_gates: dict[tuple[tuple[str, Any], ...], Gate] = {}


def gate_of(*changes: tuple[str, Any]) -> Gate:
    """The gate with these changes of its configuration; one for all inputs."""
    if changes not in _gates:
        _gates[changes] = Gate(**dict(changes))
    return _gates[changes]


def close_gates() -> None:
    """Let go of all of them."""
    for gate in _gates.values():
        gate.close()
    _gates.clear()
