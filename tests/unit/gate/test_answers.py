"""Answers that more than one rule gives, and what goes on the wire with them."""

from __future__ import annotations

import pytest

from deskgate.gate import limits
from deskgate.gate.answers import (
    json_headers,
    on_the_wire,
    plain,
    too_many,
    unauthorised,
    unavailable,
)
from deskgate.gate.messages import Answer

from .samples import PAGE, context

DATE = "Thu, 01 Jan 1970 00:00:00 GMT"


def test_a_refusal_tells_its_status_and_no_more() -> None:
    """Not the path, the reason or who we are; and it is kept nowhere."""
    refused = plain(context(), 405, ("Allow", "GET"), close=True)
    assert (refused.status, refused.body, refused.close) == (405, b"405\n", True)
    headers = dict(refused.headers)
    assert headers["Allow"] == "GET"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert not plain(context(), 404).close


@pytest.mark.parametrize(("status", "word"), [(403, "PUBLIC_URL"), (426, "proxy"), (503, "again")])
def test_a_refusal_says_what_to_do_next(status: int, word: str) -> None:
    """Whoever meets it can do something about it."""
    body = plain(context(), status).body.decode()
    assert body.startswith(f"{status} ")
    assert body.endswith("\n")
    assert word in body


def test_a_stranger_gets_our_page_and_its_end() -> None:
    """With the page's own policy; a dead cookie is told to go."""
    gone = ("Set-Cookie", "vnc_1=; Max-Age=0")
    answer = unauthorised(context(), (gone,))
    assert (answer.status, answer.body, answer.close) == (401, PAGE.locked, True)
    assert gone in answer.headers
    assert dict(answer.headers)["WWW-Authenticate"] == "Bearer"
    assert dict(answer.headers)["Content-Security-Policy"].startswith(PAGE.csp)


def test_no_desktop_means_come_again() -> None:
    """RFC 9110, 15.6.4; the connection may stay."""
    answer = unavailable(context())
    assert (answer.status, answer.close) == (503, False)
    assert dict(answer.headers)["Retry-After"] == str(limits.RETRY_AFTER_SECONDS)


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1"), (5.6, "6"), (60, "60")])
def test_too_many_wrong_tokens_mean_wait(seconds: float, said: str) -> None:
    """RFC 6585, 4: whole seconds, and never none; the connection ends."""
    answer = too_many(context(), seconds)
    assert (answer.status, answer.body[:4], answer.close) == (429, b"429 ", True)
    assert dict(answer.headers)["Retry-After"] == said


def test_what_machines_are_told_is_kept_nowhere() -> None:
    """It may hold a token."""
    headers = dict(json_headers(context()))
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("status", [200, 303, 401])
def test_an_answer_says_how_long_it_is(status: int) -> None:
    """Also an empty one, or the client would wait for its end."""
    sent = on_the_wire(Answer(status=status, headers=(("A", "b"),), body=b"12345"), DATE)
    assert sent == [("A", "b"), ("Date", DATE), ("Content-Length", "5")]


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_says_no_length(status: int) -> None:
    """RFC 9110, 8.6; of a 304 it would be the length of the 200."""
    assert on_the_wire(Answer(status=status, headers=()), DATE) == [("Date", DATE)]


def test_the_last_answer_says_that_it_is() -> None:
    """The client opens another connection at once."""
    sent = on_the_wire(Answer(status=204, headers=(), close=True), DATE)
    assert sent == [("Date", DATE), ("Connection", "close")]
