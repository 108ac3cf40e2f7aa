"""What the gate itself writes of RFC 6455: frame heads and close codes. Pure."""

from __future__ import annotations

TEXT, BINARY = b"\x81", b"\x82"  # FIN and opcode (5.2)
# RFC 6455, 7.4.1
GOING_AWAY, PROTOCOL_ERROR, UNSUPPORTED, POLICY = 1001, 1002, 1003, 1008
ROLE_CHANGED = 4000  # ours (7.4.2): come again at once, with another role
TOO_BIG, INTERNAL_ERROR, TRY_LATER = 1009, 1011, 1013


def binary_frame(payload: bytes | memoryview) -> bytes:
    """One whole, unmasked binary frame (5.2)."""
    return b"".join((binary_header(len(payload)), payload))


def text_frame(text: str) -> bytes:
    """The same with a text."""
    payload = text.encode()
    return _header(TEXT, len(payload)) + payload


def binary_header(length: int) -> bytes:
    """The head of a binary one."""
    return _header(BINARY, length)


def _header(first: bytes, length: int) -> bytes:
    if length < 126:
        return first + bytes((length,))
    if length < 65536:
        return first + b"\x7e" + length.to_bytes(2, "big")
    return first + b"\x7f" + length.to_bytes(8, "big")
