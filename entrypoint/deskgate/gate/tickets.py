"""Tickets: one use, a short life. They open a WebSocket, or log in, where a token must not stand.

A ticket may stand in an address, which proxies log, since it is spent by then. It stands for the
access of who asked for it, and ends with that. Kept in memory alone, by digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deskgate.gate import limits
from deskgate.gate.sessions import Denied, Session
from deskgate.tokens import Token, digest_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """What a ticket stands for.

    Args:
        session: of the cookie that asked for it; a logout ends both.
        until: seconds since the epoch at which it is worth nothing any more.
    """

    token: Token
    session: Session | None
    until: float


class Tickets:
    """Those that are not spent. A bounded number for each token; the oldest goes."""

    def __init__(self) -> None:
        self._unspent: dict[bytes, Ticket] = {}

    @property
    def unspent(self) -> Mapping[bytes, Ticket]:
        """By the digest of the ticket."""
        return self._unspent

    def add(self, text: str, ticket: Ticket, now: float) -> None:
        """Keep a new one; forget those that are over."""
        for key, each in tuple(self._unspent.items()):
            if each.until <= now:
                del self._unspent[key]
        own = [key for key, each in self._unspent.items() if each.token == ticket.token]
        if len(own) >= limits.TICKETS:
            del self._unspent[own[0]]
        self._unspent[digest_of(text)] = ticket

    def spend(self, key: bytes) -> None:
        """This one is used up."""
        self._unspent.pop(key, None)


def find_ticket(
    unspent: Mapping[bytes, Ticket],
    candidate: str,
    *,
    tokens: Sequence[Token],
    denied: Denied,
    now: float,
) -> tuple[bytes, Ticket] | None:
    """Find the ticket that a text is, with its key; its token must still be in force."""
    key = digest_of(candidate)
    ticket = unspent.get(key)
    if ticket is None or ticket.until <= now:
        return None
    token = next((each for each in tokens if each.digest == ticket.token.digest), None)
    if token is None or token.role is not ticket.token.role or not token.is_live(now):
        return None
    session = ticket.session
    if session is not None and (denied.holds(session) or session.ends <= now):
        return None
    return key, ticket
