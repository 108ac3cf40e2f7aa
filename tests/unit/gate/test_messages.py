"""How rules look at a request's headers."""

from __future__ import annotations

from deskgate.gate.messages import Request

ASKED = Request(
    method="GET",
    target="/",
    headers=(
        ("host", "a"),
        ("accept", "text/html, , application/json"),
        ("accept", " text/plain "),
        ("x-empty", " , "),
    ),
)


def test_every_line_of_a_header_counts() -> None:
    """In the order they came; another name is not it."""
    assert ASKED.all("accept") == ["text/html, , application/json", " text/plain "]
    assert ASKED.all("accep") == []


def test_only_a_header_that_stands_alone_has_one_value() -> None:
    """Of two, each program may read another."""
    assert ASKED.one("host") == "a"
    assert ASKED.one("accept") is None
    assert ASKED.one("cookie") is None


def test_the_words_of_all_lines_are_one_list() -> None:
    """RFC 9110, 5.3 and 5.6.1: lines are joined by commas, and empty elements are none."""
    assert ASKED.words("accept") == ["text/html", "application/json", "text/plain"]
    assert ASKED.words("x-empty") == []
