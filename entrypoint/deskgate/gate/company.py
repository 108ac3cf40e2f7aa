"""Who is here: the viewers, how many of them may come, and what their pages are told of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from deskgate.gate import limits
from deskgate.gate.access import Access
from deskgate.gate.metrics import Counts
from deskgate.tokens import Role

if TYPE_CHECKING:
    from deskgate.gate.relay import Viewer

Arrival = tuple[Role, bool]  # whether as a guest


class Company:
    """The viewers. `keeper.Keeper` knows what lets them in."""

    def __init__(self, *, began: float) -> None:
        self.viewers: set[Viewer] = set()
        self.arriving: Counter[Arrival] = Counter()  # between the upgrade request and our 101
        self.counts = Counts(began=began)
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
        self.counts.joined[viewer.access.role.value] += 1
        self._changed()

    def gone(self, viewer: Viewer) -> None:
        """Forget a viewer, but not what it moved."""
        self.viewers.discard(viewer)
        self.counts.to_viewers += viewer.sent
        self.counts.from_viewers += viewer.received
        if viewer.joined:
            self._changed()

    # Counting

    def joined(self) -> list[Access]:
        """The access of each viewer; not of who was only greeted."""
        return [viewer.access for viewer in self.viewers if viewer.joined]

    def by_role(self) -> dict[str, int]:
        """How many viewers there are of each role."""
        here = Counter(access.role for access in self.joined())
        return {role.value: here[role] for role in Role}

    def by_name(self) -> Counter[str]:
        """And by the name of their token."""
        return Counter(access.token.name for access in self.joined() if access.token)

    # News

    def tell(self, viewer: Viewer) -> None:
        """Tell one its role, and who else is here."""
        others = self.by_role()
        if viewer.joined:
            others[viewer.access.role.value] -= 1
        viewer.tell(json.dumps({"role": viewer.access.role, "others": others}))

    def _changed(self) -> None:
        """Somebody came or went: all hear of it soon, once for many."""
        if self._news is None:
            loop = asyncio.get_running_loop()
            self._news = loop.call_later(limits.NEWS_SECONDS, self._tell_all)

    def _tell_all(self) -> None:
        self._news = None
        for viewer in tuple(self.viewers):
            self.tell(viewer)
