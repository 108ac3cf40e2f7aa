"""The crowd in which one makes room."""

from __future__ import annotations

from deskgate.gate.limits import Crowd


def one_address(each: str) -> str:
    return "192.0.2.7"


def test_the_oldest_makes_room_for_the_newest() -> None:
    """Silent connections cannot keep a person out."""
    crowd: Crowd[str] = Crowd(2, lambda each: False, one_address)
    assert crowd.add("a") is None
    assert crowd.add("b") is None
    assert crowd.add("c") == "a"
    assert len(crowd) == 2


def test_who_does_nothing_goes_before_the_oldest() -> None:
    """A person whose request has begun stays, however many silent connections come after."""
    crowd: Crowd[str] = Crowd(3, lambda each: each.startswith("silent"), one_address)
    for each in ("person", "silent 1", "silent 2"):
        assert crowd.add(each) is None
    assert crowd.add("silent 3") == "silent 1"
    assert crowd.add("another person") == "silent 2"
    assert crowd.add("yet another") == "silent 3"
    assert crowd.add("one more") == "person"


def test_who_is_here_already_takes_no_second_place() -> None:
    """Nor does it go for itself."""
    crowd: Crowd[str] = Crowd(1, lambda each: True, one_address)
    assert crowd.add("a") is None
    assert crowd.add("a") is None
    assert crowd.add("b") == "a"


def test_who_left_takes_no_place() -> None:
    """And leaving twice is no error."""
    crowd: Crowd[str] = Crowd(1, lambda each: False, one_address)
    crowd.add("a")
    crowd.remove("a")
    crowd.remove("a")
    assert crowd.add("b") is None


def test_who_goes_is_of_the_address_with_the_most() -> None:
    """A flood from one address pushes nobody out who comes from another."""
    crowd: Crowd[str] = Crowd(3, lambda each: True, lambda each: each.split()[0])
    for each in ("person 1", "flood 1", "flood 2"):
        assert crowd.add(each) is None
    assert [crowd.add(f"flood {number}") for number in (3, 4, 5)] == [
        "flood 1",
        "flood 2",
        "flood 3",
    ]
