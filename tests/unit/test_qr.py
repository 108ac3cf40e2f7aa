"""QR codes: what a phone would read."""

from __future__ import annotations

import re

import segno

from deskgate.qr import draw

LINK = "https://desk.example.org/#token=" + "5f" * 32
BORDER = 2
# A character stands for two modules, one above the other: is the upper one light, and the lower?
HALVES = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}


def modules(lines: list[str]) -> list[list[bool]]:
    """Whether each module is dark, as a camera sees it on a dark theme."""
    rows = []
    for line in lines:
        for half in (0, 1):
            rows.append([not HALVES[char][half] for char in line])
    return rows


def test_the_drawing_is_the_code_of_the_link() -> None:
    """Module by module, with a light border around it."""
    drawn = modules(draw(LINK, colour=False))
    expected = segno.make(LINK, micro=False).matrix
    size = len(expected)
    inner = [row[BORDER : BORDER + size] for row in drawn[BORDER : BORDER + size]]
    assert inner == [[bool(dark) for dark in row] for row in expected]
    assert not any(any(row[:BORDER]) or any(row[-BORDER:]) for row in drawn[: size + BORDER])


def test_in_colours_light_is_light_on_any_theme() -> None:
    """Each line sets both, and takes them back."""
    plain, coloured = draw(LINK, colour=False), draw(LINK, colour=True)
    assert all(re.fullmatch("\x1b\\[97;40m[█▀▄ ]+\x1b\\[0m", line) for line in coloured)
    assert [line[8:-4] for line in coloured] == plain
