"""The frames that do not go through the library's parser: only those for which it is the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from deskgate.gate.shortcut import Shortcut


def frame(payload: bytes, opcode: Opcode = Opcode.BINARY, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=True)


KEY = b"\x04\x01\0\0\0\0\0a"
TAKEN = {"one byte": b"\x01", "a key": KEY, "125 bytes": bytes(range(125))}
LEFT = {
    "nothing": b"",
    "half a head": frame(KEY)[:1],
    "a head": frame(KEY)[:6],
    "all but a byte": frame(KEY)[:-1],
    "a byte more": frame(KEY) + b"\x82",
    "two frames": frame(KEY) * 2,
    "an empty frame": frame(b""),
    "126 bytes": frame(bytes(126)),
    "a length of another form": b"\x82\xfe\x00\x7c" + bytes(4) + bytes(124),  # as 126 would be
    "text": frame(KEY, Opcode.TEXT),
    "a ping": frame(KEY, Opcode.PING),
    "a close": frame(b"\x03\xe8", Opcode.CLOSE),
    "a first fragment": frame(KEY, fin=False),
    "a last fragment": frame(KEY, Opcode.CONT),
    "a reserved bit": b"\xc2" + frame(KEY)[1:],
    "no mask": Frame(Opcode.BINARY, KEY).serialize(mask=False),
    "no mask, as long as with one": b"\x82\x0c" + bytes(12),
}


@pytest.mark.parametrize("payload", TAKEN.values(), ids=TAKEN)
def test_a_small_frame_that_comes_alone_takes_the_shortcut(payload: bytes) -> None:
    """Whatever its mask is."""
    for _ in range(20):
        assert Shortcut().payload(frame(payload)) == payload


@pytest.mark.parametrize("data", LEFT.values(), ids=LEFT)
def test_all_else_is_left_to_the_parser(data: bytes) -> None:
    """Every rule of RFC 6455 is checked there, and only there."""
    assert Shortcut().payload(data) is None


def unchanged(payload: bytes) -> bytes:
    """A frame whose mask is zeros: its content is on the wire as it is."""
    long = len(payload) > 125
    return frame(payload) if long else bytes((0x82, 0x80 | len(payload), 0, 0, 0, 0)) + payload


INNER = frame(KEY)
MESSAGES = st.lists(st.binary(max_size=300) | st.just(INNER), max_size=8)
CUTS = st.lists(st.integers(1, 40) | st.sampled_from((6, len(INNER))), max_size=60)


@given(messages=MESSAGES, cuts=CUTS)
def test_messages_are_the_same_however_they_are_cut(messages: list[bytes], cuts: list[int]) -> None:
    """Also those whose content looks like a frame, cut right before it."""
    stream = b"".join(map(unchanged, messages))
    pieces = [stream[:0]]
    for cut in cuts:
        pieces.append(stream[:cut])
        stream = stream[cut:]
    parser = Protocol(Side.SERVER, state=State.OPEN)
    shortcut = Shortcut()
    got: list[bytes] = []
    for piece in (*pieces, stream):
        payload = shortcut.payload(piece)
        if payload is not None:
            got.append(payload)
            continue
        parser.receive_data(piece)
        found = [bytes(each.data) for each in parser.events_received() if isinstance(each, Frame)]
        shortcut.parsed(piece, map(len, found))
        got += found
    assert got == messages


def test_who_pads_its_lengths_goes_the_long_way_for_ever() -> None:
    """The count may be too high for it, and never too low."""
    shortcut = Shortcut()
    shortcut.parsed(b"\x82\xfe\x00\x08" + bytes(4) + KEY, [len(KEY)])
    assert shortcut.payload(frame(KEY)) is None
