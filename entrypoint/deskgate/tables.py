"""Tables for people: columns as wide as they need, states in their colours. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from deskgate.colours import BOLD, GREEN, RED, YELLOW, paint
from deskgate.errors import printable

STATES: Final = {
    **dict.fromkeys(("ready", "done", "live"), GREEN),
    **dict.fromkeys(("waiting", "starting", "stopping"), YELLOW),
    **dict.fromkeys(("failed", "stopped", "expired"), RED),
}


def format_table(table: Iterable[Iterable[object]], *, colour: bool) -> list[str]:
    """Rows as columns, `-` for None; the first row is the head."""
    rows = [["-" if each is None else printable(str(each)) for each in row] for row in table]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_cells(row, widths, rows[0] if colour else [])).rstrip() for row in rows]
    return [paint(lines[0], BOLD, on=colour), *lines[1:]]


def _cells(row: list[str], widths: list[int], head: list[str]) -> Iterable[str]:
    for at, (text, width) in enumerate(zip(row, widths, strict=True)):
        # Padded outside of the colours: an escape sequence takes no room.
        painted = head[at : at + 1] == ["STATE"] and text in STATES
        yield paint(text, STATES.get(text, ""), on=painted) + " " * (width - len(text))
