"""Reading the PNGs that the gate writes: 8 bits a colour, no filter (W3C PNG, third edition)."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and pixels, row by row, of a PNG without filters."""
    assert png.startswith(SIGNATURE)
    width, height = struct.unpack(">II", png[16:24])
    data = png[png.index(b"IDAT") + 4 :]
    rows = zlib.decompress(data[:-16])
    found = []
    for row in range(height):
        line = rows[row * (width * 3 + 1) :][: width * 3 + 1]
        assert line[0] == 0
        found += [line[at : at + 3] for at in range(1, len(line), 3)]
    return width, height, found
