"""How long the gate waits for a viewer: its clocks, all monotonic. Pure but for reading them."""

from __future__ import annotations

import time

from deskgate.gate import limits


class Patience:
    """The clocks of one viewer."""

    def __init__(self) -> None:
        self.began = self._heard = self.pinged = time.monotonic()
        self._stalled: tuple[float, int] | None = None  # since when, and how much was waiting
        self._empty = (0, 0)  # this second, and frames without content in it

    @property
    def age(self) -> float:
        """Seconds since the upgrade."""
        return time.monotonic() - self.began

    def heard(self) -> None:
        """Something came, if only a pong."""
        self._heard = time.monotonic()

    @property
    def dead(self) -> bool:
        """Whether nothing came for too long."""
        return time.monotonic() - self._heard >= limits.DEAD_SECONDS

    def ping_is_due(self) -> bool:
        """Whether to ping now; counts as done."""
        moment = time.monotonic()
        if moment - self.pinged < limits.PING_SECONDS:
            return False
        self.pinged = moment
        return True

    def stopped_taking(self, waiting: int) -> None:
        """The viewer took no more; so many bytes wait."""
        self._stalled = (time.monotonic(), waiting)

    def takes_again(self) -> None:
        """And now it does."""
        self._stalled = None

    def stalled(self, waiting: int) -> bool:
        """Whether it took nothing at all for too long; slow is not stalled."""
        if self._stalled is None:
            return False
        moment = time.monotonic()
        since, before = self._stalled
        if waiting < before:
            self._stalled = (moment, waiting)
            return False
        return moment - since >= limits.STALL_SECONDS

    def too_many_empty_frames(self) -> bool:
        """Count a frame without content: they cost the viewer nothing, and us our time."""
        second, count = int(time.monotonic()), self._empty[1] + 1
        self._empty = (second, count if second == self._empty[0] else 1)
        return self._empty[1] > limits.EMPTY_FRAMES_PER_SECOND
