"""Control that is lent: which session has whose role meanwhile, and when that is over. Pure.

A loan moves control from one session to another: the lender watches until it is back. It is kept
in memory alone, so a gate that starts anew knows of none: whoever lent controls, whoever borrowed
watches.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from deskgate.gate import limits
from deskgate.gate.access import Access
from deskgate.gate.sessions import Denied, Session
from deskgate.tokens import Role, Token


class CannotLendError(ValueError):
    """This loan cannot be made. The text says why."""


def handle_of(session: Session) -> str:
    """Names a session to those who may lend to it; opens nothing."""
    return hashlib.sha256(f"deskgate session {session.session_id}".encode()).hexdigest()[:16]


def same(one: Session | None, other: Session | None) -> bool:
    """Whether these are one session, whatever became of its token's end."""
    return (
        one is not None
        and other is not None
        and (one.token.token_id, one.session_id) == (other.token.token_id, other.session_id)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Loan:
    """One loan.

    Args:
        seen: seconds since the epoch at which the borrower was last here.
    """

    lender: Session
    borrower: Session
    seen: float

    @property
    def handle(self) -> str:
        """Names the loan: by its borrower."""
        return handle_of(self.borrower)

    @property
    def told(self) -> dict[str, str]:
        """As machines and pages hear of it."""
        lender, borrower = self.lender.token.name, self.borrower.token.name
        return {"id": self.handle, "from": lender, "to": borrower}

    def over(self, tokens: Sequence[Token], denied: Denied, now: float) -> str | None:
        """Why it is over, for the log; None while it stands."""
        for who, session in (("lender", self.lender), ("borrower", self.borrower)):
            if denied.holds(session):
                return f"the {who} logged out"
            if not _in_force(session, tokens, now):
                return f"the {who}'s link is over"
        if now - self.seen > limits.LOAN_AWAY_SECONDS:
            return "the borrower is away"
        return None


def _in_force(session: Session, tokens: Sequence[Token], now: float) -> bool:
    for token in tokens:
        if hmac.compare_digest(token.digest, session.token.digest):
            same_role = token.role is session.token.role
            return same_role and now < replace(session, token=token).ends  # or its token's end
    return False


@dataclass(frozen=True, slots=True)
class Loans:
    """Those that stand."""

    each: tuple[Loan, ...] = ()

    def role_of(self, access: Access) -> Role:
        """What an access may do now: its token's role, unless that is lent or borrowed."""
        if self.by(access.session):
            return Role.VIEW
        return Role.CONTROL if self.to(access.session) else access.role

    def by(self, session: Session | None) -> Loan | None:
        """The loan that this session made."""
        return next((loan for loan in self.each if same(loan.lender, session)), None)

    def to(self, session: Session | None) -> Loan | None:
        """The loan that this session got."""
        return next((loan for loan in self.each if same(loan.borrower, session)), None)

    def named(self, handle: str) -> Loan | None:
        """The loan of this name."""
        return next((loan for loan in self.each if loan.handle == handle), None)

    def adding(self, lender: Session | None, borrower: Session, now: float) -> tuple[Loans, Loan]:
        """With one more; and that one.

        Raises:
            CannotLendError: it cannot be made.
        """
        if lender is None or lender.token.role is not Role.CONTROL or self.by(lender):
            raise CannotLendError("your control is lent already, or was never yours")
        if borrower.token.role is not Role.VIEW or self.to(borrower):
            raise CannotLendError("that one has control already")
        if len(self.each) >= limits.LOANS:
            raise CannotLendError("control is lent to too many: take one back")
        loan = Loan(lender=lender, borrower=borrower, seen=now)
        return Loans((*self.each, loan)), loan

    def without(self, gone: Collection[Loan]) -> Loans:
        """Without these."""
        return Loans(tuple(loan for loan in self.each if loan not in gone))

    def seeing(self, here: Collection[Session], now: float) -> Loans:
        """The same, after a look at who is here."""
        return Loans(
            tuple(
                replace(loan, seen=now)
                if any(same(loan.borrower, session) for session in here)
                else loan
                for loan in self.each
            )
        )
