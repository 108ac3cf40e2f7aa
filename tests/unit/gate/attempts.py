"""What a watcher may try: a message, and what its effect looks like on X."""

from __future__ import annotations

from tests.messages import (
    NOTIFY,
    TEXT,
    cut_text,
    desktop_size,
    extended,
    key,
    many_buttons,
    pointer,
    qemu_key,
)

Attempts = dict[str, tuple[bytes, str]]

KEYS: Attempts = {
    "a letter": (key(ord("v")), "key down"),
    "a letter that no key has": (key(0x0101F600), "key down"),
    "a modifier": (key(0xFFE1), "key down"),
}
POINTERS: Attempts = {
    "a movement": (pointer(222, 223), "pointer moved to 222, 223"),
    "a button": (pointer(1, 1, 0b10), "button down 2"),
    "the wheel": (pointer(1, 1, 0b10000), "button down 5"),
    # Xvnc 1.12 knows no more than seven: it moves the pointer, and trips over the eighth.
    "the eighth button": (many_buttons(222, 223, 1 << 7), "pointer moved to 222, 223"),
}
CLIPBOARDS: Attempts = {
    "a text": (cut_text(b"evil"), "selection CLIPBOARD taken"),
    "an empty text": (cut_text(b""), "selection CLIPBOARD taken"),
    "the extended clipboard's notice": (extended(NOTIFY | TEXT), "selection PRIMARY taken"),
}
SIZES: Attempts = {
    "another size": (desktop_size(700, 500), "size 700x500"),
    "two screens": (desktop_size(640, 480, 2), "screen changed"),
}
QEMU_KEYS: Attempts = {"a letter": (qemu_key(ord("v"), 0x2F), "key down")}
FORBIDDEN: Attempts = {
    f"{kind}: {name}": attempt
    for kind, attempts in {
        "key": KEYS,
        "pointer": POINTERS,
        "clipboard": CLIPBOARDS,
        "size": SIZES,
        "QEMU key": QEMU_KEYS,
    }.items()
    for name, attempt in attempts.items()
}
