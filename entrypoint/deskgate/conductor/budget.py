"""How long an end may take. Pure: times come in as arguments, in seconds of a monotonic clock.

Engines wait 10 s before they kill everything. The command has most of that, the programs what is
left: level by level, as those below serve those above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

BUDGET_SECONDS: Final = 9.0  # of all of it: 0.5 s more for the log, the rest for a slow machine
COMMAND_SECONDS: Final = 7.0
KILL_SECONDS: Final = 0.2  # for a process to be gone after SIGKILL; it takes milliseconds
REPEAT_SECONDS: Final = 1.0  # before a stop signal that had no effect is sent again


def grace_seconds(left: float, wants: Sequence[float]) -> float:
    """What the first of several may take of what is left for all of them.

    Who wants less than a fair share gets it, and the others share what that leaves.

    Args:
        wants: what each would take, the first's own first.
    """
    left = max(0.0, left - KILL_SECONDS * len(wants))
    own, sharers = wants[0], len(wants)
    for want in sorted(each for each in wants if each < own):
        left -= min(want, left / sharers)
        sharers -= 1
    return min(own, left / sharers)


class Step(Enum):
    """What is to be done to end a program."""

    ASK = auto()
    KILL = auto()


@dataclass(kw_only=True, slots=True)
class Farewell:
    """The end of one program: asked to stop, asked again, killed, and at last left behind.

    Args:
        ask_at: when to send its stop signal next.
        kill_at: when to send SIGKILL.
        leave_at: when to wait no longer, once that is done.
        left: that time has come: it cannot be killed, as another user's or in the kernel.
        again: it is to start again when it has ended.
    """

    ask_at: float
    kill_at: float
    leave_at: float | None = None
    left: bool = False
    again: bool = False

    def due(self) -> float:
        """When the next step is; there is none once it is left."""
        return min(self.ask_at, self.kill_at) if self.leave_at is None else self.leave_at

    def step(self, now: float) -> Step | None:
        """What to do now; None for nothing."""
        if now < self.due():
            return None
        if self.leave_at is not None:
            self.left = True
            return None
        if now >= self.kill_at:
            self.leave_at = now + KILL_SECONDS
            return Step.KILL
        self.ask_at = now + REPEAT_SECONDS
        return Step.ASK
