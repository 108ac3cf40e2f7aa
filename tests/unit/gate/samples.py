"""What the gate's tests build on: two tokens, a context at a fixed time, requests."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from typing import Any

from deskgate.gate import credentials
from deskgate.gate.config import GateConfig, read_config
from deskgate.gate.loans import Loans
from deskgate.gate.messages import Context, OwnPage, Request
from deskgate.gate.outside import see
from deskgate.gate.sessions import Denied
from deskgate.gate.tickets import Ticket
from deskgate.tokens import Role, Token, digest_of

CONTROL = "c0ntrO1-" * 8
VIEW = "wAtch3r_" * 8
NOW = 1_800_000_000.0
SECRET = b"boot secret of thirty-two bytes."
CHANCE = bytes(range(16))
CONTROL_TOKEN = Token(name="control", role=Role.CONTROL, digest=digest_of(CONTROL))
VIEW_TOKEN = Token(name="view", role=Role.VIEW, digest=digest_of(VIEW), expires=NOW + 3600)
PAGE = OwnPage(locked=b"<locked>", opened=b"<opened>", csp="default-src 'none'")
KEY = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")  # RFC 6455, 1.3
UPGRADE = (
    *(("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket")),
    *(("Sec-WebSocket-Version", "13"), KEY),
)
FILES = frozenset({"vnc.html", "app/ui.js", "core/rfb.js", "page/page.css"})


def raw_config(**changes: Any) -> dict[str, Any]:
    """A gate.json as the conductor writes it."""
    raw = {
        "listen": ["127.0.0.1", 8002],
        "web": "/web",
        "subpath": "/",
        "public_url": None,
        "links": "http://localhost:8002/",
        "tokens": "/run/tokens",
        "more_tokens": None,
        "hash_tokens": False,
        "short_tokens": False,
        "query_tokens": True,
        "cookie_suffix": None,
        "booted": NOW - 1000,
        "rfb": "127.0.0.1:5901",
        "rfbauth": "/run/rfbauth",
        "auth": "token",
        "display": ":1",
        "frame_ancestors": [],
        "trusted_proxies": [],
        "clipboard": "both",
        "cert": None,
        "key": None,
    }
    return {**raw, **changes}


def config(**changes: Any) -> GateConfig:
    """What the gate makes of it."""
    return read_config(json.dumps(raw_config(**changes)), "desk")


def context(
    *,
    tokens: tuple[Token, ...] = (CONTROL_TOKEN, VIEW_TOKEN),
    denied: Denied | None = None,
    now: float = NOW,
    files: Container[str] = FILES,
    tickets: Mapping[bytes, Ticket] | None = None,
    places: int = 2,
    guests: int = 0,
    loans: Loans | None = None,
    **changes: Any,
) -> Context:
    """Everything a decision rests on; `changes` are gate.json's."""
    return Context(
        config=config(**changes),
        tokens=tokens,
        boot_secret=SECRET,
        denied=denied or Denied(),
        loans=loans or Loans(),
        tickets=tickets or {},
        now=now,
        chance=CHANCE,
        page=PAGE,
        files=files,
        places={Role.CONTROL: places, Role.VIEW: places - 1},
        guests=guests,
    )


def request(
    target: str = "/",
    *headers: tuple[str, str],
    method: str = "GET",
    host: str = "localhost:8002",
    peer: str = "192.0.2.7",
    body: bytes = b"",
    version: str = "1.1",
) -> Request:
    """A request as the server hands it on: header names in lower case."""
    lines = [("Host", host), *headers]
    if body:
        lines.append(("Content-Length", str(len(body))))
    lowered = tuple((name.lower(), value) for name, value in lines)
    return Request(
        method=method, target=target, version=version, headers=lowered, peer=peer, body=body
    )


def bearer(token: str = CONTROL) -> tuple[str, str]:
    """The header that machines use."""
    return "Authorization", f"Bearer {token}"


def cookie(
    token: Token = CONTROL_TOKEN, given: Context | None = None, *, host: str = "localhost:8002"
) -> tuple[str, str]:
    """The header a logged-in browser sends."""
    at = given or context()
    view = see(request(host=host), at.config)
    return "Cookie", credentials.new_cookie(token, view, at)[1].partition(";")[0]
