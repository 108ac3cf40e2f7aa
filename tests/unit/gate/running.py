"""A gate on real sockets in a thread of the test, and a scripted RFB server behind it.

The scripted server does what a real Xvnc cannot be asked for: stop reading, die, refuse. What a
role may do is proved against real Xvnc (test_roles.py and the container suite).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from deskgate import clock, rfb
from deskgate.files import templates_dir
from deskgate.gate.config import read_config
from deskgate.gate.keeper import Keeper
from deskgate.gate.life import accept, say_goodbye
from deskgate.programs import TOKENS_FILE
from deskgate.tokens import Role

from .samples import CONTROL, SECRET, VIEW, raw_config

BIG_BYTES = 30_000_000  # more than the kernel's socket buffers take
CONTROL_PASSWORD, VIEW_PASSWORD = b"control!", b"viewonly"
TOKEN_FILE = f"""# name=control role=control
{CONTROL}: 127.0.0.1:5901
# name=view role=view
{VIEW}: 127.0.0.1:0
"""


def wait_until(condition: Callable[[], bool], timeout_seconds: float = 5) -> None:
    """Wait for something that another thread or process does."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def receive(sock: socket.socket, count: int) -> bytes:
    """Exactly so many bytes."""
    data = b""
    while len(data) < count:
        chunk = sock.recv(count - len(data))
        assert chunk, f"closed after {data!r}"
        data += chunk
    return data


@dataclass
class Desk:
    """A scripted RFB server. `accepted` gives each connection past its handshake."""

    listener: socket.socket
    accepted: queue.Queue[tuple[int, socket.socket]] = field(default_factory=queue.Queue)
    greeting: bytes = rfb.VERSION
    types: bytes = b"\x02\x01\x02"  # None and VncAuth
    answers: list[bytes] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)
    order: threading.Lock = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.listener.getsockname()[1])

    def serve(self) -> None:
        """Accept until closed."""
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.sockets.append(sock)
                threading.Thread(target=self._shake, args=(sock,), daemon=True).start()

    def _shake(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, AssertionError):
            sock.sendall(self.greeting)
            assert receive(sock, 12) == rfb.VERSION
            sock.sendall(self.types)
            chosen = receive(sock, 1)[0]
            if chosen == rfb.VNC_AUTH:
                challenge = bytes(range(16))
                sock.sendall(challenge)
                answer = receive(sock, 16)
                self.answers.append(answer)
                passwords = (CONTROL_PASSWORD, VIEW_PASSWORD)
                if answer not in [rfb.answer_challenge(each, challenge) for each in passwords]:
                    sock.sendall(b"\0\0\0\x01\0\0\0\x02no")
                    return
            with self.order:  # the next one may come as soon as this one is let in
                sock.sendall(bytes(4))
                self.accepted.put((chosen, sock))

    def next(self) -> tuple[int, socket.socket]:
        """The next connection past its handshake: security type and socket."""
        chosen, sock = self.accepted.get(timeout=5)
        sock.settimeout(5)
        return chosen, sock

    def close(self) -> None:
        """Be gone, as a dead Xvnc: connects are refused."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@contextlib.contextmanager
def running_desk() -> Iterator[Desk]:
    """A scripted RFB server on a port of its own."""
    desk = Desk(socket.create_server(("127.0.0.1", 0)))
    threading.Thread(target=desk.serve, daemon=True).start()
    try:
        yield desk
    finally:
        desk.close()
        for sock in desk.sockets:
            sock.close()


@dataclass
class Gate:
    """A gate that serves; `call` runs something in its thread."""

    keeper: Keeper
    loop: asyncio.AbstractEventLoop
    port: int
    tokens: Path

    def call(self, work: Callable[[], Any]) -> Any:
        """Run in the gate's thread, as its own timers do."""

        async def wrapped() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(wrapped(), self.loop).result(5)

    def socket(self) -> socket.socket:
        """A raw connection."""
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        sock.settimeout(5)
        return sock

    def ask(self, head: str, body: bytes = b"") -> bytes:
        """One request on a connection of its own; everything that came until its end."""
        with self.socket() as sock:
            lines = f"{head}\r\nHost: localhost:{self.port}\r\nConnection: close\r\n\r\n"
            sock.sendall(lines.encode("latin-1") + body)
            return read_all(sock)

    def status(self, head: str, body: bytes = b"") -> int:
        """Only the status of the answer."""
        return int(self.ask(head, body).split(b" ", 2)[1])

    def view(
        self, token: str | None = CONTROL, path: str = "/websockify", **options: Any
    ) -> contextlib.AbstractContextManager[ClientConnection]:
        """A WebSocket of a client that knows a token."""
        query = f"?token={token}" if token else ""
        url = f"ws://127.0.0.1:{self.port}{path}{query}"
        made: contextlib.AbstractContextManager[ClientConnection] = connect(
            url, **{"compression": None, "ping_interval": None, **options}
        )
        return made

    def replace_tokens(self, text: str) -> None:
        """Give the gate another token file, as `deskgate token` does: whole, by rename."""
        fresh = self.tokens.with_name("fresh")
        fresh.write_text(text)
        fresh.rename(self.tokens)

    def upgrade(
        self, *headers: str, token: str | None = CONTROL, target: str = "/websockify"
    ) -> bytes:
        """The head of a request for a WebSocket, without its last empty line."""
        query = f"?token={token}" if token else ""
        lines = [
            f"GET {target}{query} HTTP/1.1",
            *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
            *("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Host: 127.0.0.1:{self.port}"),
            *headers,
        ]
        return "\r\n".join(lines).encode()

    def refuses(
        self, *headers: str, token: str | None = CONTROL, target: str = "/websockify"
    ) -> int:
        """The status with which a WebSocket is refused."""
        with self.socket() as sock:
            head = self.upgrade(*headers, "Connection: close", token=token, target=target)
            sock.sendall(head + b"\r\n\r\n")
            return int(read_all(sock).split(b" ", 2)[1])


def read_all(sock: socket.socket) -> bytes:
    """Everything until the other end closes."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := sock.recv(65536):
            data += chunk
    return data


def exchange(gate: Gate, *lines: str, behind: bytes = b"") -> bytes:
    """Everything that comes back for these lines, an empty one, and what stands behind it."""
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    with gate.socket() as sock:
        with contextlib.suppress(OSError):  # it may have heard enough before the end
            sock.sendall(head + behind)
        return read_all(sock)


def statuses(answers: bytes) -> list[int]:
    """The status of every answer in these bytes."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answers)]


def body_of(answer: bytes) -> bytes:
    """What stands behind the head."""
    return answer.partition(b"\r\n\r\n")[2]


def cookie(answer: bytes) -> str:
    """The header with which a browser sends back the cookie that an answer sets."""
    return "Cookie: " + answer.split(b"Set-Cookie: ")[1].split(b";")[0].decode()


def join(viewer: ClientConnection) -> None:
    """The RFB opening and ClientInit: from here on it is a viewer."""
    shake(viewer)
    viewer.send(b"\x01")


def roles_here(gate: Gate) -> list[Role]:
    """The role of each viewer."""
    return [access.role for access in gate.keeper.joined()]


def shake(viewer: ClientConnection) -> None:
    """A viewer's half of the RFB opening, as noVNC does it."""
    assert viewer.recv(5) == rfb.VERSION
    viewer.send(rfb.VERSION)
    assert viewer.recv(5) == b"\x01\x01"
    viewer.send(b"\x01")
    assert viewer.recv(5) == bytes(4)


def close_code(viewer: ClientConnection, timeout: float = 5) -> int | None:
    """Read to the end; the code it was closed with."""
    with contextlib.suppress(Exception):
        while True:
            viewer.recv(timeout)
    return viewer.close_code


def write_files(folder: Path, port: int, **changes: Any) -> Path:
    """gate.json, tokens and the password file, as the conductor writes them."""
    (folder / TOKENS_FILE).write_text(TOKEN_FILE)
    passwords = rfb.obfuscate(CONTROL_PASSWORD) + rfb.obfuscate(VIEW_PASSWORD)
    (folder / "rfbauth").write_bytes(passwords)
    web = folder / "web"
    web.mkdir(exist_ok=True)
    (web / "vnc.html").write_text("<html></html>")
    (web / "big.js").touch()
    os.truncate(web / "big.js", BIG_BYTES)  # sparse
    raw = raw_config(
        listen=["127.0.0.1", 0],
        web=str(web),
        tokens=str(folder / TOKENS_FILE),
        rfb=f"127.0.0.1:{port}",
        rfbauth=str(folder / "rfbauth"),
        booted=clock.booted_at(),
    )
    path = folder / "gate.json"
    path.write_text(json.dumps({**raw, **changes}))
    return path


@contextlib.contextmanager
def running_gate(folder: Path, port: int, **changes: Any) -> Iterator[Gate]:
    """A gate in front of an RFB server's port."""
    config = read_config(write_files(folder, port, **changes).read_text(), "desk")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listener = socket.create_server(("127.0.0.1", 0))

    async def start() -> tuple[Keeper, asyncio.Server]:
        keeper = Keeper(config, boot_secret=SECRET, own=templates_dir() / "web")
        return keeper, await accept(keeper, listener)

    try:
        keeper, server = asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    except BaseException:
        listener.close()
        raise

    async def stop() -> None:
        server.close()
        await say_goodbye(keeper)
        for _ in range(20):  # turns of the loop: who was just accepted, what is still to close
            for connection in tuple(keeper.connections):
                connection.abort()
            for viewer in tuple(keeper.viewers):
                viewer.abort()
            await asyncio.sleep(0)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    try:
        yield Gate(keeper, loop, listener.getsockname()[1], folder / TOKENS_FILE)
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def reset(sock: socket.socket) -> None:
    """Close with RST, as a client that vanished."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
