"""Colours for people: when a terminal gets them, and how a word is painted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

BOLD: Final = "1"
DIM: Final = "2"
RED: Final = "31"
GREEN: Final = "32"
YELLOW: Final = "33"
# White on black, whatever the theme: a QR code's light parts must be the lighter ones.
WHITE_ON_BLACK: Final = "97;40"
LEVELS: Final = {"error": RED, "warning": YELLOW}


def is_capable(environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether a stream understands escape sequences.

    Args:
        terminal: whether it is a terminal at all.
    """
    return terminal and environ.get("TERM", "") not in ("", "dumb")


def wanted(environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to use colours: `NO_COLOR` with any value says no (https://no-color.org)."""
    return is_capable(environ, terminal=terminal) and not environ.get("NO_COLOR")


def paint(text: str, colour: str, *, on: bool) -> str:
    """The text in a colour, if they are on."""
    return f"\x1b[{colour}m{text}\x1b[0m" if on and text else text


def level(name: str, *, on: bool) -> str:
    """The name of a log level in its colour."""
    return paint(name, LEVELS[name], on=on) if name in LEVELS else name
