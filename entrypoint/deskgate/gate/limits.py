"""Every bound the gate keeps, with unit and reason. Pure.

Values of the security notes (OWASP WebSocket cheat sheet; measured against Xvnc where it says).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

TARGET_BYTES = 4096  # request target; longer is 414
HEADER_BYTES = 16 * 1024  # all header lines together; more is 431
HEADER_COUNT = 64
BODY_BYTES = 4096  # only a login has one; more is 413
QUERY_FIELDS = 64
REQUEST_SECONDS = 10.0  # to send a whole request; slower is 408
KEEP_ALIVE_SECONDS = 15.0  # idle between two requests
LINGER_SECONDS = 2.0  # after a refusal, for the answer to be read before the connection ends
LINGER_BYTES = 256 * 1024
READ_BYTES = 16 * 1024  # at once from one connection, so that none keeps the others waiting
# Taken at once. A new one is read three turns of the loop later; until then, fewer must follow
# than there are places for strangers, or it goes unheard with its request already here.
ACCEPTS = 16
SILENT_SECONDS = 0.25  # after which one that says nothing goes before those that do
STRANGERS = 64  # connections that showed no credential yet; one makes room for a new one
KNOWN = 256  # those that did and are no viewers; a browser has six, one a moment

VIEWERS = 16  # control and view together
WATCHERS = 12  # view alone, so that the holder of a view link cannot keep the owner out
GUESTS = 8  # machines that only want the greeting, such as `deskgate health`; they need no place
FIRST_MESSAGE_SECONDS = 10.0  # a viewer's ClientInit after the upgrade
EMPTY_FRAMES_PER_SECOND = 200  # pings, pongs and frames without content; browsers send none
MESSAGE_BYTES = 1024 * 1024  # one WebSocket message; pasted text is the largest there is
FRAGMENTS = 4096  # frames one message may come in: empty ones cost nothing but our time
SEND_BUFFER_BYTES = 8 * 1024 * 1024  # waiting for one viewer; above it ends with 1013
STALL_SECONDS = 30.0  # a viewer that takes nothing for this long ends with 1013
HIGH_WATER_BYTES = 256 * 1024  # above this we stop reading from the other side
PING_SECONDS = 20.0  # nginx drops an idle WebSocket after 60 s
DEAD_SECONDS = 59.0  # nothing heard, not even a pong; seen a tick later, so within a minute
NEWS_SECONDS = 0.1  # after which viewers hear who came or went; many at once are told once
CLOSE_SECONDS = 2.0  # for a viewer to answer our close frame

FAILURES = 10  # wrong tokens that one address may show at once
FAILURE_SECONDS = 6.0  # and then one in so long; more are 429
FAILURE_PEERS = 4096  # addresses that are remembered
TICKET_SECONDS = 30  # a ticket's life; a browser spends it within milliseconds
TICKET_SECONDS_AT_MOST = 600  # for links that a person has to open
TICKETS = 64  # unspent ones of one token; the oldest goes
LOANS = 4  # of control, at once
LOAN_AWAY_SECONDS = 30.0  # a borrower may be away for so long, as for a reload; then it is over
WATCH_LINKS = 16  # live ones that pages made
WATCH_LINK_SECONDS = 3600
WATCH_LINK_SECONDS_AT_MOST = 12 * 3600

SCREENSHOT_SECONDS = 10.0
SCREENSHOTS = 4  # asked for at once, of which one is taken; more are 503
DIALS = 4  # connects to Xvnc at once: its listen backlog is 5
DIAL_SECONDS = 5.0  # connect and handshake together
PROBE_SECONDS = 2.0  # /healthz' question to Xvnc
PROBE_FRESH_SECONDS = 1.0  # how long a good answer is kept, so that a flood of probes is none
PROBE_STALE_SECONDS = 0.05  # and a bad one, so that readiness is not seen late
RETRY_AFTER_SECONDS = 2  # what a 503 tells the client
SETTLE_SECONDS = 0.2  # a token file that is written in place is read this long after
TICK_SECONDS = 0.5  # expiry, pings, stalls and the token files are looked at this often

Item = TypeVar("Item", bound=Hashable)


class Crowd(Generic[Item]):
    """A bounded crowd in which one makes room for the newest: who does nothing, or the oldest.

    Refusing the newest would let silent connections keep everybody out. A person's request is
    here within milliseconds, long before others can push it out; and who comes from another
    address than the crowd is not pushed at all.

    Args:
        does_nothing: whether one of the crowd goes before those who came earlier.
        address: of one; the one that goes is of the address with the most.
    """

    def __init__(
        self, limit: int, does_nothing: Callable[[Item], bool], address: Callable[[Item], str]
    ) -> None:
        self._limit = limit
        self._does_nothing = does_nothing
        self._address = address
        self._items: dict[Item, None] = {}

    def add(self, item: Item) -> Item | None:
        """Let one in; return who has to go for it."""
        self._items[item] = None
        if len(self._items) <= self._limit:
            return None
        earlier = [each for each in self._items if each != item]
        going = [each for each in earlier if self._does_nothing(each)] or earlier
        many = Counter(map(self._address, going))
        goner = max(going, key=lambda each: many[self._address(each)])  # the oldest of them
        del self._items[goner]
        return goner

    def remove(self, item: Item) -> None:
        """Let one out, if it is here."""
        self._items.pop(item, None)

    def __len__(self) -> int:
        return len(self._items)
