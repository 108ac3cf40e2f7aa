"""The crowd in which the oldest makes room."""

from __future__ import annotations

from deskgate.gate.limits import Oldest


def test_the_oldest_makes_room_for_the_newest() -> None:
    """Silent connections cannot keep a person out."""
    crowd: Oldest[str] = Oldest(2)
    assert crowd.add("a") is None
    assert crowd.add("b") is None
    assert crowd.add("c") == "a"
    assert len(crowd) == 2


def test_who_left_takes_no_place() -> None:
    """And leaving twice is no error."""
    crowd: Oldest[str] = Oldest(1)
    crowd.add("a")
    crowd.remove("a")
    crowd.remove("a")
    assert crowd.add("b") is None
