"""The opening handshake of RFC 6455 (4 and 9.1) against the running gate.

Each case names its section. A refusal is a real HTTP answer, and Xvnc is not even asked.
"""

from __future__ import annotations

import base64
import hashlib
import socket
from dataclasses import KW_ONLY, dataclass

import pytest

from deskgate import rfb

from .running import Desk, Gate, read_all, receive, wait_until
from .samples import CONTROL
from .wire import BINARY, CLOSE, OPENING, Seen, close, frame, read_frames, read_head, write

Edge = tuple[Gate, Desk]
VERSION, NONCE, SUB, EXT = (
    *("Sec-WebSocket-Version", "Sec-WebSocket-Key"),
    *("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"),
)
SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, 1.3
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
GOODBYE = close(1000, b"done")


@dataclass(frozen=True, slots=True)
class Opening:
    """A request for a WebSocket with one thing changed, and its answer.

    Args:
        name: of a header with another value; the value None leaves it out.
        add: lines after all others.
        protocol: the subprotocol that is chosen.
        chop: bytes sent at once; 0 sends all.
    """

    name: str | None = None
    value: str | None = None
    _: KW_ONLY
    start: str = "GET {path} HTTP/1.1"
    add: tuple[str, ...] = ()
    status: int = 101
    protocol: str | None = None
    chop: int = 0

    def lines(self, port: int) -> list[str]:
        """The request, to its last empty line."""
        headers: dict[str, str | None] = {
            "Host": f"127.0.0.1:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            NONCE: SAMPLE_KEY,
            VERSION: "13",
        }
        if self.name is not None:
            headers[self.name] = self.value
        start = self.start.format(path=f"/websockify?token={CONTROL}", port=port)
        kept = [f"{name}: {value}" for name, value in headers.items() if value is not None]
        return [start, *kept, *self.add, "", ""]


def switching(lines: list[str], protocol: str | None) -> list[str]:
    """Every header of the answer to such a request (4.2.2)."""
    (key,) = (line.partition(": ")[2] for line in lines if line.lower().startswith(NONCE.lower()))
    digest = hashlib.sha1(key.encode() + MAGIC).digest()  # noqa: S324 - as 4.2.2 wants it
    accept = base64.b64encode(digest).decode()
    chosen = [f"{SUB}: {protocol}"] if protocol else []
    return [
        *("Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"),
        *chosen,
    ]


def check(edge: Edge, case: Opening) -> None:
    """Ask; if it is granted, say goodbye, which is echoed."""
    gate, desk = edge
    lines = case.lines(gate.port)
    asked = len(desk.sockets)
    with gate.socket() as browser:
        browser.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        write(browser, "\r\n".join(lines).encode("latin-1"), case.chop)
        start, *headers = read_head(browser).decode("latin-1").split("\r\n")[:-2]
        assert start.split(" ")[:2] == ["HTTP/1.1", str(case.status)]
        if case.status == 101:
            assert sorted(headers) == sorted(switching(lines, case.protocol))
            browser.sendall(frame(CLOSE, GOODBYE))
            greeting = Seen(BINARY, rfb.VERSION)
            assert read_frames(read_all(browser)) == [greeting, Seen(CLOSE, GOODBYE)]
            assert read_all(desk.next()[1]) == b""
        elif case.status == 426:
            assert "Sec-WebSocket-Version: 13" in headers
    wait_until(lambda: not gate.keeper.viewers and not gate.keeper.connections)
    assert len(desk.sockets) == asked + (case.status == 101)


def key_of(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


OPENINGS = {
    "1.3-the-example": Opening(),
    "4.1-octet-wise": Opening(chop=1),
    "4.2.1-connection-keep-alive-and-upgrade": Opening("Connection", "keep-alive, Upgrade"),
    "4.2.1-connection-upgrade-and-keep-alive": Opening("Connection", "Upgrade,keep-alive"),
    "4.2.1-connection-in-two-headers": Opening(
        "Connection", "keep-alive", add=("Connection: Upgrade",)
    ),
    "4.2.1-connection-lower-case": Opening("Connection", "upgrade"),
    "4.2.1-connection-upper-case": Opening("Connection", "UPGRADE"),
    "4.2.1-connection-with-empty-elements": Opening("Connection", ", ,Upgrade,"),
    "4.2.1-upgrade-mixed-case": Opening("Upgrade", "WebSocket"),
    "4.2.1-upgrade-among-others": Opening("Upgrade", "h2c, websocket"),
    "4.2.1-upgrade-in-two-headers": Opening("Upgrade", "h2c", add=("Upgrade: websocket",)),
    "4.2.1-names-lower-case": Opening(NONCE, None, add=(f"{NONCE.lower()}: {SAMPLE_KEY}",)),
    "4.2.1-names-upper-case": Opening(NONCE, None, add=(f"{NONCE.upper()}: {SAMPLE_KEY}",)),
    "4.2.1-spaces-around-a-value": Opening(VERSION, "  \t 13 \t"),
    "4.2.1-unknown-headers": Opening(add=("X-Anything: 1", "Pragma: no-cache")),
    "4.2.1-key-of-zeros": Opening(NONCE, key_of(bytes(16))),
    "4.2.1-key-of-ones": Opening(NONCE, key_of(b"\xff" * 16)),
    "4.2.1-key-with-plus-and-slash": Opening(NONCE, key_of(b"\xfb\xef\xff" * 5 + b"\xfb")),
    # Versions: 426, and the one that is spoken (4.4).
    **{
        f"4.4-version-{text}": Opening(VERSION, text, status=426)
        for text in ("0", "7", "8", "12", "14", "25", "255", "256", "013", "13a", "13,8", "-13")
    },
    "4.4-version-empty": Opening(VERSION, "", status=426),
    "4.4-version-absent": Opening(VERSION, None, status=426),
    "4.4-version-twice": Opening(add=(f"{VERSION}: 13",), status=426),
    "4.4-version-13-and-8": Opening(add=(f"{VERSION}: 8",), status=426),
    "4.2.1-upgrade-absent": Opening("Upgrade", None, status=426),
    "4.2.1-upgrade-empty": Opening("Upgrade", "", status=426),
    "4.2.1-upgrade-h2c": Opening("Upgrade", "h2c", status=426),
    "4.2.1-upgrade-websockets": Opening("Upgrade", "websockets", status=426),
    "4.2.1-upgrade-with-a-no-break-space": Opening("Upgrade", "websocket\xa0", status=426),
    "4.2.1-connection-absent": Opening("Connection", None, status=426),
    "4.2.1-connection-keep-alive": Opening("Connection", "keep-alive", status=426),
    "4.2.1-connection-upgraded": Opening("Connection", "Upgraded", status=426),
    # Keys: sixteen bytes in base64, once.
    "4.2.1-key-absent": Opening(NONCE, None, status=400),
    "4.2.1-key-empty": Opening(NONCE, "", status=400),
    "4.2.1-key-of-15-bytes": Opening(NONCE, key_of(bytes(15)), status=400),
    "4.2.1-key-of-17-bytes": Opening(NONCE, key_of(bytes(17)), status=400),
    "4.2.1-key-of-24-bytes": Opening(NONCE, key_of(bytes(24)), status=400),
    "4.2.1-key-without-padding": Opening(NONCE, SAMPLE_KEY.rstrip("="), status=400),
    "4.2.1-key-in-the-url-alphabet": Opening(NONCE, "-_" * 11 + "==", status=400),
    "4.2.1-key-no-base64": Opening(NONCE, "!" * 24, status=400),
    "4.2.1-key-with-a-space-inside": Opening(NONCE, "dGhlIHNhbXBs ZSBub25jZQ==", status=400),
    "4.2.1-key-with-a-tail": Opening(NONCE, SAMPLE_KEY + "AAAA", status=400),
    "4.2.1-key-twice": Opening(add=(f"{NONCE}: {key_of(bytes(16))}",), status=400),
    "4.2.1-key-twice-the-same": Opening(add=(f"{NONCE}: {SAMPLE_KEY}",), status=400),
    # The request itself.
    "4.2.1-http-1.0": Opening(start="GET {path} HTTP/1.0", status=400),
    "4.2.1-http-0.9": Opening(start="GET {path} HTTP/0.9", status=400),
    "4.2.1-no-http-version": Opening(start="GET {path}", status=400),
    "4.2.1-head": Opening(start="HEAD {path} HTTP/1.1", status=400),
    "4.2.1-post": Opening("Content-Length", "0", start="POST {path} HTTP/1.1", status=405),
    "4.2.1-put": Opening("Content-Length", "0", start="PUT {path} HTTP/1.1", status=405),
    "4.2.1-options": Opening(start="OPTIONS {path} HTTP/1.1", status=405),
    "4.2.1-connect": Opening(start="CONNECT {path} HTTP/1.1", status=405),
    "4.2.1-get-lower-case": Opening(start="get {path} HTTP/1.1", status=405),
    # 4.1 lets a client send these two; the gate is no proxy and takes them from nobody (H5).
    "4.2.1-absolute-uri": Opening(start="GET http://127.0.0.1:{port}{path} HTTP/1.1", status=400),
    "4.2.1-absolute-ws-uri": Opening(start="GET ws://127.0.0.1:{port}{path} HTTP/1.1", status=400),
    "4.2.1-a-body-in-chunks": Opening("Transfer-Encoding", "chunked", status=400),
    "4.2.1-host-absent": Opening("Host", None, status=400),
    "4.2.1-host-twice": Opening(add=("Host: localhost",), status=400),
    "4.2.1-a-folded-header": Opening("Upgrade", "\r\n websocket", status=400),
    "4.2.1-a-line-without-a-colon": Opening(add=("nonsense",), status=400),
    "4.2.1-a-space-before-the-colon": Opening(VERSION, None, add=(f"{VERSION} : 13",), status=400),
    "4.2.1-a-bare-line-feed": Opening("X-One", "1\nX-Two: 2", status=400),
    "4.2.1-another-resource": Opening(start=f"GET /nothing?token={CONTROL} HTTP/1.1", status=404),
    "3-a-fragment-in-the-uri": Opening(start="GET {path}#here HTTP/1.1", status=401),
    "10.5-no-credential": Opening(start="GET /websockify HTTP/1.1", status=401),
}


@pytest.mark.parametrize("case", OPENINGS.values(), ids=OPENINGS)
def test_w1_an_opening_is_answered_as_the_rfc_says(edge: Edge, case: Opening) -> None:
    """101 with the right accept and no header more, or the refusal that says what is wrong."""
    check(edge, case)


HUNDRED = ", ".join(f"name{number}" for number in range(100))
SUBPROTOCOLS = {
    "4.2.2-none": Opening(SUB, None),
    "4.2.2-binary": Opening(SUB, "binary", protocol="binary"),
    "4.2.2-among-others": Opening(SUB, "base64, binary", protocol="binary"),
    "4.2.2-in-two-headers": Opening(SUB, "base64", add=(f"{SUB}: binary",), protocol="binary"),
    "4.2.2-last-of-101": Opening(SUB, f"{HUNDRED}, binary", protocol="binary"),
    "4.2.2-with-empty-elements": Opening(SUB, ",binary, ,", protocol="binary"),
    "4.2.2-base64": Opening(SUB, "base64", status=400),
    "4.2.2-100-others": Opening(SUB, HUNDRED, status=400),
    "4.2.2-upper-case": Opening(SUB, "BINARY", status=400),
    # 4.3: a list of tokens.
    "4.3-empty": Opening(SUB, "", status=400),
    "4.3-only-commas": Opening(SUB, ", ,", status=400),
    "4.3-a-separator": Opening(SUB, "binary, a/b", status=400),
    "4.3-a-space-inside": Opening(SUB, "binary, a b", status=400),
    "4.3-a-no-break-space": Opening(SUB, "binary\xa0", status=400),
    "4.3-quoted": Opening(SUB, '"binary"', status=400),
    "4.3-beyond-ascii": Opening(SUB, "binary, é", status=400),
}


@pytest.mark.parametrize("case", SUBPROTOCOLS.values(), ids=SUBPROTOCOLS)
def test_w2_the_subprotocol_is_binary_or_none(edge: Edge, case: Opening) -> None:
    """The answer names ours when it was offered; who offers others alone is refused."""
    check(edge, case)


# Compression in practice; Autobahn's groups 12 and 13.
OFFERS = {
    "9.1-permessage-deflate": "permessage-deflate",
    "9.1-as-chromium-offers-it": "permessage-deflate; client_max_window_bits",
    "9.1-every-parameter": (
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
        "server_max_window_bits=10; client_max_window_bits=10"
    ),
    "9.1-a-quoted-parameter": 'permessage-deflate; client_max_window_bits="15"',
    "9.1-a-quoted-pair": 'permessage-deflate; client_max_window_bits="1\\5"',
    "9.1-spaces-everywhere": "permessage-deflate ;\tclient_max_window_bits = 15 , ,x ",
    "9.1-bad-parameters": "permessage-deflate; server_max_window_bits=99; nonsense=1",
    "9.1-two-offers": "permessage-deflate; client_max_window_bits, permessage-deflate",
    "9.1-permessage-bzip2": "permessage-bzip2; client_max_compress_level",
    "9.1-x-webkit-deflate-frame": "x-webkit-deflate-frame",
    "9.1-deflate-stream": "deflate-stream",
    "9.1-mux": "mux; max-channels=4; flow-control, deflate-stream",
    "9.1-unknown": "foo, bar; baz=2",
    "9.1-a-hundred": ", ".join(f"x-{number}; a=b" for number in range(100)),
}
DEFLATED_HELLO = bytes.fromhex("f248cdc9c90700")  # RFC 7692, 7.2.3.1


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
def test_w14_no_extension_is_ever_on(edge: Edge, offer: str) -> None:
    """The answer names none, plain messages pass, and RSV1, their bit, is refused."""
    gate, desk = edge
    lines = Opening(EXT, offer).lines(gate.port)
    with gate.socket() as browser:
        browser.sendall("\r\n".join(lines).encode())
        _, *headers = read_head(browser).decode().split("\r\n")[:-2]
        assert sorted(headers) == sorted(switching(lines, None))
        browser.sendall(frame(BINARY, OPENING + b"hello"))
        _, xvnc = desk.next()
        assert receive(xvnc, 6) == OPENING[-1:] + b"hello"
        browser.sendall(frame(BINARY, DEFLATED_HELLO, rsv=0b100))
        assert read_frames(read_all(browser))[-1].code == 1002
        assert read_all(xvnc) == b""


BAD_OFFERS = {
    "9.1-empty": "",
    "9.1-no-name": "; a=b",
    "9.1-a-space-in-the-name": "permessage deflate",
    "9.1-a-separator-in-the-name": "permessage/deflate",
    "9.1-an-empty-parameter": "permessage-deflate; ",
    "9.1-a-value-without-a-name": "permessage-deflate; =10",
    "9.1-a-name-without-its-value": "permessage-deflate; server_max_window_bits=",
    "9.1-an-open-quote": 'permessage-deflate; server_max_window_bits="10',
    "9.1-a-quoted-separator": 'foo; bar="a b"',
    "9.1-empty-quotes": 'foo; bar=""',
    "9.1-bad-after-good": "permessage-deflate, ;",
}


@pytest.mark.parametrize("offer", BAD_OFFERS.values(), ids=BAD_OFFERS)
def test_w14_an_offer_that_is_no_list_of_extensions_is_refused(edge: Edge, offer: str) -> None:
    """9.1 fails the connection for it, though nothing of it would be used."""
    check(edge, Opening(EXT, offer, status=400))
