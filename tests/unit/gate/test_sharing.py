"""Sharing a desktop from its page: who may lend control, end a loan, and make a watch link."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from deskgate.gate import limits
from deskgate.gate.loans import Loan, Loans, handle_of
from deskgate.gate.messages import Answer, Change, Decision, LoanChange, TokenChange
from deskgate.gate.policy import decide
from deskgate.gate.sessions import Session
from deskgate.tokens import Role, Token, digest_of

from .samples import (
    CHANCE,
    CONTROL,
    CONTROL_TOKEN,
    NOW,
    VIEW,
    VIEW_TOKEN,
    bearer,
    context,
    cookie,
    request,
)

ORIGIN = ("Origin", "http://localhost:8002")
ALICE = "a1ice-and-her-rabbit-hole-" * 2
ALICE_TOKEN = Token(name="alice", role=Role.CONTROL, digest=digest_of(ALICE))
# Those that the samples' cookies stand for.
OWNER, WATCHER = (
    Session(token=token, session_id=CHANCE.hex(), issued=int(NOW))
    for token in (CONTROL_TOKEN, VIEW_TOKEN)
)
LOAN = Loan(lender=OWNER, borrower=WATCHER, seen=NOW)
END = f"/api/loans/{LOAN.handle}/end"
TO = json.dumps({"to": "0123456789abcdef"})


def ask(
    target: str, *headers: tuple[str, str], body: str = "", method: str = "POST", **changes: Any
) -> Decision:
    """What is decided, with alice's token in force as well."""
    given = {"tokens": (CONTROL_TOKEN, VIEW_TOKEN, ALICE_TOKEN), **changes}
    made = request(target, *headers, ORIGIN, method=method, body=body.encode())
    return decide(made, context(**given))


def status(decision: Decision) -> int:
    """Of an answer."""
    assert isinstance(decision, Answer)
    return decision.status


# Loans


@pytest.mark.parametrize("token", [CONTROL_TOKEN, ALICE_TOKEN])
def test_a_session_that_controls_may_lend(token: Token) -> None:
    """By whichever token."""
    decision = ask("/api/loans", cookie(token), body=TO)
    assert isinstance(decision, LoanChange)
    assert (decision.to, decision.loan) == ("0123456789abcdef", None)
    assert decision.access.session is not None
    assert decision.access.session.token == token


def test_nobody_else_may_lend() -> None:
    """Not who watches, nor a token without a session, which could not be told from its others."""
    for headers in (cookie(VIEW_TOKEN), bearer(), bearer(VIEW)):
        assert status(ask("/api/loans", headers, body=TO)) == 403
    assert status(ask(f"/api/loans?token={CONTROL}", body=TO)) == 403
    foreign = ("Sec-Fetch-Site", "same-site")
    assert status(ask("/api/loans", cookie(), foreign, body=TO)) == 403
    assert status(ask("/api/loans", cookie(), method="GET")) == 405


@pytest.mark.parametrize("target", ["/api/watch-links", "/api/loans", END, "/api/tickets"])
def test_no_page_that_hides_its_origin_shares_the_desktop(target: str) -> None:
    """One on another port gets the cookie sent along, and over plain http nothing else tells."""
    hidden = request(target, cookie(), ("Origin", "null"), method="POST", body=TO.encode())
    assert status(decide(hidden, context(loans=Loans((LOAN,))))) == 403


@pytest.mark.parametrize("body", ["", "[]", '{"to": 1}', '{"from": "x"}'])
def test_a_loan_says_to_whom(body: str) -> None:
    """Or is refused with what to give."""
    decision = ask("/api/loans", cookie(), body=body)
    assert status(decision) == 400
    assert isinstance(decision, Answer)
    assert "give" in json.loads(decision.body)["error"]


ENDERS = {
    "its lender": cookie(),
    "its borrower": cookie(VIEW_TOKEN),
    "another who controls": cookie(ALICE_TOKEN),
    "a machine that controls": bearer(),
}


@pytest.mark.parametrize("headers", ENDERS.values(), ids=ENDERS)
def test_a_loan_is_ended_by(headers: tuple[str, str]) -> None:
    """It only takes rights away; and a lender who lost his browser has another one."""
    decision = ask(END, headers, loans=Loans((LOAN,)))
    assert isinstance(decision, LoanChange)
    assert decision.loan == LOAN


def test_who_watches_ends_no_loan_of_others() -> None:
    """Nor does anybody end one that is not there, or do something else to it."""
    other = replace(LOAN, borrower=replace(WATCHER, session_id="f" * 32))
    end = f"/api/loans/{other.handle}/end"
    assert status(ask(end, cookie(VIEW_TOKEN), loans=Loans((other,)))) == 403
    assert status(ask(end, bearer(VIEW), loans=Loans((other,)))) == 403
    assert status(ask(END, cookie(), loans=Loans())) == 404
    for target in (f"/api/loans/{LOAN.handle}", f"/api/loans/{LOAN.handle}/extend", "/api/loans/"):
        assert status(ask(target, cookie(), loans=Loans((LOAN,)))) == 404


def test_lent_control_opens_the_websocket_alone() -> None:
    """Hands, not keys: no picture, no link, no loan, no count by name."""
    lent = Loans((LOAN,))
    assert handle_of(WATCHER) == LOAN.handle
    borrower = cookie(VIEW_TOKEN)
    for target, method, body in [
        ("/api/screenshot.png", "GET", ""),
        ("/api/status", "GET", ""),
        ("/metrics", "GET", ""),
        ("/api/tokens", "GET", ""),
        ("/api/loans", "POST", TO),
        ("/api/watch-links", "POST", ""),
    ]:
        decision = ask(target, borrower, method=method, body=body, loans=lent)
        assert status(decision) == 403, target


# Links to watch


def link(*headers: tuple[str, str], body: str = "", **changes: Any) -> Decision:
    """Ask for one."""
    return ask("/api/watch-links", *headers, body=body, **changes)


def test_the_owners_page_makes_links_to_watch() -> None:
    """By its cookie: an hour unless he says so, and never more than to watch."""
    decision = link(cookie())
    assert isinstance(decision, TokenChange)
    assert (decision.change, decision.name, decision.role) == (Change.ADD, "guest-1", Role.VIEW)
    assert (decision.seconds, decision.base) == (3600, "http://localhost:8002/")
    longer = link(bearer(), body='{"ttl": "12h", "base_url": "https://a.test"}')
    assert isinstance(longer, TokenChange)
    assert (longer.seconds, longer.base) == (12 * 3600, "https://a.test/")


def test_nobody_else_makes_links_to_watch() -> None:
    """Whoever was given control by another token was not given the desktop."""
    for headers in (cookie(VIEW_TOKEN), cookie(ALICE_TOKEN), bearer(ALICE), bearer(VIEW)):
        assert status(link(headers)) == 403
    named = Token(name="control", role=Role.VIEW, digest=digest_of(ALICE))
    assert status(link(bearer(ALICE), tokens=(named,))) == 403
    assert status(link(cookie(), ("Sec-Fetch-Site", "cross-site"))) == 403
    assert status(link(cookie(), method="GET")) == 405


@pytest.mark.parametrize(
    "body", ['{"ttl": "13h"}', '{"ttl": "x"}', '{"role": "control"}', '{"base_url": "//a"}']
)
def test_a_link_to_watch_is_nothing_more(body: str) -> None:
    """And ends."""
    assert status(link(cookie(), body=body)) == 400


def guest(number: int, role: Role = Role.VIEW, expires: float | None = None) -> Token:
    """A token of a name that such links have."""
    digest = digest_of(f"guest {number}")
    return Token(name=f"guest-{number}", role=role, digest=digest, expires=expires)


def test_the_row_of_a_link_that_is_over_is_used_again() -> None:
    """Else whoever makes them all day fills the file. One that controls is left alone."""
    over = (guest(1), guest(2, Role.CONTROL, NOW), guest(3, expires=NOW))
    decision = link(cookie(), tokens=(CONTROL_TOKEN, *over))
    assert isinstance(decision, TokenChange)
    assert (decision.change, decision.name) == (Change.ROTATE, "guest-3")
    fresh = link(cookie(), tokens=(CONTROL_TOKEN, *over[:2]))
    assert isinstance(fresh, TokenChange)
    assert (fresh.change, fresh.name) == (Change.ADD, "guest-3")


def test_there_are_few_links_at_once() -> None:
    """Then it says so."""
    many = tuple(guest(number) for number in range(1, limits.WATCH_LINKS + 1))
    assert status(link(cookie(), tokens=(CONTROL_TOKEN, *many))) == 409


@pytest.mark.parametrize("target", ["/api/watch-links", "/api/loans", END])
def test_where_nobody_is_asked_there_is_nothing_to_share(target: str) -> None:
    """VNC_AUTH=none: everybody controls."""
    assert status(ask(target, auth="none", tokens=())) == 404
