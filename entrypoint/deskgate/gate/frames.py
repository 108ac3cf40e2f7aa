"""What the gate itself writes of RFC 6455: frame heads and close codes. Pure."""

from __future__ import annotations

# RFC 6455, 7.4.1
GOING_AWAY, PROTOCOL_ERROR, UNSUPPORTED, POLICY = 1001, 1002, 1003, 1008
TOO_BIG, INTERNAL_ERROR, TRY_LATER = 1009, 1011, 1013


def binary_frame(payload: bytes | memoryview) -> bytes:
    """One whole, unmasked binary frame (5.2)."""
    return b"".join((binary_header(len(payload)), payload))


def binary_header(length: int) -> bytes:
    """The head of such a frame."""
    if length < 126:
        return bytes((0x82, length))
    if length < 65536:
        return b"\x82\x7e" + length.to_bytes(2, "big")
    return b"\x82\x7f" + length.to_bytes(8, "big")
