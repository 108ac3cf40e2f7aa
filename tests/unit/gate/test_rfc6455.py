"""RFC 6455's frames (5 to 8, and 10.4) against the running gate; each case names its section.

It stands where the Autobahn test suite would, whose groups are covered in turn: lengths, pings,
reserved bits, opcodes, fragments, UTF-8, closing and limits. The opening handshake, and
compression, which the gate never speaks, are in test_rfc6455_opening.py.
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from functools import partial

import pytest

from deskgate.gate import limits

from .running import Desk, Gate, read_all, receive, wait_until
from .wire import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    Seen,
    close,
    fragmented,
    frame,
    joined,
    read_frame,
    read_frames,
    write,
)

Edge = tuple[Gate, Desk]
MIB = limits.MESSAGE_BYTES
NORMAL, PROTOCOL, UNSUPPORTED, BAD_TEXT, TOO_BIG = 1000, 1002, 1003, 1007, 1009
GOODBYE = close(NORMAL, b"done")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What a browser sends once it is a viewer, and everything that follows.

    Args:
        arrives: exactly the bytes that Xvnc gets.
        pongs: payloads that come back, in order.
        ends: the code with which the gate ends it; None when it goes on.
        echo: the payload of the close frame with which the gate answers the browser's own.
        chop: bytes sent at once; 0 sends all.
    """

    sent: bytes
    arrives: bytes = b""
    pongs: tuple[bytes, ...] = ()
    ends: int | None = None
    echo: bytes | None = None
    chop: int = 0


def data_of(size: int) -> bytes:
    """So many bytes, of which no two neighbours are alike, so that none can be missed or moved."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def passes(payload: bytes, *, form: int | None = None, chop: int = 0) -> Case:
    """One whole message."""
    return Case(sent=frame(BINARY, payload, form=form), arrives=payload, chop=chop)


def answered(payload: bytes, *, form: int | None = None, chop: int = 0) -> Case:
    """A ping."""
    return Case(sent=frame(PING, payload, form=form), pongs=(payload,), chop=chop)


def refused(sent: bytes, code: int = PROTOCOL, *, arrives: bytes = b"", chop: int = 0) -> Case:
    """Something that ends it."""
    return Case(sent=sent, ends=code, arrives=arrives, chop=chop)


def echoed(payload: bytes, *, before: bytes = b"", after: bytes = b"", chop: int = 0) -> Case:
    """The browser's own close frame."""
    return Case(sent=before + frame(CLOSE, payload) + after, echo=payload, chop=chop)


FIRST = frame(BINARY, b"one", fin=False)
NEXT = frame(CONT, b"two", fin=False)
LAST = frame(CONT, b"three")
WHOLE = frame(BINARY, b"whole")
NAMES = {
    CONT: "continuation",
    TEXT: "text",
    BINARY: "binary",
    CLOSE: "close",
    PING: "ping",
    PONG: "pong",
}
RESERVED = (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)

SIZES = (0, 1, 125, 126, 127, 128, 65535, 65536, MIB)
LENGTHS = {
    **{f"5.2-{size}-bytes": passes(data_of(size)) for size in SIZES},
    **{f"5.2-{size}-bytes-octet-wise": passes(data_of(size), chop=1) for size in SIZES[:6]},
    **{f"5.2-{size}-bytes-in-997s": passes(data_of(size), chop=997) for size in SIZES[6:]},
    # 5.2 holds the sender to the shortest form and leaves the receiver free. The others are taken:
    # nobody reads these bytes a second time, in another way.
    **{
        f"5.2-{size}-bytes-in-{form}-bytes-of-length": passes(data_of(size), form=form)
        for size, form in ((0, 2), (125, 2), (0, 8), (125, 8), (126, 8), (65535, 8))
    },
    "5.2-ping-in-2-bytes-of-length": answered(b"x", form=2),
    "5.2-ping-in-8-bytes-of-length": answered(b"x", form=8),
    "5.2-close-in-8-bytes-of-length": Case(sent=frame(CLOSE, GOODBYE, form=8), echo=GOODBYE),
    "5.2-claims-2^63-1": refused(frame(BINARY, claim=2**63 - 1), TOO_BIG),
    "5.2-claims-2^63-1-octet-wise": refused(frame(BINARY, claim=2**63 - 1), TOO_BIG, chop=1),
    "5.2-claims-2^32": refused(frame(BINARY, claim=2**32), TOO_BIG),
    "5.2-claims-2^31": refused(frame(BINARY, claim=2**31), TOO_BIG),
    "5.2-claims-2^63": refused(frame(BINARY, claim=2**63), TOO_BIG),
    "5.2-claims-2^64-1": refused(frame(BINARY, claim=2**64 - 1), TOO_BIG),
    "10.4-one-byte-too-much": refused(frame(BINARY, claim=MIB + 1), TOO_BIG),
    "10.4-one-byte-too-much-after-a-message": refused(
        WHOLE + frame(BINARY, claim=MIB + 1), TOO_BIG, arrives=b"whole"
    ),
    "10.4-one-byte-too-much-in-a-fragment": refused(FIRST + frame(CONT, claim=MIB - 2), TOO_BIG),
    "10.4-one-byte-too-much-in-whole-fragments": refused(
        frame(BINARY, data_of(MIB), fin=False) + frame(CONT, b"x"), TOO_BIG
    ),
    "10.4-no-byte-too-much-in-fragments": Case(
        sent=fragmented(data_of(MIB), MIB // 2), arrives=data_of(MIB)
    ),
    "10.4-many-messages-of-the-largest-size": Case(
        sent=frame(BINARY, data_of(MIB)) * 3, arrives=data_of(MIB) * 3
    ),
    "10.4-as-many-fragments-as-may-be": Case(
        sent=fragmented(data_of(limits.FRAGMENTS), 1), arrives=data_of(limits.FRAGMENTS)
    ),
    "10.4-one-fragment-too-many": refused(fragmented(data_of(limits.FRAGMENTS + 1), 1), TOO_BIG),
    **{
        f"10.4-a-message-in-fragments-of-{size}": Case(
            sent=fragmented(data_of(MIB), size), arrives=data_of(MIB)
        )
        for size in (256, 1024, 4096, 16384, 65536, 262144)
    },
    **{
        f"10.4-a-message-in-writes-of-{size}": passes(data_of(262144), chop=size)
        for size in (64, 256, 1024, 2048)
    },
    "5.4-65536-bytes-in-fragments-of-1300": Case(
        sent=fragmented(data_of(65536), 1300), arrives=data_of(65536)
    ),
    "5.2-a-thousand-messages": Case(
        sent=b"".join(frame(BINARY, data_of(n)) for n in range(1, 1001)),
        arrives=b"".join(data_of(n) for n in range(1, 1001)),
    ),
}

MASKS = {
    **{
        f"5.1-{name}-unmasked": refused(
            (FIRST if opcode == CONT else b"") + frame(opcode, b"\x03\xe8", key=None)
        )
        for opcode, name in NAMES.items()
    },
    "5.1-empty-unmasked": refused(frame(BINARY, key=None)),
    "5.1-unmasked-after-a-masked-one": refused(
        WHOLE + frame(BINARY, b"x", key=None), arrives=b"whole"
    ),
    "5.1-unmasked-octet-wise": refused(frame(BINARY, b"x", key=None), chop=1),
    "5.1-unmasked-of-65536": refused(frame(BINARY, claim=65536, key=None)),
    "5.3-key-of-zeros": Case(sent=frame(BINARY, b"plain", key=bytes(4)), arrives=b"plain"),
    "5.3-key-of-ones": Case(sent=frame(BINARY, b"plain", key=b"\xff" * 4), arrives=b"plain"),
    "5.3-a-key-for-each-frame": Case(
        sent=b"".join(frame(BINARY, data_of(n), key=bytes((n, 0, 255 - n, 7))) for n in range(9)),
        arrives=b"".join(data_of(n) for n in range(9)),
    ),
    "5.3-a-key-for-each-fragment": Case(
        sent=frame(BINARY, b"one", fin=False, key=b"abcd") + frame(CONT, b"two", key=b"wxyz"),
        arrives=b"onetwo",
    ),
    "5.3-a-ping-with-a-key-of-zeros": Case(
        sent=frame(PING, b"plain", key=bytes(4)), pongs=(b"plain",)
    ),
}

PINGS = {
    "5.5.2-empty": answered(b""),
    "5.5.2-hello": answered(b"Hello"),
    "5.5.2-binary": answered(b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),
    "5.5.2-125-bytes": answered(data_of(125)),
    "5.5.2-125-bytes-octet-wise": answered(data_of(125), chop=1),
    "5.5.2-126-bytes": refused(frame(PING, data_of(126))),
    "5.5.2-65536-bytes": refused(frame(PING, data_of(65536))),
    "5.5.2-claims-2^63-1": refused(frame(PING, claim=2**63 - 1), TOO_BIG),
    "5.5.2-ten-at-once": Case(
        sent=b"".join(frame(PING, b"%d" % n) for n in range(10)),
        pongs=tuple(b"%d" % n for n in range(10)),
    ),
    "5.5.2-ten-at-once-octet-wise": Case(
        sent=b"".join(frame(PING, b"%d" % n) for n in range(10)),
        pongs=tuple(b"%d" % n for n in range(10)),
        chop=1,
    ),
    "5.5.2-between-messages": Case(
        sent=WHOLE + frame(PING, b"?") + WHOLE, arrives=b"wholewhole", pongs=(b"?",)
    ),
    "5.5.2-two-alike": Case(sent=frame(PING, b"same") * 2, pongs=(b"same", b"same")),
    "5.5.3-unsolicited": Case(sent=frame(PONG, b"unsolicited")),
    "5.5.3-unsolicited-and-empty": Case(sent=frame(PONG)),
    "5.5.3-unsolicited-125-bytes": Case(sent=frame(PONG, data_of(125))),
    "5.5.3-unsolicited-then-ping": Case(
        sent=frame(PONG, b"no answer") + frame(PING, b"answer"), pongs=(b"answer",)
    ),
    "5.5.3-ten-unsolicited": Case(sent=frame(PONG, b"x") * 10 + WHOLE, arrives=b"whole"),
    "5.5.3-126-bytes": refused(frame(PONG, data_of(126))),
    "5.5.3-65536-bytes": refused(frame(PONG, data_of(65536))),
}

BITS = {
    **{
        f"5.2-rsv{rsv:03b}-{name}": refused(
            WHOLE + (FIRST if opcode == CONT else b"") + frame(opcode, b"\x03\xe8", rsv=rsv),
            arrives=b"whole",
        )
        for rsv in range(1, 8)
        for opcode, name in NAMES.items()
    },
    "5.2-rsv100-empty": refused(frame(BINARY, rsv=4)),
    "5.2-rsv010-octet-wise": refused(frame(BINARY, b"x" * 20, rsv=2), chop=1),
    "5.2-rsv001-of-1000-bytes": refused(frame(BINARY, data_of(1000), rsv=1)),
    "5.2-rsv100-on-a-first-fragment": refused(frame(BINARY, b"x", fin=False, rsv=4) + LAST),
    "5.2-rsv111-between-pings": Case(
        sent=frame(PING, b"1") + frame(BINARY, rsv=7) + frame(PING, b"2"),
        pongs=(b"1",),
        ends=PROTOCOL,
    ),
}

OPCODES = {
    **{f"5.2-opcode-{opcode}": refused(frame(opcode)) for opcode in RESERVED},
    **{
        f"5.2-opcode-{opcode}-with-a-payload-after-a-message": refused(
            WHOLE + frame(opcode, b"payload") + WHOLE, arrives=b"whole"
        )
        for opcode in RESERVED
    },
    **{
        f"5.2-opcode-{opcode}-amid-fragments": refused(FIRST + frame(opcode) + LAST)
        for opcode in RESERVED
    },
    "5.2-opcode-3-octet-wise": refused(frame(3, b"payload"), chop=1),
    "5.2-opcode-11-octet-wise": refused(frame(11, b"payload"), chop=1),
    "5.2-opcode-5-without-fin": refused(frame(5, b"payload", fin=False)),
    "5.2-opcode-3-after-a-ping": Case(
        sent=frame(PING, b"1") + frame(3) + frame(PING, b"2"), pongs=(b"1",), ends=PROTOCOL
    ),
}

FRAGMENTS = {
    "5.4-two": Case(sent=FIRST + LAST, arrives=b"onethree"),
    "5.4-three": Case(sent=FIRST + NEXT + LAST, arrives=b"onetwothree"),
    "5.4-three-octet-wise": Case(sent=FIRST + NEXT + LAST, arrives=b"onetwothree", chop=1),
    "5.4-one-byte-each": Case(sent=fragmented(data_of(100), 1), arrives=data_of(100)),
    "5.4-one-byte-each-octet-wise": Case(
        sent=fragmented(data_of(100), 1), arrives=data_of(100), chop=1
    ),
    "5.4-all-empty": Case(sent=frame(BINARY, fin=False) + frame(CONT, fin=False) + frame(CONT)),
    "5.4-only-the-first-empty": Case(sent=frame(BINARY, fin=False) + LAST, arrives=b"three"),
    "5.4-only-the-middle-not-empty": Case(
        sent=frame(BINARY, fin=False) + NEXT + frame(CONT), arrives=b"two"
    ),
    "5.4-only-the-last-empty": Case(sent=FIRST + frame(CONT), arrives=b"one"),
    "5.4-a-message-after-a-fragmented-one": Case(
        sent=FIRST + LAST + WHOLE, arrives=b"onethreewhole"
    ),
    "5.4-two-fragmented-in-a-row": Case(sent=(FIRST + LAST) * 2, arrives=b"onethreeonethree"),
    "5.4-ping-between": Case(
        sent=FIRST + frame(PING, b"?") + LAST, arrives=b"onethree", pongs=(b"?",)
    ),
    "5.4-ping-between-octet-wise": Case(
        sent=FIRST + frame(PING, b"?") + LAST, arrives=b"onethree", pongs=(b"?",), chop=1
    ),
    "5.4-pong-between": Case(sent=FIRST + frame(PONG, b"!") + LAST, arrives=b"onethree"),
    "5.4-pings-between-all": Case(
        sent=FIRST + frame(PING, b"1") + NEXT + frame(PING, b"2") + LAST,
        arrives=b"onetwothree",
        pongs=(b"1", b"2"),
    ),
    "5.4-ping-in-a-large-message": Case(
        sent=frame(BINARY, data_of(MIB // 2), fin=False)
        + frame(PING, data_of(125))
        + frame(CONT, data_of(MIB // 2)),
        arrives=data_of(MIB // 2) * 2,
        pongs=(data_of(125),),
    ),
    # The frame protocol lets a ping be no longer than what the message still may grow by.
    "5.4-ping-in-a-message-of-the-largest-size": refused(
        frame(BINARY, data_of(MIB), fin=False) + frame(PING, b"?") + frame(CONT), TOO_BIG
    ),
    "5.4-nothing-arrives-before-the-last": refused(FIRST + NEXT + frame(3)),
    "5.4-continuation-alone": refused(LAST),
    "5.4-continuation-alone-without-fin": refused(NEXT),
    "5.4-continuation-alone-and-empty": refused(frame(CONT)),
    "5.4-continuation-alone-octet-wise": refused(LAST, chop=1),
    "5.4-continuation-after-a-message": refused(WHOLE + LAST, arrives=b"whole"),
    "5.4-continuation-after-a-fragmented-message": refused(
        FIRST + LAST + LAST, arrives=b"onethree"
    ),
    "5.4-continuation-without-fin-after-a-message": refused(WHOLE + NEXT + WHOLE, arrives=b"whole"),
    "5.4-binary-amid-fragments": refused(FIRST + WHOLE + LAST),
    "5.4-binary-without-fin-amid-fragments": refused(FIRST + FIRST + LAST),
    "5.4-empty-binary-amid-fragments": refused(FIRST + frame(BINARY) + LAST),
    "5.4-text-amid-fragments": refused(FIRST + frame(TEXT, b"text") + LAST),
    "5.4-text-without-fin-amid-fragments": refused(FIRST + frame(TEXT, b"text", fin=False) + LAST),
    "5.5-ping-without-fin": refused(frame(PING, fin=False)),
    "5.5-ping-in-two-fragments": refused(frame(PING, b"1", fin=False) + frame(CONT, b"2")),
    "5.5-pong-without-fin": refused(frame(PONG, b"x", fin=False)),
    "5.5-pong-in-two-fragments": refused(frame(PONG, b"1", fin=False) + frame(CONT, b"2")),
    "5.5-close-without-fin": refused(frame(CLOSE, close(NORMAL), fin=False)),
    "5.5-ping-without-fin-amid-fragments": refused(FIRST + frame(PING, fin=False) + LAST),
    "5.5-close-without-fin-amid-fragments": refused(FIRST + frame(CLOSE, fin=False) + LAST),
}

# Text is never spoken here, so it ends before anybody looks whether it is UTF-8.
TEXTS = {
    "5.6-text": refused(frame(TEXT, b"hello"), UNSUPPORTED),
    "5.6-text-empty": refused(frame(TEXT), UNSUPPORTED),
    "5.6-text-octet-wise": refused(frame(TEXT, b"hello"), UNSUPPORTED, chop=1),
    "5.6-text-of-several-bytes-a-letter": refused(
        frame(TEXT, "κόσμε-µ@ßöäüàá-😀".encode()), UNSUPPORTED
    ),
    "5.6-text-of-65536": refused(frame(TEXT, b"a" * 65536), UNSUPPORTED),
    "5.6-text-after-binary": refused(
        WHOLE + frame(TEXT, b"hello") + WHOLE, UNSUPPORTED, arrives=b"whole"
    ),
    "5.6-text-first-fragment": refused(frame(TEXT, b"he", fin=False), UNSUPPORTED),
    "5.6-text-in-fragments": refused(frame(TEXT, b"he", fin=False) + LAST, UNSUPPORTED),
    "5.6-text-in-empty-fragments": refused(
        frame(TEXT, fin=False) + frame(CONT, fin=False) + frame(CONT), UNSUPPORTED
    ),
    "5.6-text-of-a-key-event": refused(frame(TEXT, b"\x04\x01\x00\x00\x00\x00\x00a"), UNSUPPORTED),
    "8.1-text-no-utf-8": refused(frame(TEXT, b"\xce\xba\xff\xed\xa0\x80"), UNSUPPORTED),
    "8.1-text-cut-in-a-letter": refused(frame(TEXT, b"\xf0\x9f"), UNSUPPORTED),
    "8.1-text-cut-in-a-letter-in-fragments": refused(
        frame(TEXT, b"\xf0\x9f", fin=False) + frame(CONT, b"\x98\x80"), UNSUPPORTED
    ),
    "8.1-text-no-utf-8-in-a-fragment": refused(
        frame(TEXT, b"ok", fin=False) + frame(CONT, b"\xff"), UNSUPPORTED
    ),
    "5.6-text-too-big": refused(frame(TEXT, claim=MIB + 1), TOO_BIG),
    "5.6-any-byte-in-binary": Case(
        sent=frame(BINARY, bytes(range(256)) + b"\xed\xa0\x80"),
        arrives=bytes(range(256)) + b"\xed\xa0\x80",
    ),
}

VALID_CODES = (*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999)
INVALID_CODES = (
    *(0, 1, 255, 256, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999),
    *(5000, 9999, 65535),
)
CLOSES = {
    "5.5.1-close-empty": echoed(b""),
    "5.5.1-close-empty-octet-wise": echoed(b"", chop=1),
    "5.5.1-close-of-one-byte": refused(frame(CLOSE, b"\x03")),
    "5.5.1-close-of-one-zero": refused(frame(CLOSE, b"\0")),
    "5.5.1-close-with-a-reason": echoed(close(NORMAL, b"Hello World!")),
    "5.5.1-close-with-a-reason-octet-wise": echoed(close(NORMAL, b"Hello World!"), chop=1),
    "5.5.1-close-of-125-bytes": echoed(close(NORMAL, b"x" * 123)),
    "5.5.1-close-of-126-bytes": refused(frame(CLOSE, close(NORMAL, b"x" * 124))),
    "5.5.1-close-of-65536-bytes": refused(frame(CLOSE, close(NORMAL, b"x" * 65534))),
    "5.5.1-close-claims-2^63-1": refused(frame(CLOSE, claim=2**63 - 1), TOO_BIG),
    "5.5.1-data-before-close": Case(
        sent=WHOLE + frame(CLOSE, GOODBYE), arrives=b"whole", echo=GOODBYE
    ),
    "5.5.1-ping-before-close": Case(
        sent=frame(PING, b"?") + frame(CLOSE, GOODBYE), pongs=(b"?",), echo=GOODBYE
    ),
    "5.5.1-data-after-close": echoed(GOODBYE, after=WHOLE),
    "5.5.1-data-after-close-octet-wise": echoed(GOODBYE, after=WHOLE, chop=1),
    "5.5.1-256-kib-before-and-after-close": Case(
        sent=frame(BINARY, data_of(1000)) + frame(CLOSE, GOODBYE) + frame(BINARY, data_of(262144)),
        arrives=data_of(1000),
        echo=GOODBYE,
    ),
    "5.5.1-ping-after-close": echoed(GOODBYE, after=frame(PING, b"?")),
    "5.5.1-pong-after-close": echoed(GOODBYE, after=frame(PONG)),
    "5.5.1-close-twice": echoed(GOODBYE, after=frame(CLOSE, close(1001))),
    "5.5.1-nonsense-after-close": echoed(GOODBYE, after=b"\xff" * 100),
    # A message that will never end is a broken one.
    "5.4-close-amid-fragments": refused(FIRST + frame(CLOSE, GOODBYE)),
    "5.4-close-amid-fragments-then-the-rest": refused(FIRST + frame(CLOSE, GOODBYE) + LAST),
    "5.4-empty-close-amid-fragments": refused(FIRST + NEXT + frame(CLOSE)),
    "5.4-bad-close-amid-fragments": refused(FIRST + frame(CLOSE, close(1005)) + LAST),
    **{f"7.4.1-code-{code}": echoed(close(code)) for code in VALID_CODES if code < 3000},
    **{f"7.4.2-code-{code}": echoed(close(code)) for code in VALID_CODES if code >= 3000},
    **{
        f"7.4.{1 if 1000 <= code < 3000 else 2}-code-{code}": refused(frame(CLOSE, close(code)))
        for code in INVALID_CODES
    },
    "7.4.1-code-1005-with-a-reason": refused(frame(CLOSE, close(1005, b"none"))),
    "7.4.1-code-1006-octet-wise": refused(frame(CLOSE, close(1006)), chop=1),
}

# As in Markus Kuhn's decoder stress test, which Autobahn's group 6 goes by.
GOOD_REASONS = {
    "greek": "κόσμε".encode(),
    "first-of-1-byte": b"\x00",
    "first-of-2-bytes": b"\xc2\x80",
    "first-of-3-bytes": b"\xe0\xa0\x80",
    "first-of-4-bytes": b"\xf0\x90\x80\x80",
    "last-of-1-byte": b"\x7f",
    "last-of-2-bytes": b"\xdf\xbf",
    "last-of-3-bytes": b"\xef\xbf\xbf",
    "last-of-all": b"\xf4\x8f\xbf\xbf",
    "before-the-surrogates": b"\xed\x9f\xbf",
    "behind-the-surrogates": b"\xee\x80\x80",
    "the-replacement": b"\xef\xbf\xbd",
    "the-byte-order-mark": b"\xef\xbb\xbf",
}
BAD_REASONS = {
    "a-continuation-byte": b"\x80",
    "two-continuation-bytes": b"\x80\xbf",
    "a-lone-start-of-2": b"\xc3 ",
    "a-lone-start-of-3": b"\xe2 ",
    "a-lone-start-of-4": b"\xf0 ",
    "a-start-of-5": b"\xf8\x88\x80\x80\x80",
    "a-start-of-6": b"\xfc\x84\x80\x80\x80\x80",
    "cut-off-2": b"ab\xc3",
    "cut-off-3": b"\xe2\x82",
    "cut-off-4": b"\xf0\x9f\x98",
    "fe": b"\xfe",
    "ff": b"\xff",
    "overlong-slash-of-2": b"\xc0\xaf",
    "overlong-slash-of-3": b"\xe0\x80\xaf",
    "overlong-slash-of-4": b"\xf0\x80\x80\xaf",
    "overlong-nul": b"\xc0\x80",
    "overlong-last-of-2": b"\xc1\xbf",
    "overlong-last-of-3": b"\xe0\x9f\xbf",
    "overlong-last-of-4": b"\xf0\x8f\xbf\xbf",
    "the-first-surrogate": b"\xed\xa0\x80",
    "the-last-surrogate": b"\xed\xbf\xbf",
    "a-pair-of-surrogates": b"\xed\xa0\x80\xed\xb0\x80",
    "beyond-the-last": b"\xf4\x90\x80\x80",
    "far-beyond-the-last": b"\xf7\xbf\xbf\xbf",
    "at-the-very-end": b"x" * 122 + b"\xff",
    "latin-1": "fünf".encode("latin-1"),
}
REASONS = {
    **{f"8.1-reason-{name}": echoed(close(NORMAL, text)) for name, text in GOOD_REASONS.items()},
    **{
        f"8.1-bad-utf8-in-close-reason-{name}": refused(frame(CLOSE, close(NORMAL, text)), BAD_TEXT)
        for name, text in BAD_REASONS.items()
    },
}

CASES = {
    **LENGTHS,
    **MASKS,
    **PINGS,
    **BITS,
    **OPCODES,
    **FRAGMENTS,
    **TEXTS,
    **CLOSES,
    **REASONS,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_w14_frames_end_as_the_rfc_says(edge: Edge, case: Case) -> None:
    """What Xvnc got, what the browser got, and the end of both connections, to the byte.

    A case that goes on shows it by its own goodbye, which is echoed.
    """
    gate, desk = edge
    with joined(gate, desk) as (browser, xvnc):
        write(browser, case.sent, case.chop)
        arrived = receive(xvnc, len(case.arrives))
        if case.ends is None and case.echo is None:
            browser.sendall(frame(CLOSE, GOODBYE))
        *pongs, last = read_frames(read_all(browser))
        arrived += read_all(xvnc)
    assert arrived == case.arrives
    assert pongs == [Seen(PONG, payload) for payload in case.pongs]
    if case.ends is None:
        assert last == Seen(CLOSE, GOODBYE if case.echo is None else case.echo)
    else:
        assert last.code == case.ends
    wait_until(lambda: not gate.keeper.viewers)


SENT_BACK = {
    **{f"5.6-{size}-bytes-from-xvnc": (size, 0) for size in SIZES[1:]},
    **{f"5.6-{size}-bytes-from-xvnc-octet-wise": (size, 1) for size in SIZES[1:6]},
    **{f"5.6-{size}-bytes-from-xvnc-in-997s": (size, 997) for size in SIZES[6:]},
}


@pytest.mark.parametrize(("size", "chop"), SENT_BACK.values(), ids=SENT_BACK)
def test_w14_what_xvnc_sends_comes_in_binary_frames(edge: Edge, size: int, chop: int) -> None:
    """Every byte in order, and each head as the RFC has it of a server (`read_frame` looks)."""
    gate, desk = edge
    with joined(gate, desk) as (browser, xvnc):
        xvnc.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sending = threading.Thread(target=write, args=(xvnc, data_of(size), chop))
        sending.start()
        got = b""
        while len(got) < size:
            seen = read_frame(partial(receive, browser))
            assert seen.opcode == BINARY
            got += seen.payload
        sending.join()
    assert got == data_of(size)
