"""How many wrong tokens an address may show."""

from __future__ import annotations

import pytest

from deskgate.gate import limits
from deskgate.gate.failures import Failures, network_of

from .running import Gate
from .samples import CONTROL

WRONG = "Authorization: Bearer " + "x" * 64
RIGHT = f"Authorization: Bearer {CONTROL}"


def test_ten_at_once_and_then_one_in_six_seconds() -> None:
    """Security design, 3.5."""
    failures = Failures()
    assert [failures.charge("192.0.2.7", 100.0) for _ in range(10)] == [0.0] * 10
    assert failures.charge("192.0.2.7", 100.0) == 6.0
    assert failures.charge("192.0.2.7", 104.0) == 2.0
    assert failures.charge("192.0.2.7", 106.0) == 0.0
    assert failures.charge("192.0.2.7", 106.0) == 6.0


def test_a_quiet_minute_gives_all_ten_back() -> None:
    """And no more than ten."""
    failures = Failures()
    for moment in (100.0, 1000.0):
        assert [failures.charge("192.0.2.7", moment) for _ in range(10)] == [0.0] * 10
        assert failures.charge("192.0.2.7", moment) > 0


def test_each_address_has_its_own() -> None:
    """One guesser limits nobody else's typing errors."""
    failures = Failures()
    while not failures.charge("192.0.2.7", 100.0):
        pass
    assert failures.charge("192.0.2.8", 100.0) == 0.0


def test_a_household_has_one_network_in_ipv6() -> None:
    """It may use each of 2^64 addresses."""
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1")
    assert network_of("2001:db8::1") != network_of("2001:db8:0:1::1")
    assert network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("a\0b") == "a\0b"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was quiet for longest is forgotten."""
    monkeypatch.setattr(limits, "FAILURE_PEERS", 2)
    failures = Failures()
    for who in ("a", "b", "a", "c"):
        failures.charge(who, 100.0)
    assert list(failures._empty_at) == ["a", "c"]


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (f"GET / HTTP/1.1\r\n{WRONG}", b""),
        (f"GET /websockify?token={'x' * 64} HTTP/1.1", b""),
        (f"GET /websockify?ticket={'x' * 32} HTTP/1.1", b""),
        (
            "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            "Content-Length: 7",
            b"token=x",
        ),
    ],
    ids=["bearer", "query", "ticket", "form"],
)
def test_h13_wrong_tokens_are_limited_and_the_right_one_never(
    gate: Gate, head: str, body: bytes
) -> None:
    """Behind Docker's proxy all people have one address: the owner shares the guesser's."""
    assert [gate.status(head, body) for _ in range(limits.FAILURES)] == [401] * limits.FAILURES
    answer = gate.ask(head, body)
    assert answer.startswith(b"HTTP/1.1 429 ")
    wait = int(answer.partition(b"Retry-After: ")[2].split(b"\r\n")[0])
    assert 1 <= wait <= limits.FAILURE_SECONDS
    assert gate.status(f"GET /vnc.html HTTP/1.1\r\n{RIGHT}") == 200
    with gate.view():
        pass
    assert gate.status(f"GET / HTTP/1.1\r\n{WRONG}") == 429


def test_who_shows_nothing_is_not_limited(gate: Gate) -> None:
    """A page that is loaded before its link is known is no guess; nor is an old cookie."""
    for header in ("X: y", "Cookie: vnc_00000000=v1.old"):
        assert {gate.status(f"GET / HTTP/1.1\r\n{header}") for _ in range(15)} == {401}
