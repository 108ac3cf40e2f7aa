"""What the gate remembers while it runs: tokens in force, logged-out sessions, viewers."""

from __future__ import annotations

import asyncio
import hmac
import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deskgate.files import LOGGED_OUT_FILE, write_private
from deskgate.gate import limits, log, pages
from deskgate.gate.config import GateConfig
from deskgate.gate.desk import Desk
from deskgate.gate.frames import POLICY
from deskgate.gate.messages import Context, LoginPage
from deskgate.gate.sessions import Denied, Session
from deskgate.tokenfile import TokenFileError, parse_token_file
from deskgate.tokens import Role, Token

if TYPE_CHECKING:
    from deskgate.gate.door import Newcomer
    from deskgate.gate.relay import Viewer
    from deskgate.gate.server import Connection

TokensState = tuple[int, int, int]  # modified (ns), inode, size
TOKEN_FILE_BYTES = 1024 * 1024
CHANCE_BYTES = 16
Arrival = tuple[Role, bool]  # whether as a guest


class TokensUnreadableError(Exception):
    """The token file cannot be used. The text never holds what stands in it."""


def load_tokens(path: Path) -> tuple[Token, ...]:
    """Read the token file.

    Raises:
        TokensUnreadableError: missing, too large, or not of its format.
    """
    try:
        with path.open("rb") as file:
            data = file.read(TOKEN_FILE_BYTES + 1)
        if len(data) > TOKEN_FILE_BYTES:
            raise TokensUnreadableError("it is larger than 1 MiB")
        return parse_token_file(data.decode("utf-8"))
    except OSError as error:
        raise TokensUnreadableError(error.strerror or "unreadable") from None
    except UnicodeDecodeError:
        raise TokensUnreadableError("it is not UTF-8") from None
    except TokenFileError as error:
        raise TokensUnreadableError(str(error)) from None


def load_denied(path: Path) -> Denied:
    """Who was logged out before the gate died: the boot secret outlives it, so must this."""
    try:
        return Denied.from_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return Denied()


class Keeper:
    """The gate's state, and the clock that looks after it.

    Args:
        boot_secret: keys of the cookies; from PID 1, so that they outlive a crash of the gate.
        login: where our own page lies.
    """

    def __init__(self, config: GateConfig, *, boot_secret: bytes, login: Path) -> None:
        self.config = config
        self.desk = Desk(config.rfb, config.rfbauth)
        self.viewers: set[Viewer] = set()
        self.strangers: limits.Crowd[Connection | Newcomer] = limits.Crowd(
            limits.STRANGERS, lambda each: each.silent
        )
        self._known: limits.Crowd[Connection] = limits.Crowd(limits.KNOWN, lambda each: each.idle)
        self.connections: set[Connection] = set()
        self.arriving: Counter[Arrival] = Counter()  # between the upgrade request and our 101
        self.trouble = ""  # why Xvnc let the last viewer not in; said once
        self.files: dict[str, pages.Page] = pages.index_folder(config.web)
        self._page: LoginPage = pages.load_login(login)
        self._boot_secret = boot_secret
        self._tokens_path = Path(config.tokens)
        self._denied_path = self._tokens_path.with_name(LOGGED_OUT_FILE)
        self._denied = load_denied(self._denied_path)
        self._tokens_state = self._state()
        self._tokens_checked = time.monotonic()
        self._tokens = () if config.open else load_tokens(self._tokens_path)
        self._ticking = False

    def context(self) -> Context:
        """What a decision made now rests on."""
        self.look_at_tokens()
        seen = Counter((viewer.access.role, viewer.guest) for viewer in self.viewers)
        here = self.arriving + seen
        return Context(
            config=self.config,
            tokens=self._tokens,
            boot_secret=self._boot_secret,
            denied=self._denied,
            now=time.time(),
            chance=os.urandom(CHANCE_BYTES),
            page=self._page,
            files=self.files,
            places=self._places(here),
            guests=limits.GUESTS - sum(here[role, True] for role in Role),
        )

    def _places(self, here: Mapping[Arrival, int]) -> dict[Role, int]:
        watching = here[Role.VIEW, False]
        free = limits.VIEWERS - watching - here[Role.CONTROL, False]
        return {Role.CONTROL: free, Role.VIEW: min(free, limits.WATCHERS - watching)}

    def greet(self, connection: Connection) -> Connection | None:
        """One showed a good credential; return who has to go for it."""
        self.strangers.remove(connection)
        return self._known.add(connection)

    def forget(self, connection: Connection) -> None:
        """One is gone, or became a viewer."""
        self.connections.discard(connection)
        self.strangers.remove(connection)
        self._known.remove(connection)

    # Tokens

    def _state(self) -> TokensState | None:
        try:
            status = self._tokens_path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def look_at_tokens(self) -> None:
        """Re-read the token file if it changed; at most one look a second."""
        moment = time.monotonic()
        if moment - self._tokens_checked >= limits.TICK_SECONDS:
            self._tokens_checked = moment
            state = self._state()
            if state != self._tokens_state and not self._is_being_written(state):
                self.reload_tokens()

    def _is_being_written(self, state: TokensState | None) -> bool:
        """Whether an editor may have emptied the file and not yet filled it again.

        Only in place: a file that was renamed to this name is whole.
        """
        if state is None or self._tokens_state is None or state[1] != self._tokens_state[1]:
            return False
        return 0 <= time.time() - state[0] / 1e9 < limits.SETTLE_SECONDS

    def reload_tokens(self) -> None:
        """Take the token file as it is now. A bad one keeps the old set and is said once."""
        if self.config.open:
            return
        self._tokens_state = self._state()
        try:
            tokens = load_tokens(self._tokens_path)
        except TokensUnreadableError as error:
            log.error(f"token file: cannot use it, the old tokens stay in force: {error}")
            return
        self._tokens = tokens
        log.info(f"token file: read again, {len(tokens)} tokens")
        for viewer in tuple(self.viewers):
            self.look_at(viewer)

    def look_at(self, viewer: Viewer) -> None:
        """End a viewer whose token or session is no longer good."""
        if self.config.open:
            return
        session = viewer.access.session
        if session is not None and self._denied.holds(session):
            viewer.close(POLICY, "logged out")
        else:
            viewer.keep(self._same_token(viewer.access.token))

    def _same_token(self, old: Token | None) -> Token | None:
        for token in self._tokens:
            if old is not None and hmac.compare_digest(token.digest, old.digest):
                return token
        return None

    def log_out(self, session: Session | None) -> None:
        """Forget a session and end its viewers."""
        if session is None:
            return
        self._denied = self._denied.adding(session)
        try:
            write_private(self._denied_path, self._denied.to_json().encode())
        except OSError as error:
            log.warning(f"a logout is forgotten if the gate dies: {error.strerror}")
        for viewer in tuple(self.viewers):
            self.look_at(viewer)

    # Viewers

    def admit(self, viewer: Viewer) -> None:
        """Count a viewer, and look after it."""
        self.viewers.add(viewer)
        if not self._ticking:
            self._ticking = True
            self._later()

    def count(self) -> tuple[int, int]:
        """Viewers with control, and those who only watch; not who was only greeted."""
        joined = Counter(viewer.access.role for viewer in self.viewers if viewer.joined)
        return joined[Role.CONTROL], joined[Role.VIEW]

    def _later(self) -> None:
        asyncio.get_running_loop().call_later(limits.TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        """One clock for all viewers; it stops when there are none, so an idle gate sleeps."""
        self.look_at_tokens()
        now = time.time()
        for viewer in tuple(self.viewers):
            viewer.tick(now)
        self._ticking = bool(self.viewers)
        if self._ticking:
            self._later()
