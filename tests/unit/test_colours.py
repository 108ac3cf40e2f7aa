"""When a terminal gets colours."""

from __future__ import annotations

import pytest

from deskgate.colours import BOLD, is_capable, level, paint, wanted

# Variables, whether it is a terminal → whether it understands escapes, whether it gets colours.
CASES = {
    "a terminal": ({"TERM": "xterm"}, True, (True, True)),
    "no terminal": ({"TERM": "xterm"}, False, (False, False)),
    "a dumb one": ({"TERM": "dumb"}, True, (False, False)),
    "one without a name": ({}, True, (False, False)),
    "NO_COLOR": ({"TERM": "xterm", "NO_COLOR": "1"}, True, (True, False)),
    "NO_COLOR with any value": ({"TERM": "xterm", "NO_COLOR": "0"}, True, (True, False)),
    "an empty NO_COLOR": ({"TERM": "xterm", "NO_COLOR": ""}, True, (True, True)),
}


@pytest.mark.parametrize(("environ", "terminal", "expected"), CASES.values(), ids=CASES)
def test_colours_are_for_terminals_of_people_who_want_them(
    environ: dict[str, str], terminal: bool, expected: tuple[bool, bool]
) -> None:
    """NO_COLOR forbids colours, not the rewriting of a line."""
    found = (is_capable(environ, terminal=terminal), wanted(environ, terminal=terminal))
    assert found == expected


def test_paint_leaves_the_text_whole() -> None:
    """And adds nothing where colours are off, or to nothing."""
    assert paint("text", BOLD, on=True) == "\x1b[1mtext\x1b[0m"
    assert paint("text", BOLD, on=False) == "text"
    assert paint("", BOLD, on=True) == ""


def test_only_what_a_person_should_see_is_painted() -> None:
    """Of the levels."""
    assert level("warning", on=True) == "\x1b[33mwarning\x1b[0m"
    assert level("error", on=True) == "\x1b[31merror\x1b[0m"
    assert level("info", on=True) == "info"
    assert level("error", on=False) == "error"
