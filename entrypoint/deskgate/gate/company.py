"""Who is here: the viewers, how many of them may come, and what their pages are told of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deskgate.gate import limits
from deskgate.gate.access import Access
from deskgate.gate.loans import Loans, handle_of
from deskgate.gate.metrics import Counts
from deskgate.gate.sessions import Session
from deskgate.tokens import OWNER, Role

if TYPE_CHECKING:
    from deskgate.gate.relay import Viewer

Arrival = tuple[Role, bool]  # whether as a guest


class Company:
    """The viewers. `keeper.Keeper` knows what lets them in.

    Args:
        clipboard: which way it goes for whoever controls; pages are told.
    """

    def __init__(self, *, began: float, clipboard: str) -> None:
        self.viewers: set[Viewer] = set()
        self.arriving: Counter[Arrival] = Counter()  # between the upgrade request and our 101
        self.counts = Counts(began=began)
        self.loans = Loans()
        self._clipboard = clipboard
        self._news: asyncio.TimerHandle | None = None

    # Places

    def here(self) -> Mapping[Arrival, int]:
        """How many there are, with those who are about to be."""
        seen = Counter((viewer.access.role, viewer.guest) for viewer in self.viewers)
        return self.arriving + seen

    @staticmethod
    def places(here: Mapping[Arrival, int]) -> dict[Role, int]:
        """How many more may come."""
        watching = here[Role.VIEW, False]
        free = limits.VIEWERS - watching - here[Role.CONTROL, False]
        return {Role.CONTROL: free, Role.VIEW: min(free, limits.WATCHERS - watching)}

    # Coming and going

    def welcome(self, viewer: Viewer) -> None:
        """Count one who came to stay."""
        self.counts.joined[viewer.role.value] += 1
        self.changed()

    def gone(self, viewer: Viewer) -> None:
        """Forget a viewer, but not what it moved."""
        self.viewers.discard(viewer)
        self.counts.to_viewers += viewer.sent
        self.counts.from_viewers += viewer.received
        if viewer.joined:
            self.changed()

    # Counting

    def joined(self) -> list[Access]:
        """The access of each viewer; not of who was only greeted."""
        return [viewer.access for viewer in self.viewers if viewer.joined]

    def by_role(self) -> dict[str, int]:
        """How many viewers there are of each role."""
        here = Counter(viewer.role for viewer in self.viewers if viewer.joined)
        return {role.value: here[role] for role in Role}

    def by_name(self) -> Counter[str]:
        """And by the name of their token."""
        return Counter(access.token.name for access in self.joined() if access.token)

    def watching(self) -> list[Session]:
        """The sessions to which control can be lent, each once.

        The newest stands last: nobody's coming puts him under a click that is meant for another.
        """
        here = {
            handle_of(access.session): access.session
            for access in self.joined()
            if access.session and access.role is Role.VIEW and not self.loans.to(access.session)
        }
        return [here[handle] for handle in sorted(here, key=lambda each: (here[each].issued, each))]

    # News

    def tell(self, viewer: Viewer) -> None:
        """Tell one its role, and who else is here."""
        others = self.by_role()
        if viewer.joined:
            others[viewer.role.value] -= 1
        told = {"role": viewer.role, "others": others, **self._shared(viewer.access)}
        if viewer.role is Role.CONTROL:
            told["clipboard"] = self._clipboard
        viewer.tell(json.dumps(told))

    def _shared(self, access: Access) -> dict[str, Any]:
        """What it may know of control that is lent, or can be; names are for who controls."""
        if access.session is None:
            return {}
        if access.role is Role.VIEW:
            loan = self.loans.to(access.session)
            return {"borrowed": loan.told} if loan else {}
        lent = self.loans.by(access.session)
        watching = [
            {"id": handle_of(session), "name": session.token.name} for session in self.watching()
        ]
        return {
            "owner": access.token is not None and access.token.name == OWNER,
            "watching": watching,
            "loans": [loan.told for loan in self.loans.each],
            "lent": lent.told if lent else None,
        }

    def changed(self) -> None:
        """Somebody came or went, or control did: all hear of it soon, once for many."""
        if self._news is None:
            loop = asyncio.get_running_loop()
            self._news = loop.call_later(limits.NEWS_SECONDS, self._tell_all)

    def _tell_all(self) -> None:
        self._news = None
        for viewer in tuple(self.viewers):
            self.tell(viewer)
