"""Tables: columns that stand below each other, in colours or not."""

from __future__ import annotations

import re

from deskgate.tables import format_table

TABLE = [
    ("PROGRAM", "STATE", "PID"),
    ("gate", "ready", 20),
    ("failed", "failed", None),
]


def test_columns_are_as_wide_as_they_need() -> None:
    """`-` for what there is not, and no spaces at the end of a line."""
    assert format_table(TABLE, colour=False) == [
        "PROGRAM  STATE   PID",
        "gate     ready   20",
        "failed   failed  -",
    ]


def test_colours_are_for_the_head_and_the_states() -> None:
    """Not for a program that is called like one; and they take no room."""
    head, ready, failed = format_table(TABLE, colour=True)
    assert head == "\x1b[1mPROGRAM  STATE   PID\x1b[0m"
    assert ready == "gate     \x1b[32mready\x1b[0m   20"
    assert failed == "failed   \x1b[31mfailed\x1b[0m  -"
    plain = [re.sub(r"\x1b\[\d+m", "", line) for line in (head, ready, failed)]
    assert plain == format_table(TABLE, colour=False)


def test_a_cell_steers_no_terminal() -> None:
    """A desktop's program of our own uid could have written it."""
    (_, row) = format_table([("PROGRAM",), ("a\x1b[2Jb",)], colour=True)
    assert row == r"a\x1b[2Jb"
