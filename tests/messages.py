"""What an RFB client can send (RFC 6143, 7.5, and rfbproto.rst): each message as its bytes."""

from __future__ import annotations

import struct
import zlib

# Pseudo-encodings, with which a client says that it knows an extension.
EXTENDED_CLIPBOARD = -0x3F5E1A32  # 0xC0A1E5CE
EXTENDED_DESKTOP_SIZE = -308
EXTENDED_MOUSE_BUTTONS = -316
CONTINUOUS_UPDATES = -313
FENCE = -312
QEMU_KEY_EVENT = -258
EXTENSIONS = (
    *(EXTENDED_CLIPBOARD, EXTENDED_DESKTOP_SIZE, EXTENDED_MOUSE_BUTTONS),
    *(CONTINUOUS_UPDATES, FENCE, QEMU_KEY_EVENT),
)
# Extended clipboard: the one format, and what to do with it.
TEXT = 1
CAPS, REQUEST, PEEK, NOTIFY, PROVIDE = (1 << bit for bit in range(24, 29))


def set_pixel_format(bits: int = 16, depth: int = 16) -> bytes:
    """SetPixelFormat: little-endian, true colour, five or six bits each."""
    return struct.pack(">BxxxBBBBHHHBBBxxx", 0, bits, depth, 0, 1, 31, 63, 31, 11, 5, 0)


def set_encodings(*numbers: int) -> bytes:
    """SetEncodings."""
    return struct.pack(f">BxH{len(numbers)}i", 2, len(numbers), *numbers)


EVERY_EXTENSION = set_encodings(*EXTENSIONS)


def update_request() -> bytes:
    """FramebufferUpdateRequest of one pixel as it is now."""
    return struct.pack(">BBHHHH", 3, 0, 0, 0, 1, 1)


def key(keysym: int, *, down: bool = True) -> bytes:
    """KeyEvent."""
    return struct.pack(">BBxxI", 4, down, keysym)


def qemu_key(keysym: int, keycode: int, *, down: bool = True) -> bytes:
    """QEMU's extended key event: an XT scan code beside the keysym."""
    return struct.pack(">BBHII", 255, 0, down, keysym, keycode)


def pointer(x: int, y: int, buttons: int = 0) -> bytes:
    """PointerEvent."""
    return struct.pack(">BBHH", 5, buttons, x, y)


def many_buttons(x: int, y: int, buttons: int) -> bytes:
    """PointerEvent with the buttons above the seventh in a byte of their own."""
    return struct.pack(">BBHHB", 5, 0x80 | buttons & 0x7F, x, y, buttons >> 7)


def cut_text(text: bytes, length: int | None = None) -> bytes:
    """ClientCutText in Latin-1, with its own or another length."""
    return struct.pack(">BxxxI", 6, len(text) if length is None else length) + text


def extended(flags: int, data: bytes = b"") -> bytes:
    """ClientCutText of the extended clipboard."""
    return struct.pack(">BxxxiI", 6, -4 - len(data), flags) + data


def provided(text: bytes) -> bytes:
    """Text as the extended clipboard's `provide` has it: with its length and NUL, deflated."""
    return extended(PROVIDE | TEXT, zlib.compress(struct.pack(">I", len(text) + 1) + text + b"\0"))


def text_of(data: bytes) -> bytes:
    """The text in the data of a `provide`."""
    return zlib.decompressobj().decompress(data)[4:].rstrip(b"\0")


def bomb(claimed: int, real: int) -> bytes:
    """`provide` of a text whose length is said to be one, and once inflated is another."""
    packer = zlib.compressobj(9)
    packed = [packer.compress(struct.pack(">I", claimed))]
    packed += [packer.compress(bytes(1 << 20)) for _ in range(real >> 20)]
    return extended(PROVIDE | TEXT, b"".join(packed) + packer.flush())


def capabilities(size: int) -> bytes:
    """The extended clipboard's `caps`: every action, and texts up to a size unasked."""
    actions = CAPS | REQUEST | PEEK | NOTIFY | PROVIDE
    return extended(actions | TEXT, struct.pack(">I", size))


def continuous_updates(*, on: bool) -> bytes:
    """EnableContinuousUpdates, of a corner."""
    return struct.pack(">BBHHHH", 150, on, 0, 0, 64, 64)


def fence(payload: bytes = b"", flags: int = 0x80000000) -> bytes:
    """ClientFence that asks for an answer."""
    return struct.pack(">BxxxIB", 248, flags, len(payload)) + payload


def xvp(code: int) -> bytes:
    """xvp: 2 shuts down, 3 reboots, 4 resets."""
    return struct.pack(">BxBB", 250, 1, code)


def desktop_size(width: int, height: int, screens: int = 1) -> bytes:
    """SetDesktopSize, the screens side by side."""
    share = width // screens
    each = [
        struct.pack(">IHHHHI", number, number * share, 0, share, height, 0)
        for number in range(screens)
    ]
    return struct.pack(">BxHHBx", 251, width, height, screens) + b"".join(each)


def gii() -> bytes:
    """gii: a device of its own is made (General Input Interface)."""
    body = b"mouse".ljust(32, b"\0") + bytes(24)
    return struct.pack(">BBH", 253, 0x80 | 2, len(body)) + body
