"""What a viewer sends after the upgrade: WebSocket frames, with RFB's opening in them.

The input is the bytes behind the upgrade. What Xvnc gets is compared with a second, plain reading
of RFC 6455 below; what the viewer gets must satisfy the library's own client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from deskgate import rfb
from deskgate.gate import limits
from deskgate.gate.access import Access, Carrier
from deskgate.gate.desk import DeskLink
from deskgate.gate.messages import Upgrade
from deskgate.gate.relay import Viewer
from deskgate.tokens import Role
from tests.unit.gate import samples

from .wire import Wire, logged, pieces, quiet, run

ACCESS = Access(role=Role.CONTROL, carrier=Carrier.BEARER, token=samples.CONTROL_TOKEN)
UPGRADE = Upgrade(access=ACCESS, role=ACCESS.role, headers=())
OPENING = rfb.VERSION + bytes([rfb.NONE])  # all a viewer says before the rest is Xvnc's
REPLIES = (rfb.VERSION, bytes([1, rfb.NONE]), bytes(4))
FROM_DESK = b"from the desk"
# 1000 and what else a viewer may close with comes back; the rest is ours.
CODES = frozenset({1001, 1002, 1003, 1007, 1008, 1009, 1011, 1013})


@dataclass(frozen=True)
class Outcome:
    """What came of an input, but for the order of pongs among the rest."""

    to_desk: bytes
    payloads: tuple[bytes, ...]
    pongs: tuple[bytes, ...]
    close: bytes | None
    ended: bool


def frames_in(data: bytes) -> Iterator[tuple[bool, int, bytes]]:
    """Whole frames up to the first that breaks the rules (RFC 6455, 5.2 and 5.5)."""
    while len(data) >= 2:
        fin, opcode, size, head = data[0] > 127, data[0] & 15, data[1] & 127, 2
        control = opcode >= 8
        if data[0] & 0x70 or data[1] < 128 or opcode not in {0, 1, 2, 8, 9, 10}:
            return  # reserved bits, no mask, no such opcode
        if control and (size > 125 or not fin):
            return
        if size > 125:
            head = 4 if size == 126 else 10
            if len(data) < head:
                return
            size = int.from_bytes(data[2:head], "big")
        if len(data) < head + 4 + size or size > limits.MESSAGE_BYTES:
            return
        mask, masked = data[head : head + 4], data[head + 4 : head + 4 + size]
        yield fin, opcode, bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked))
        data = data[head + 4 + size :]


def messages_in(data: bytes) -> Iterator[bytes]:
    """The binary messages up to the first thing that ends a viewer."""
    parts: list[bytes] | None = None
    for fin, opcode, payload in frames_in(data):
        if opcode in {9, 10}:
            continue
        if opcode in {1, 8} or (opcode == 0) != (parts is not None):
            return
        parts = [*(parts or []), payload]
        if fin:
            yield b"".join(parts)
            parts = None


def meant_for_desk(data: bytes) -> bytes:
    """What has to reach Xvnc: everything behind the opening, and without it nothing."""
    said = b"".join(messages_in(data))
    return said[len(OPENING) :] if said.startswith(OPENING) else b""


async def relay(chunks: Sequence[bytes]) -> Outcome:
    """Let a viewer send the bytes, and then Xvnc say something, and the viewer go."""
    came: list[Viewer] = []
    gone: list[Viewer] = []
    link = DeskLink(None)
    desk = Wire(link)
    browser = Wire(asyncio.Protocol())
    viewer = Viewer(
        browser,
        link,
        upgrade=UPGRADE,
        client="192.0.2.7",
        on_joined=came.append,
        on_gone=gone.append,
    )
    browser.set_protocol(viewer)
    viewer.start(b"")
    for chunk in chunks:
        browser.feed(chunk)
    await quiet()
    ended = desk.closed
    assert came == ([viewer] if desk.sent else []), "joined is who says something to Xvnc"
    before = len(browser.sent)
    if ended:
        viewer.from_desk(memoryview(FROM_DESK))  # what the loop had read already
        assert len(browser.sent) == before, "data behind the close frame"
    else:
        desk.feed(FROM_DESK)
        assert browser.sent.endswith(FROM_DESK), "what Xvnc says is lost"
    browser.abort()
    await quiet()
    assert desk.closed, "Xvnc keeps a connection that nobody uses"
    assert gone == [viewer], "a viewer goes once"
    return read_as_browser(bytes(browser.sent[:before]), bytes(desk.sent), ended=ended)


def read_as_browser(sent: bytes, to_desk: bytes, *, ended: bool) -> Outcome:
    """Read what a browser was sent as it would; a frame against the rules is an error."""
    reader = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)
    reader.receive_data(sent)
    assert reader.parser_exc is None, f"the browser says {reader.parser_exc}"
    frames = [event for event in reader.events_received() if isinstance(event, Frame)]
    assert all(frame.fin for frame in frames)
    payloads = tuple(bytes(frame.data) for frame in frames if frame.opcode is Opcode.BINARY)
    pongs = tuple(bytes(frame.data) for frame in frames if frame.opcode is Opcode.PONG)
    closes = [bytes(frame.data) for frame in frames if frame.opcode is Opcode.CLOSE]
    assert len(payloads) + len(pongs) + len(closes) == len(frames), "a kind of frame of nobody"
    assert len(closes) < 2, "two close frames"
    close = closes[0] if closes else None
    return Outcome(to_desk, payloads, pongs, close, ended)


def check(data: bytes) -> None:
    """Relay the bytes, at once and in pieces; assert what must hold for any."""
    first: Outcome | None = None
    for chunks in pieces(data):
        with logged() as said:
            outcome = run(relay(chunks))
        assert not [line for line in said if not line.startswith(("info: ", "debug: "))]
        assert outcome.to_desk == meant_for_desk(data), "Xvnc hears something else"
        assert b"".join(outcome.payloads)[:12] == rfb.VERSION
        if outcome.close is not None:
            assert outcome.ended, "closed, and Xvnc kept waiting"
            code = int.from_bytes(outcome.close[:2], "big")
            # The viewer's own close comes back; it is somewhere in what it sent, masked.
            assert code in CODES or any(opcode == 8 for _, opcode, _ in frames_in(data))
        if outcome.ended:
            # Why may depend on the pieces: what came behind is looked at together, or not at all.
            outcome = replace(outcome, pongs=(), close=None)
        assert first is None or first == outcome, f"in pieces: {outcome}; at once: {first}"
        first = outcome
