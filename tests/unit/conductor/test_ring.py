"""The newest lines, numbered, in a bounded place."""

from __future__ import annotations

from deskgate.conductor.ring import Line, Ring


def test_lines_are_kept_under_their_numbers() -> None:
    """A reader asks for the next one."""
    ring = Ring(max_bytes=100)
    assert (ring.first, ring.end) == (0, 0)
    ring.add(("gate",), b"one")
    ring.add(("deskgate", "xvnc"), b"two")
    assert (ring.first, ring.end) == (0, 2)
    assert [ring.line(at) for at in (0, 1)] == [
        Line(("gate",), b"one"),
        Line(("deskgate", "xvnc"), b"two"),
    ]


def test_the_oldest_lines_go_and_the_numbers_stay() -> None:
    """In bytes, not in lines; one line may take the place of several."""
    ring = Ring(max_bytes=10)
    for number in range(5):
        ring.add(("app",), b"%d23" % number)
    assert (ring.first, ring.end) == (2, 5)
    assert ring.line(2).data == b"223"
    ring.add(("app",), b"x" * 8)
    assert (ring.first, ring.end) == (5, 6)
    ring.add(("app",), b"x" * 11)
    assert (ring.first, ring.end) == (7, 7)
