"""Ending programs: one that is to start again, or all of them, level by level, within a budget.

Holds no loop and starts nothing. What a program does about its stop signal changes only how long
it takes: it is asked again each second, then killed, and what cannot be killed is left behind.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence

from deskgate.conductor.budget import Farewell, Step, grace_seconds
from deskgate.conductor.embed import Process


def begin(process: Process, now: float, grace: float, *, again: bool = False) -> None:
    """Ask a program to stop; it has so many seconds until SIGKILL."""
    process.farewell = Farewell(ask_at=now, kill_at=now + grace, again=again)
    step(process, now)


def step(process: Process, now: float) -> None:
    """Do what is due to end a program that was asked to stop."""
    what = process.farewell.step(now) if process.farewell else None
    if what is Step.ASK:
        process.stop()
    elif what is Step.KILL:
        process.kill(signal.SIGKILL)


def due(processes: Iterable[Process]) -> Iterable[float]:
    """When the next step of those that were asked to stop is, in monotonic seconds."""
    for process in processes:
        if process.farewell is not None and not process.farewell.left:
            yield process.farewell.due()


class WayDown:
    """All programs on their way down.

    Args:
        levels: programs by level of need; the last one stops first.
        deadline: when all of them must be gone, in monotonic seconds.
    """

    def __init__(self, levels: Sequence[Sequence[Process]], *, deadline: float) -> None:
        self._levels = levels
        self._deadline = deadline
        self._begun = len(levels)  # the lowest level that was asked to stop

    def due(self) -> Iterable[float]:
        """When something has to be done although nothing happened, in monotonic seconds."""
        return due(self._up(self._begun))

    @property
    def over(self) -> bool:
        """Whether no program is up any more, but what cannot be killed."""
        return not any(self._up(at) for at in range(len(self._levels)))

    def step(self, now: float) -> None:
        """Stop the highest level that is up, all of it at once."""
        for at in reversed(range(len(self._levels))):
            if at < self._begun and self._up(at):
                self._begin(at, now)
            for process in self._up(at):
                step(process, now)
            if self._up(at):
                return

    def _begin(self, at: int, now: float) -> None:
        self._begun = at
        wants = [max(each.config.stopwaitsecs for each in up) for up in self._from(at)]
        grace = grace_seconds(self._deadline - now, wants)
        for process in self._up(at):
            begin(process, now, min(process.config.stopwaitsecs, grace))

    def _from(self, at: int) -> list[list[Process]]:
        """This level and those below, the highest first, without empty ones."""
        return [up for each in range(at, -1, -1) if (up := self._up(each))]

    def _up(self, at: int) -> list[Process]:
        if at >= len(self._levels):
            return []
        return [each for each in self._levels[at] if each.pid and not _is_left(each)]


def _is_left(process: Process) -> bool:
    return process.farewell is not None and process.farewell.left
