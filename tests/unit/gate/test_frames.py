"""The frame heads that the gate writes itself."""

from __future__ import annotations

import pytest
from websockets.frames import CloseCode, Frame, Opcode

from deskgate.gate import frames

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 70000]


@pytest.mark.parametrize("size", SIZES)
def test_a_head_is_as_the_library_writes_it(size: int) -> None:
    """On both sides of every change of form (RFC 6455, 5.2)."""
    data = bytes(size)
    whole = Frame(Opcode.BINARY, data).serialize(mask=False)
    assert frames.binary_header(size) + data == whole
    assert frames.binary_frame(memoryview(data)) == whole


@pytest.mark.parametrize("text", ["", "ü" * 62, "ü" * 63, "x" * 65536])
def test_a_text_is_as_the_library_writes_it(text: str) -> None:
    """By its bytes, not its characters."""
    assert frames.text_frame(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def test_close_codes_mean_what_the_standard_says() -> None:
    """RFC 6455, 7.4.1, and 1013 of IANA's registry."""
    assert CloseCode.GOING_AWAY == frames.GOING_AWAY
    assert CloseCode.PROTOCOL_ERROR == frames.PROTOCOL_ERROR
    assert CloseCode.UNSUPPORTED_DATA == frames.UNSUPPORTED
    assert CloseCode.POLICY_VIOLATION == frames.POLICY
    assert CloseCode.MESSAGE_TOO_BIG == frames.TOO_BIG
    assert CloseCode.INTERNAL_ERROR == frames.INTERNAL_ERROR
    assert CloseCode.TRY_AGAIN_LATER == frames.TRY_LATER
