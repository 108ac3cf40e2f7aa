"""The opening handshake of a WebSocket (RFC 6455, 4.2): who may, and what it must say. Pure."""

from __future__ import annotations

import binascii
import hashlib
import re

from deskgate.gate import outside
from deskgate.gate.access import Access, Carrier
from deskgate.gate.answers import plain, unavailable
from deskgate.gate.messages import Answer, Context, Request, Upgrade

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
# Our own page's subprotocol: beside RFB's bytes, the gate tells it who is here, in text messages.
NEWS = "deskgate"
PROTOCOLS = (NEWS, "binary")
# RFC 6455, 4.3 and 9.1. What stands in quotes is a token as well, so no comma hides there.
CHAR = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
SUBPROTOCOL = re.compile(f"{CHAR}+")
VALUE = rf'(?:{CHAR}+|"(?:\\?{CHAR})+")'
EXTENSION = re.compile(rf"{CHAR}+(?:[ \t]*;[ \t]*{CHAR}+(?:[ \t]*=[ \t]*{VALUE})?)*")


def decide_websocket(
    request: Request, access: Access, view: outside.Outside, context: Context
) -> Answer | Upgrade:
    """Decide about a WebSocket that a good credential asks for."""
    # Only a cookie comes by itself, from any page the browser shows; a token has to be known.
    if access.carrier is Carrier.COOKIE:
        origin = request.one("origin")
        if origin is None or not outside.origin_is_ours(origin, view, context.config):
            return plain(context, 403)
    asked = "websocket" in [word.lower() for word in request.words("upgrade")]
    meant = "upgrade" in [word.lower() for word in request.words("connection")]
    if not (asked and meant) or request.one("sec-websocket-version") != "13":
        extra = (("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"))
        return plain(context, 426, *extra)
    key = request.one("sec-websocket-key") or ""
    protocols = request.words("sec-websocket-protocol")
    chosen = next((each for each in PROTOCOLS if each in protocols), None)
    if (
        (request.method, request.version) != ("GET", "1.1")
        or not _is_key(key)
        or not _is_list(request, "sec-websocket-protocol", SUBPROTOCOL)
        or not _is_list(request, "sec-websocket-extensions", EXTENSION)
        or (protocols and chosen is None)
    ):
        return plain(context, 400, close=True)
    full = context.places[access.role] < 1
    # No browser can send a Bearer header with a WebSocket: this is a machine, and a probe must
    # not fail because the house is full.
    if full and (access.carrier is not Carrier.BEARER or context.guests < 1):
        return unavailable(context)
    accept = binascii.b2a_base64(_sha1(key.encode("ascii") + MAGIC), newline=False).decode("ascii")
    spoken = (("Sec-WebSocket-Protocol", chosen),) if chosen else ()
    switching = (("Upgrade", "websocket"), ("Connection", "Upgrade"))
    answered = (*switching, ("Sec-WebSocket-Accept", accept), *spoken)
    role = context.loans.role_of(access)
    return Upgrade(access=access, role=role, headers=answered, guest=full, news=chosen == NEWS)


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()  # as RFC 6455, 4.2.2 wants it


def _is_key(text: str) -> bool:
    """Whether this is sixteen bytes in base64 (RFC 6455, 4.2.1)."""
    try:
        return len(binascii.a2b_base64(text, strict_mode=True)) == 16
    except ValueError:
        return False


def _is_list(request: Request, name: str, element: re.Pattern[str]) -> bool:
    """Whether a header lists at least one of these, unless it is not there (RFC 6455, 4.2.1)."""
    words = request.words(name)
    return all(map(element.fullmatch, words)) and bool(words) == bool(request.all(name))
