"""QR codes for a terminal. Pure."""

from __future__ import annotations

import io

from deskgate.colours import WHITE_ON_BLACK, paint


def draw(text: str, *, colour: bool) -> list[str]:
    """The lines of a QR code that a phone reads from the terminal.

    Args:
        colour: say which part is light; without, it is light on a dark theme alone, and phones
            that read no inverted code fail on the other.
    """
    import segno  # late: 30 ms, and few ask for it

    drawn = io.StringIO()
    segno.make(text, micro=False).terminal(drawn, compact=True, border=2)
    return [paint(line, WHITE_ON_BLACK, on=colour) for line in drawn.getvalue().splitlines()]
