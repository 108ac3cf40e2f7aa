"""What is held back when our processes load, and that nobody misses it."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from deskgate.lean import StandIn, holding_back

from .fresh import loaded, python

BASICS = "from deskgate.lean import load_basics; load_basics()"


def test_a_stand_in_fetches_what_it_does_not_have() -> None:
    """The true module's, whoever asks, and its own come first."""
    stand_in = StandIn("colorsys", ONE_THIRD=3)
    assert stand_in.ONE_THIRD == 3
    assert stand_in.rgb_to_yiq(1.0, 1.0, 1.0)[0] == pytest.approx(1.0)
    with pytest.raises(AttributeError, match="module 'colorsys' has no attribute 'lightness'"):
        stand_in.lightness  # noqa: B018
    with pytest.raises(AttributeError, match="__path__"):
        stand_in.__path__  # noqa: B018


def test_a_stand_in_gives_up_its_place_when_it_is_not_enough() -> None:
    """The next importer gets the true module."""
    program = """
from deskgate.lean import StandIn
sys.modules["colorsys"] = StandIn("colorsys")
from colorsys import rgb_to_yiq
import colorsys
print(type(colorsys).__name__, colorsys.rgb_to_yiq is rgb_to_yiq)
"""
    assert python(program) == "module True"


@pytest.mark.parametrize("stand_in", [None, ModuleType("nothing.such")], ids=["none", "one"])
def test_what_is_held_back_is_so_for_the_time_only(stand_in: ModuleType | None) -> None:
    """Afterwards it can be imported."""
    with holding_back("nothing.such", stand_in):
        assert sys.modules["nothing.such"] is stand_in
    assert "nothing.such" not in sys.modules


def test_what_is_loaded_is_not_held_back() -> None:
    """Whoever has it goes on with it."""
    with holding_back("sys", None):
        assert sys.modules["sys"] is sys
    assert sys.modules["sys"] is sys


def test_the_basics_come_without_inspect_and_openssl() -> None:
    """And can still be had by who needs them."""
    found = loaded(f"{BASICS}; import dataclasses, hashlib, hmac, deskgate.errors")
    assert found & {"inspect", "ast", "_hashlib", "_ssl"} == set()
    assert {"inspect", "ssl"} <= loaded(f"{BASICS}; import inspect, ssl")


# FIPS 180-2, B.1; FIPS 180-1, A; RFC 4231, 4.3
DIGESTS = {
    "hashlib.sha256(b'abc').hexdigest()": (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    ),
    "hashlib.sha1(b'abc', usedforsecurity=False).hexdigest()": (
        "a9993e364706816aba3e25717850c26c9cd0d89d"
    ),
    "hmac.digest(b'Jefe', b'what do ya want for nothing?', 'sha256').hex()": (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    "hmac.compare_digest(b'a', b'a'), hmac.compare_digest('a', 'b')": "True False",
}


@pytest.mark.parametrize(("asked", "answer"), DIGESTS.items(), ids=DIGESTS)
def test_hashes_without_openssl_are_those_of_the_standards(asked: str, answer: str) -> None:
    """The published examples."""
    assert python(f"{BASICS}; import hashlib, hmac; print({asked})") == answer


def test_a_dataclass_is_the_same_without_inspect() -> None:
    """Its own fields and the inherited; inspect comes when one has no docstring."""
    program = f"""
{BASICS}
from dataclasses import dataclass, fields
@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    "One."
    a: int
@dataclass(frozen=True, kw_only=True, slots=True)
class More(Base):
    "Two."
    b: int = 2
print([each.name for each in fields(More)], More(a=1), "inspect" in sys.modules)
@dataclass(frozen=True, kw_only=True)
class Bare(Base):
    c: int = 3
print(Bare.__doc__)
"""
    assert python(program).splitlines() == [
        "['a', 'b'] More(a=1, b=2) False",
        "Bare(*, a: int, c: int = 3)",
    ]
