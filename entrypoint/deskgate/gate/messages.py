"""What the gate's policy takes and gives: a request, and the decision about it. Pure values."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum

from deskgate.gate.access import Access
from deskgate.gate.config import GateConfig
from deskgate.gate.loans import Loan, Loans
from deskgate.gate.sessions import Denied, Session
from deskgate.gate.tickets import Ticket
from deskgate.tokens import Role, Token

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One HTTP request.

    Args:
        target: as it came, path and query still encoded.
        headers: names in lower case; values as Latin-1.
        peer: address of the other end of the connection.
        version: of HTTP, such as 1.1.
        body: at most `limits.BODY_BYTES`; the server answers 413 before it keeps more.
    """

    method: str
    target: str
    version: str = "1.1"
    headers: Headers = ()
    peer: str = ""
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str | None:
        """The value of a header that stands there exactly once, else None."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None

    def words(self, name: str) -> list[str]:
        """The comma-separated values of a header, all its lines together."""
        listed = ",".join(self.all(name)).split(",")
        return [word for each in listed if (word := each.strip(" \t"))]


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnPage:
    """The one page of our own: asks for the token, and shows the desktop.

    Args:
        locked: its bytes for who has no credential.
        opened: the same for who has one.
        csp: its Content-Security-Policy without frame-ancestors.
    """

    locked: bytes
    opened: bytes
    csp: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Everything but the request that a decision rests on.

    Args:
        now: seconds since the epoch.
        chance: sixteen random bytes, for a new cookie.
        files: names that can be served.
        places: viewers that may still come in, by role.
        guests: and those that need no place, as they only want to be greeted.
    """

    config: GateConfig
    tokens: tuple[Token, ...]
    boot_secret: bytes
    denied: Denied
    loans: Loans
    tickets: Mapping[bytes, Ticket]
    now: float
    chance: bytes
    page: OwnPage
    files: Container[str]
    places: Mapping[Role, int]
    guests: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A whole answer. The server adds Content-Length, and Connection: close when `close`.

    Args:
        ticket: the key of one that is used up by it.
    """

    status: int
    headers: Headers
    body: bytes = b""
    close: bool = False
    ticket: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WrongToken:
    """Count it against the client's address, then give this answer, or 429."""

    answer: Answer
    client: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ServeFile:
    """One of noVNC's files; `headers` go with it."""

    name: str
    headers: Headers


@dataclass(frozen=True, kw_only=True, slots=True)
class Upgrade:
    """A WebSocket, if Xvnc lets us in; else 503.

    Args:
        role: with which it enters Xvnc; its token's, unless control is lent.
        guest: there is no place; it is greeted, and ends when it wants more.
        news: it wants to be told who is here.
    """

    access: Access
    role: Role
    headers: Headers
    guest: bool = False
    news: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """Ask Xvnc for its greeting, and give one answer or the other.

    Args:
        stranger: nobody showed a credential.
    """

    good: Answer
    bad: Answer
    stranger: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """How many viewers there are, by role and by name."""

    headers: Headers


@dataclass(frozen=True, kw_only=True, slots=True)
class Metrics:
    """What a Prometheus server scrapes."""

    headers: Headers


@dataclass(frozen=True, kw_only=True, slots=True)
class Screenshot:
    """A picture of the screen, as PNG; 503 when there is none."""

    headers: Headers


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTicket:
    """Make a ticket that stands for this access.

    Args:
        base: where its link begins.
        seconds: its life.
    """

    access: Access
    base: str
    seconds: int
    headers: Headers


@dataclass(frozen=True, kw_only=True, slots=True)
class LoanChange:
    """Lend the control of who asks, or give a loan back.

    Args:
        to: the handle of who shall have it.
        loan: what ends instead.
    """

    access: Access
    headers: Headers
    to: str = ""
    loan: Loan | None = None


class Change(StrEnum):
    """What may be done to the tokens."""

    LIST = "list"
    ADD = "add"
    REVOKE = "revoke"
    ROTATE = "rotate"


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenChange:
    """Look at the tokens, or change them.

    Args:
        base: where links begin.
        seconds: the new token's life; None for none, and for the old one's when rotated.
    """

    change: Change
    headers: Headers
    base: str = ""
    name: str = ""
    role: Role = Role.VIEW
    seconds: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Logout:
    """Forget this session, end its viewers, then answer."""

    session: Session | None
    answer: Answer


# Carried out at once; the rest has to wait for somebody.
Prompt = (
    Answer
    | WrongToken
    | ServeFile
    | Report
    | Metrics
    | NewTicket
    | LoanChange
    | TokenChange
    | Logout
)
Decision = Prompt | Upgrade | Probe | Screenshot
