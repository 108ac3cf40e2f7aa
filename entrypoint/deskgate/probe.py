"""Questions to the running desktop over its own sockets. Standard library only."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from deskgate import clock
from deskgate.files import read_own
from deskgate.neighbours import LISTEN, sockets
from deskgate.programs import TOKENS_FILE
from deskgate.tokenfile import parse_clear_tokens
from deskgate.tokens import HASHED, NewToken, Role

TIMEOUT_SECONDS: Final = 3.0  # of one question; loopback answers in milliseconds
GREETING: Final = b"RFB 003.008\n"  # RFC 6143, 7.1.1
# A fixed key is as good as any: it guards proxies' caches, and there is none on loopback
# (RFC 6455, 10.3).
WEBSOCKET_KEY: Final = "ZGVza2dhdGUgaGVhbHRoIQ=="


def receive(door: socket.socket, until: Callable[[bytes], bool]) -> bytes:
    """Read until `until` is content, or the other side closes."""
    data = b""
    while not until(data):
        piece = door.recv(4096)
        if not piece:
            break
        data += piece
    return data


def socket_tables() -> list[str]:
    """The kernel's tables of TCP sockets (proc(5))."""
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    return [table.read_text() for table in tables if table.exists()]


def refuse_other_listeners(tables: Sequence[str], port: int, uid: int | None) -> None:
    """Any program can take the port of a proxy that is down, and would be told a token.

    Args:
        uid: of who bound it; None when one user runs all.

    Raises:
        ConnectionRefusedError: it is not the gate that listens.
    """
    if uid is None:
        return
    here = [row for _, number, row in sockets(tables, LISTEN) if number == port]
    if uid not in {int(row[7]) for row in here}:
        raise ConnectionRefusedError(errno.ECONNREFUSED, f"it is not the gate that has port {port}")


def _dial(record: Mapping[str, Any]) -> socket.socket:
    host, port = record["listen"] or "127.0.0.1", record["port"]
    door = socket.create_connection((host, port), TIMEOUT_SECONDS)
    try:
        refuse_other_listeners(socket_tables(), port, record["listener_uid"])
    except ConnectionRefusedError:
        door.close()
        raise
    if not record["tls"]:
        return door
    import ssl

    # The certificate names the outside's host; this is loopback.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(door)


def _ask(
    record: Mapping[str, Any],
    target: str,
    headers: Sequence[str],
    until: Callable[[bytes], bool],
    body: bytes | None = None,
) -> bytes:
    lines = [
        f"{'GET' if body is None else 'POST'} {target} HTTP/1.1",
        f"Host: localhost:{record['port']}",
        *headers,
        "",
        "",
    ]
    with _dial(record) as door:
        door.sendall("\r\n".join(lines).encode() + (body or b""))
        return receive(door, until)


def ask_greeting(record: Mapping[str, Any], token: str | None) -> bytes:
    """Ask for a WebSocket; returns what came: the head, and the first frame after a 101."""
    upgrade = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {WEBSOCKET_KEY}",
    ]
    target = "/websockify"
    if record["auth"] == "none":
        scheme = "https" if record["tls"] else "http"
        upgrade.append(f"Origin: {scheme}://localhost:{record['port']}")
    elif token is not None and record["proxy"] == "websockify":
        target += f"?token={token}"
        upgrade.append("Sec-WebSocket-Protocol: binary")
    elif token is not None:
        upgrade.append(f"Authorization: Bearer {token}")

    def enough(data: bytes) -> bool:
        head, end, _ = data.partition(b"\r\n\r\n")
        refused = bool(end) and not head.startswith(b"HTTP/1.1 101")
        return refused or GREETING in data

    return _ask(record, target, upgrade, enough)


def is_ready(record: Mapping[str, Any]) -> bool:
    """Whether the gate itself says, to anybody, that Xvnc greets it."""
    answer = _ask(record, "/readyz", ["Connection: close"], lambda data: False)
    return answer.startswith(b"HTTP/1.1 200")


def live_token(folder: Path, now: float) -> NewToken | None:
    """A token that lets us in now, one for control if there is any.

    None when all have expired, or only their hashes are kept.

    Args:
        now: seconds since the epoch.
    """
    try:
        rows = parse_clear_tokens(read_own(folder / TOKENS_FILE)[0].decode(), short=True)
    except (OSError, ValueError):
        return None
    usable = [row for row in rows if not HASHED.fullmatch(row.value)]
    live = [row for row in usable if row.is_live(now)]
    return min(live, key=lambda row: row.role is not Role.CONTROL, default=None)


def ask_ticket(record: Mapping[str, Any], token: str) -> str | None:
    """A link that works once, within ten minutes; None when the gate gives none."""
    body = b'{"ttl": "10m"}'
    length = f"Content-Length: {len(body)}"
    headers = [f"Authorization: Bearer {token}", length, "Connection: close"]
    try:
        answer = _ask(record, "/api/tickets", headers, lambda data: False, body)
        url: str = json.loads(answer.partition(b"\r\n\r\n")[2])["url"]
    except (OSError, ValueError, KeyError):
        return None
    return url


def ask_gate(folder: Path, target: str) -> bytes | None:
    """What the gate tells who has control; None when it does not."""
    try:
        record = json.loads(read_own(folder / "start.json")[0])
        token = live_token(folder, clock.now(record["booted"]))
        if record["proxy"] != "gate" or token is None or token.role is not Role.CONTROL:
            return None
        headers = [f"Authorization: Bearer {token.value}", "Connection: close"]
        answer = _ask(record, target, headers, lambda data: False)
    except (OSError, ValueError, KeyError):
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    return body if head.startswith(b"HTTP/1.1 200") else None


def ask_status(folder: Path) -> dict[str, dict[str, int]] | None:
    """Viewers by role and by name of their token; None when the gate does not tell."""
    body = ask_gate(folder, "/api/status")
    found: dict[str, dict[str, int]] | None = None if body is None else json.loads(body)
    return found
