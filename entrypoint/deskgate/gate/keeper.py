"""What the gate remembers while it runs: tokens in force, logged-out sessions, viewers."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deskgate import clock
from deskgate.files import LOGGED_OUT_FILE, write_private
from deskgate.gate import limits, log, pages
from deskgate.gate.access import Access
from deskgate.gate.company import Company
from deskgate.gate.config import GateConfig
from deskgate.gate.desk import Desk
from deskgate.gate.failures import Failures
from deskgate.gate.frames import POLICY, ROLE_CHANGED
from deskgate.gate.loans import CannotLendError, Loan, handle_of
from deskgate.gate.messages import Context, OwnPage
from deskgate.gate.sessions import CHANCE_BYTES, Denied, Session
from deskgate.gate.tickets import Ticket, Tickets
from deskgate.gate.tokenset import TokenSet
from deskgate.tokens import Role, Token

if TYPE_CHECKING:
    from deskgate.gate.door import Newcomer
    from deskgate.gate.relay import Viewer
    from deskgate.gate.server import Connection


def load_denied(path: Path, *, now: float) -> Denied:
    """Who was logged out before the gate died: the boot secret outlives it, so must this.

    What cannot be read may have held anybody: then every session so far is logged out.
    """
    try:
        return Denied.from_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return Denied()
    except (OSError, ValueError, RecursionError) as error:
        log.error(f"{path}: cannot read it, so all sessions end: {type(error).__name__}")
        return Denied(until=int(now))


def _token_set(config: GateConfig) -> TokenSet:
    paths = [Path(path) for path in (config.tokens, config.more_tokens) if path]
    return TokenSet(*paths, short=config.short_tokens)


class Keeper(Company):
    """The gate's state, and the clock that looks after it.

    Args:
        boot_secret: keys of the cookies; from PID 1, so that they outlive a crash of the gate.
        own: the folder of our own page.

    Raises:
        TokensUnreadableError: a token file cannot be used.
    """

    def __init__(self, config: GateConfig, *, boot_secret: bytes, own: Path) -> None:
        self.config = config
        super().__init__(began=self.now(), clipboard=config.clipboard)
        self.desk = Desk(config.rfb, config.rfbauth)
        self.strangers: limits.Crowd[Connection | Newcomer] = limits.Crowd(
            limits.STRANGERS, lambda each: each.dawdles, lambda each: each.peer
        )
        self._known: limits.Crowd[Connection] = limits.Crowd(
            limits.KNOWN, lambda each: each.idle, lambda each: each.peer
        )
        self.connections: set[Connection] = set()
        self.trouble = ""  # why Xvnc let the last viewer not in; said once
        self.files: dict[str, pages.Page] = {
            **pages.index_folder(config.web),
            **pages.index_folder(str(own / pages.OWN_FILES), under=f"{pages.OWN_FILES}/"),
        }
        self._page: OwnPage = pages.load_page(own / pages.OWN_PAGE)
        self._boot_secret = boot_secret
        self._denied_path = Path(config.tokens).with_name(LOGGED_OUT_FILE)
        self._denied = load_denied(self._denied_path, now=self.now())
        self._tokens = None if config.open else _token_set(config)
        self.failures = Failures()
        self.tickets = Tickets()
        self.camera = asyncio.Lock()  # one screenshot at a time
        self.snapping = 0  # being taken, or waiting for it
        self._ticking = False

    def context(self) -> Context:
        """What a decision made now rests on."""
        self.look_at_tokens()
        self._look_at_loans()
        here = self.here()
        return Context(
            config=self.config,
            tokens=self.tokens,
            boot_secret=self._boot_secret,
            denied=self._denied,
            loans=self.loans,
            tickets=self.tickets.unspent,
            now=self.now(),
            chance=os.urandom(CHANCE_BYTES),
            page=self._page,
            files=self.files,
            places=self.places(here),
            guests=limits.GUESTS - sum(here[role, True] for role in Role),
        )

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens in force; none with VNC_AUTH=none."""
        return self._tokens.tokens if self._tokens else ()

    def greet(self, connection: Connection) -> Connection | None:
        """One showed a good credential; return who has to go for it."""
        self.strangers.remove(connection)
        return self._known.add(connection)

    def forget(self, connection: Connection) -> None:
        """One is gone, or became a viewer."""
        self.connections.discard(connection)
        self.strangers.remove(connection)
        self._known.remove(connection)

    def close(self) -> None:
        """The gate ends."""
        if self._tokens is not None:
            self._tokens.close()

    # Tokens

    def take_tickets(self, texts: Sequence[str]) -> None:
        """Let the printed links' tickets in: for control and for view."""
        until = self.now() + limits.TICKET_SECONDS_AT_MOST
        for role, text in zip(Role, texts, strict=False):
            for token in self.tokens:
                if token.name == role.value:
                    ticket = Ticket(token=token, session=None, until=until)
                    self.tickets.add(text, ticket, self.now())

    def now(self) -> float:
        """Seconds since the epoch, by a clock that nobody sets."""
        return clock.now(self.config.booted)

    def look_at_tokens(self) -> None:
        """End who is no longer let in, if a token file changed."""
        if self._tokens is not None and self._tokens.look():
            self._look_at_all()

    def reload_tokens(self) -> None:
        """Take the token files as they are now."""
        if self._tokens is not None and self._tokens.reload():
            self._look_at_all()

    def _look_at_all(self) -> None:
        self._look_at_loans()
        for viewer in tuple(self.viewers):
            self.look_at(viewer)

    def look_at(self, viewer: Viewer) -> None:
        """End a viewer whose token or session is no longer good."""
        if self.config.open:
            return
        session = viewer.access.session
        if session is not None and self._denied.holds(session):
            viewer.close(POLICY, "logged out")
            return
        viewer.keep(self._same_token(viewer.access.token))
        if self.loans.role_of(viewer.access) is not viewer.role:
            viewer.close(ROLE_CHANGED, "another role")

    def _same_token(self, old: Token | None) -> Token | None:
        for token in self.tokens:
            if old is not None and hmac.compare_digest(token.digest, old.digest):
                return token
        return None

    def log_out(self, session: Session | None) -> None:
        """Forget a session and end its viewers."""
        if session is None:
            return
        self._denied = self._denied.current(self.now()).adding(session)
        try:
            write_private(self._denied_path, self._denied.to_json().encode())
        except OSError as error:
            log.warning(f"a logout is forgotten if the gate dies: {error.strerror}")
        self._look_at_all()

    # Loans of control

    def lend(self, access: Access, to: str) -> Loan:
        """Let somebody who watches have this one's control, until it is taken back.

        Raises:
            CannotLendError: nobody of this handle watches, or the loan cannot be made.
        """
        for borrower in self.watching():
            if handle_of(borrower) == to:
                self.loans, loan = self.loans.adding(access.session, borrower, self.now())
                log.info(f"control lent by {loan.told['from']} to {loan.told['to']}")
                self._look_at_all()
                self.changed()
                return loan
        raise CannotLendError("nobody of this id watches now")

    def end_loan(self, loan: Loan, access: Access) -> None:
        """Give control back to who lent it."""
        name = access.token.name if access.token else "nobody"
        self._end_loans({loan: f"{name} ended it"})

    def _look_at_loans(self) -> None:
        if not self.loans.each:
            return
        here = [access.session for access in self.joined() if access.session]
        self.loans = self.loans.seeing(here, self.now())
        over = {
            loan: why
            for loan in self.loans.each
            if (why := loan.over(self.tokens, self._denied, self.now()))
        }
        if over:
            self._end_loans(over)

    def _end_loans(self, over: Mapping[Loan, str]) -> None:
        self.loans = self.loans.without(over)
        for loan, why in over.items():
            log.info(f"control back from {loan.told['to']} to {loan.told['from']}: {why}")
        self._look_at_all()
        self.changed()

    # Viewers

    def admit(self, viewer: Viewer) -> None:
        """Count a viewer, and look after it."""
        self.viewers.add(viewer)
        if not self._ticking:
            self._ticking = True
            self._later()

    def _later(self) -> None:
        asyncio.get_running_loop().call_later(limits.TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        """One clock for all viewers; it stops when there are none, so an idle gate sleeps."""
        self.look_at_tokens()
        self._look_at_loans()
        now = self.now()
        for viewer in tuple(self.viewers):
            viewer.tick(now)
        self._ticking = bool(self.viewers)
        if self._ticking:
            self._later()
