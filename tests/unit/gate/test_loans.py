"""Control that is lent: who has which role meanwhile, and everything that ends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deskgate.gate import limits
from deskgate.gate.access import Access, Carrier
from deskgate.gate.loans import CannotLendError, Loan, Loans, handle_of, same
from deskgate.gate.sessions import LIFETIME_SECONDS, Denied, Session
from deskgate.tokens import Role, Token, digest_of

from .samples import CONTROL_TOKEN, NOW, VIEW_TOKEN

GUEST = Token(name="guest", role=Role.VIEW, digest=digest_of("g" * 32))
TOKENS = (CONTROL_TOKEN, VIEW_TOKEN, GUEST)


def session(token: Token, number: int = 1) -> Session:
    """A session of a token."""
    return Session(token=token, session_id=f"{number:032x}", issued=int(NOW))


def access(of: Session | None, token: Token = CONTROL_TOKEN) -> Access:
    """What such a session opens; without one, a token alone."""
    shown = of.token if of else token
    return Access(role=shown.role, carrier=Carrier.COOKIE, token=shown, session=of)


OWNER, WATCHER = session(CONTROL_TOKEN), session(VIEW_TOKEN, 2)
LOAN = Loan(lender=OWNER, borrower=WATCHER, seen=NOW)
LENT = Loans((LOAN,))


def test_a_loan_moves_control_and_makes_no_more_of_it() -> None:
    """The lender watches until it is back; nobody else's role changes."""
    loans, loan = Loans().adding(OWNER, WATCHER, NOW)
    assert (loans, loan) == (LENT, LOAN)
    assert loans.role_of(access(OWNER)) is Role.VIEW
    assert loans.role_of(access(WATCHER)) is Role.CONTROL
    for other in (
        *(access(session(CONTROL_TOKEN, 3)), access(session(VIEW_TOKEN, 4))),
        *(access(session(VIEW_TOKEN, 1)), access(session(CONTROL_TOKEN, 2))),
        *(access(None), access(None, VIEW_TOKEN)),
    ):
        assert loans.role_of(other) is other.role
    assert loans.without([loan]) == Loans()
    assert Loans().role_of(access(OWNER)) is Role.CONTROL


def test_a_loan_is_found_by_either_side_and_by_name() -> None:
    """And by nobody else's."""
    assert (LENT.by(OWNER), LENT.to(WATCHER), LENT.named(LOAN.handle)) == (LOAN, LOAN, LOAN)
    assert (LENT.by(WATCHER), LENT.to(OWNER), LENT.named(handle_of(OWNER))) == (None, None, None)
    assert (LENT.by(None), LENT.to(None)) == (None, None)
    assert LOAN.told == {"id": handle_of(WATCHER), "from": "control", "to": "view"}


def test_a_handle_opens_nothing() -> None:
    """It is told to who may lend; the session's own id is not in it."""
    assert len(handle_of(WATCHER)) == 16
    assert handle_of(WATCHER) != handle_of(session(VIEW_TOKEN, 3))
    assert WATCHER.session_id not in handle_of(WATCHER)


def test_a_session_stays_the_same_when_its_tokens_end_moves() -> None:
    """The token file is read again while somebody holds borrowed control."""
    later = replace(WATCHER, token=replace(VIEW_TOKEN, expires=None))
    assert same(WATCHER, later)
    assert not same(WATCHER, None)
    assert not same(None, WATCHER)
    assert not same(WATCHER, replace(WATCHER, session_id="f" * 32))
    assert not same(WATCHER, replace(WATCHER, token=GUEST))


BORROWER = session(GUEST, 9)
REFUSED = {
    "without a session": (LENT, None, BORROWER),
    "who only watches": (Loans(), WATCHER, BORROWER),
    "what is lent": (LENT, OWNER, BORROWER),
    "to who borrowed": (LENT, session(CONTROL_TOKEN, 5), WATCHER),
    "to who controls": (Loans(), OWNER, session(CONTROL_TOKEN, 5)),
}


@pytest.mark.parametrize(("loans", "lender", "borrower"), REFUSED.values(), ids=REFUSED)
def test_control_is_lent_once_by_who_has_it(
    loans: Loans, lender: Session | None, borrower: Session
) -> None:
    """Whoever borrowed it cannot lend it on."""
    with pytest.raises(CannotLendError):
        loans.adding(lender, borrower, NOW)


def test_there_are_few_loans() -> None:
    """Each lender is another one, and so is each borrower."""
    loans = Loans()
    for number in range(limits.LOANS):
        lender, borrower = session(CONTROL_TOKEN, number), session(VIEW_TOKEN, 100 + number)
        loans, _ = loans.adding(lender, borrower, NOW)
    with pytest.raises(CannotLendError, match="too many"):
        loans.adding(session(CONTROL_TOKEN, 50), session(VIEW_TOKEN, 50), NOW)


def test_a_loan_stands_while_both_are_let_in() -> None:
    """With the tokens as the files have them now."""
    assert LOAN.over(TOKENS, Denied(), NOW) is None
    moved = (CONTROL_TOKEN, replace(VIEW_TOKEN, expires=NOW + 99_999))
    assert LOAN.over(moved, Denied(), NOW + limits.LOAN_AWAY_SECONDS) is None


DENIED = Denied().adding(OWNER)
ENDS = {
    "the lender logged out": (TOKENS, Denied().adding(OWNER), NOW, "the lender logged out"),
    "the borrower logged out": (TOKENS, Denied().adding(WATCHER), NOW, "the borrower logged out"),
    "the lender's token is gone": (TOKENS[1:], Denied(), NOW, "the lender's link is over"),
    "the borrower's token is gone": (TOKENS[:1], Denied(), NOW, "the borrower's link is over"),
    "the lender's token watches now": (
        (replace(CONTROL_TOKEN, role=Role.VIEW), VIEW_TOKEN),
        Denied(),
        NOW,
        "the lender's link is over",
    ),
    "the lender's token expired": (
        (replace(CONTROL_TOKEN, expires=NOW), VIEW_TOKEN),
        Denied(),
        NOW,
        "the lender's link is over",
    ),
    "the borrower's token expired": (TOKENS, Denied(), NOW + 3600, "the borrower's link is over"),
    "the borrower is away": (
        TOKENS,
        Denied(),
        NOW + limits.LOAN_AWAY_SECONDS + 1,
        "the borrower is away",
    ),
}


@pytest.mark.parametrize(("tokens", "denied", "now", "why"), ENDS.values(), ids=ENDS)
def test_a_loan_ends_with_either_side(
    tokens: tuple[Token, ...], denied: Denied, now: float, why: str
) -> None:
    """And with nobody there to use it."""
    assert LOAN.over(tokens, denied, now) == why


def test_a_loan_ends_with_its_lenders_session() -> None:
    """Twelve hours, as every session, however long its token lives."""
    endless = replace(LOAN, borrower=session(GUEST, 2), seen=NOW + LIFETIME_SECONDS)
    assert endless.over(TOKENS, Denied(), NOW + LIFETIME_SECONDS - 1) is None
    assert endless.over(TOKENS, Denied(), NOW + LIFETIME_SECONDS) == "the lender's link is over"


def test_who_is_here_is_not_away() -> None:
    """A reload takes a moment, and then it goes on."""
    later = NOW + limits.LOAN_AWAY_SECONDS + 1
    assert LENT.seeing([WATCHER], later) == Loans((replace(LOAN, seen=later),))
    assert LENT.seeing([OWNER], later) == LENT
