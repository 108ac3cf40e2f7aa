"""A watcher's bytes, cut and packed to slip by, and floods of them, against real Xvnc."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable, Iterable

import pytest
from websockets.exceptions import ConnectionClosed

from deskgate.testing.viewer import Viewer
from tests.messages import (
    CAPS,
    EVERY_EXTENSION,
    EXTENSIONS,
    PROVIDE,
    TEXT,
    bomb,
    capabilities,
    continuous_updates,
    cut_text,
    desktop_size,
    extended,
    fence,
    key,
    pointer,
    qemu_key,
    set_encodings,
    set_pixel_format,
    update_request,
)

from .attempts import FORBIDDEN
from .running import close_code, join
from .samples import VIEW
from .xvnc import Desktop, dealt_with

MEBIBYTE = 1 << 20
WATCHED_SECONDS = 2.0

GLUE = {
    "SetPixelFormat": set_pixel_format(32, 24),
    "SetEncodings": EVERY_EXTENSION,
    "FramebufferUpdateRequest": update_request(),
    "EnableContinuousUpdates": continuous_updates(on=True) + continuous_updates(on=False),
    "ClientFence": fence(b"a fence"),
    "an empty ClientCutText": cut_text(b""),
    "the extended clipboard's caps": capabilities(1 << 20),
}


@pytest.mark.parametrize(("message", "effect"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_r8_a_split_message_has_no_effect(desktop: Desktop, message: bytes, effect: str) -> None:
    """At every byte: Xvnc has read the first part before the second is sent."""
    with desktop.both() as (_, controller):
        for cut in range(1, len(message)):
            with desktop.viewer(VIEW) as watcher:
                watcher.send(EVERY_EXTENSION)
                desktop.swallow(watcher, message[:cut])
                watcher.send(message[cut:])
                dealt_with(watcher)
            assert desktop.witness.told() == []
        # Not earlier: up to 1.15, Xvnc loses step when the head of SetDesktopSize is split.
        desktop.swallow(controller, message[:-1])
        controller.send(message[-1:])
        dealt_with(controller)
        assert effect in " ".join(desktop.witness.told())


@pytest.mark.parametrize(("message", "effect"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_r8_a_message_behind_an_allowed_one_has_no_effect(
    desktop: Desktop, message: bytes, effect: str
) -> None:
    """In one WebSocket message, before and behind each that a watcher may send."""
    with desktop.both() as (_, controller):
        for allowed in GLUE.values():
            with desktop.viewer(VIEW) as watcher:
                watcher.send(EVERY_EXTENSION + allowed + message + allowed)
                dealt_with(watcher)
            assert desktop.witness.told() == []
        controller.send(GLUE["SetPixelFormat"] + message + GLUE["SetPixelFormat"])
        dealt_with(controller)
        assert effect in " ".join(desktop.witness.told())


def packed(messages: Iterable[bytes]) -> bytes:
    """SetEncodings of 100 KiB, in which messages stand at every offset that a number has."""
    content = b"".join(bytes(at % 4) + each for at, each in enumerate([*messages] * 700))
    numbers = struct.unpack(">25600i", content[:102_400])
    return set_encodings(*EXTENSIONS, *numbers)


def test_r8_messages_inside_a_long_one_are_none(desktop: Desktop) -> None:
    """From control either: Xvnc knows where SetEncodings ends, however it is cut into frames."""
    long = packed(message for message, _ in FORBIDDEN.values())
    sizes = (len(long), 65_536, 4096, 12, 7)
    with desktop.both() as viewers:
        for viewer in viewers:
            for size in sizes:
                for at in range(0, len(long), size):
                    viewer.send(long[at : at + size])
                viewer.fence()
            assert desktop.witness.told() == []
        watcher, controller = viewers
        watcher.send(long + pointer(333, 333))
        watcher.fence()
        assert desktop.witness.told() == []
        controller.send(long + pointer(444, 444))
        controller.fence()
        assert desktop.witness.told() == ["pointer moved to 444, 444"]


def test_r8_x_stays_quiet_long_after_all_of_it(desktop: Desktop) -> None:
    """Nothing is put off: every message, and two seconds in which nothing happens on X."""
    with desktop.both() as (_, controller):
        before = desktop.witness.state()
        for message, _ in FORBIDDEN.values():
            with desktop.viewer(VIEW) as watcher:
                watcher.send(EVERY_EXTENSION + message)
                dealt_with(watcher)
        until = time.monotonic() + WATCHED_SECONDS
        while time.monotonic() < until:
            assert desktop.witness.told() == []
            time.sleep(0.05)
        assert desktop.witness.state() == before
        controller.send(pointer(7, 8))
        controller.fence()
        assert desktop.witness.told() == ["pointer moved to 7, 8"]


CHANCE = random.Random(4)  # noqa: S311 - always the same bytes
NOISE = CHANCE.randbytes(MEBIBYTE)


def number(bits: int) -> int:
    return CHANCE.getrandbits(bits)


# Messages that Xvnc can read, of random content.
MAKERS: tuple[Callable[[], bytes], ...] = (
    lambda: set_pixel_format(32, 24),
    lambda: set_encodings(*EXTENSIONS, *(number(31) for _ in range(number(5)))),
    lambda: key(number(32), down=bool(number(1))),
    lambda: pointer(number(16), number(16), number(7)),
    lambda: cut_text(CHANCE.randbytes(number(12))),
    lambda: qemu_key(number(32), number(32), down=bool(number(1))),
    lambda: continuous_updates(on=bool(number(1))),
    update_request,
)
BABBLE = b"".join(CHANCE.choice(MAKERS)() for _ in range(1500))

# What a watcher sends, and whether Xvnc sends him away for it; None: 1.12 does, 1.15 does not.
FLOODS: dict[str, tuple[list[bytes], bool | None]] = {
    "type 99": ([b"\x63"], True),
    "a text of 2^31 bytes": ([cut_text(b"", 2**31), bytes(MEBIBYTE)], True),
    "a text of 2^31-1 bytes": ([cut_text(b"", 2**31 - 1), bytes(MEBIBYTE)], True),
    "a text of 2^32-1 bytes": ([cut_text(b"", 2**32 - 1), bytes(MEBIBYTE)], True),
    "a text of 200 MB, extended": ([cut_text(b"", 2**32 - 200_000_000), bytes(MEBIBYTE)], True),
    "65535 encodings": ([set_encodings(*range(65535 - len(EXTENSIONS)), *EXTENSIONS)], False),
    "a fence of 65 bytes": ([fence(bytes(65))], False),
    "a fence of 255 bytes": ([fence(bytes(255))], False),
    "a zlib bomb": ([bomb(200 * MEBIBYTE, 200 * MEBIBYTE)], None),
    "a zlib bomb that says it is small": ([bomb(100, 200 * MEBIBYTE)], False),
    "a broken zlib stream": ([extended(PROVIDE | TEXT, b"no zlib")], True),
    "caps of nothing": ([extended(CAPS | 0xFFFF)], True),
    "a desktop of 255 screens": ([desktop_size(640, 480, 255)], False),
    "noise": ([NOISE] * 8, True),
    "64 MiB of babble": ([BABBLE] * (64 * MEBIBYTE // len(BABBLE) + 1), False),
    "64 MiB in one text": ([cut_text(b"", 2**31 - 1), *[NOISE] * 64], True),
}


@pytest.mark.parametrize(("flood", "ends"), FLOODS.values(), ids=FLOODS)
def test_r9_a_flood_ends_its_sender_at_most(
    desktop: Desktop, flood: list[bytes], ends: bool | None
) -> None:
    """Xvnc grows by less than 40 MiB, X does not hear of it, and the others go on."""
    with desktop.both() as (watcher, controller), desktop.bounded(40):
        with desktop.gate.view(VIEW, max_queue=None) as sender:
            join(sender)
            sender.send(EVERY_EXTENSION)
            ended = False
            try:
                for part in flood:
                    sender.send(part)
                sender.send(fence(b"the last word"))
                while b"the last word" not in sender.recv(5):
                    pass
            except ConnectionClosed:
                ended = close_code(sender) == 1011
        assert ends in (None, ended)
        assert desktop.witness.told() == []
        watcher.settle()
        controller.send(pointer(5, 6))
        controller.settle()
        assert desktop.witness.told() == ["pointer moved to 5, 6"]


def test_r9_growth_is_seen(desktop: Desktop) -> None:
    """The measure of the test above: a screen of 64 MiB is too much for it."""

    def grow(controller: Viewer) -> None:
        with desktop.bounded(40):
            controller.send(desktop_size(4096, 4096))
            controller.fence()

    with desktop.both() as (_, controller), pytest.raises(AssertionError, match="Xvnc grew by"):
        grow(controller)
