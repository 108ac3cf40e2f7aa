"""What a good credential is worth: a role, for as long as it lasts. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from deskgate.gate.sessions import Session
from deskgate.tokens import Role, Token


class Carrier(StrEnum):
    """How a credential came."""

    BEARER = "bearer"
    QUERY = "query"
    TICKET = "ticket"
    COOKIE = "cookie"
    PAGE = "page"  # a page's script keeps the session, where the browser keeps no cookie for us
    NONE = "none"  # VNC_AUTH=none: nobody is asked


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """A credential that was found good.

    Args:
        token: None with VNC_AUTH=none.
        session: the cookie's, when that was the carrier, or what asked for the ticket.
        ticket: the key of the ticket that this uses up.
        ends: seconds since the epoch at which it ends; None for never.
    """

    role: Role
    carrier: Carrier
    token: Token | None = None
    session: Session | None = None
    ticket: bytes | None = None
    ends: float | None = None

    def name_beside(self, role: Role) -> str:
        """The token's name, where it says more than the role that it has now."""
        return f" {self.token.name}" if self.token and self.token.name != role else ""

    def under(self, token: Token | None) -> Access | None:
        """The same under a re-read token; None when that is gone or has another role."""
        if token is None or token.role is not self.role:
            return None
        session = self.session and replace(self.session, token=token)
        ends = session.ends if session else token.expires
        return replace(self, token=token, session=session, ends=ends)
