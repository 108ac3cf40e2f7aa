"""When to start a program again, and when to give it up. Pure: times come in as arguments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STABLE_SECONDS: Final = 10.0  # ready for so long, and earlier deaths are forgotten
FIRST_DELAY_SECONDS: Final = 0.5
MAX_DELAY_SECONDS: Final = 30.0
MAX_DOUBLINGS: Final = 6  # 32 s
# One that never became ready will hardly do so; one that did has earned about half a minute.
TRIES_IF_NEVER_READY: Final = 3
TRIES: Final = 8


class Rest(StrEnum):
    """Why a program that is down stays so until somebody starts it."""

    DOWN = "down"  # it was never wanted, as with autostart=false
    DONE = "done"  # it ended well
    FAILED = "failed"  # it cannot live


@dataclass(kw_only=True, slots=True)
class History:
    """The life of one program, in seconds of a monotonic clock.

    Args:
        ready_at: when the running one became ready; None while it is not.
        ever_ready: whether any was.
        deaths: in a row, without a stable time between.
        starts: in all.
    """

    ready_at: float | None = None
    ever_ready: bool = False
    deaths: int = 0
    starts: int = 0

    def started(self) -> None:
        """A process was spawned, or tried to be."""
        self.starts += 1
        self.ready_at = None

    def became_ready(self, now: float) -> None:
        """It answers."""
        self.ready_at = now
        self.ever_ready = True

    def died(self, now: float) -> None:
        """It is gone, and nobody asked it to go."""
        stable = self.ready_at is not None and now - self.ready_at >= STABLE_SECONDS
        self.deaths = 1 if stable else self.deaths + 1
        self.ready_at = None

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return max(0, self.starts - 1)

    def delay_seconds(self) -> float:
        """How long to wait before the next start: at once after the first death."""
        if self.deaths <= 1:
            return 0.0
        doublings = min(self.deaths - 2, MAX_DOUBLINGS)  # a float overflows at 1024
        return min(FIRST_DELAY_SECONDS * 2.0**doublings, MAX_DELAY_SECONDS)

    def cannot_live(self) -> bool:
        """Whether it has used up its tries."""
        return self.deaths >= (TRIES if self.ever_ready else TRIES_IF_NEVER_READY)


def rest_after_end(history: History, *, expected: bool, once: bool, restarts: str) -> Rest | None:
    """What becomes of a program that ended and was not asked to; None: it is started again.

    Args:
        expected: it ended with one of the statuses that are good for it.
        once: its end is its readiness.
        restarts: `always`, `unexpected` or `never`.
    """
    if once or restarts == "never" or (restarts == "unexpected" and expected):
        return Rest.DONE if expected else Rest.FAILED
    return Rest.FAILED if history.cannot_live() else None
