"""What a person sees of a start that takes long: whom it waits for, in one line.

A terminal gets the line anew each second, in its place. A log gets one after three seconds, and
then ever fewer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from deskgate.conductor.desktop import Desktop
from deskgate.conductor.embed import Process
from deskgate.conductor.log import Log

TERMINAL_SECONDS: Final = 1.0  # until the first line, and from one to the next
LOG_SECONDS: Final = 3.0  # until the first line
LOG_PAUSE_SECONDS: Final = 5.0  # to the next, or half of the time so far if that is more


def describe(seconds: float, states: Iterable[tuple[str, str]]) -> str:
    """The line; first those that run, as the others wait for them.

    Args:
        states: names of programs, and what each does.
    """
    together: dict[str, list[str]] = {}
    for name, state in sorted(states, key=lambda each: each[1].startswith("waiting")):
        together.setdefault(state, []).append(name)
    told = "; ".join(f"{', '.join(names)} {state}" for state, names in together.items())
    return f"still starting after {int(seconds)} s: {told}"


def _state(process: Process) -> str:
    if process.pid:
        return "running" if process.config.hook else "starting"
    missing = process.wait.misses if process.wait else None
    return f"waiting for {missing}" if missing else "waiting"


class Progress:
    """Tells of one start.

    Args:
        now: when it began, in monotonic seconds.
    """

    def __init__(self, desktop: Desktop, log: Log, now: float) -> None:
        self._desktop = desktop
        self._log = log
        self._began = now
        self._next = now + (TERMINAL_SECONDS if log.rewrites else LOG_SECONDS)

    def advance(self, now: float) -> None:
        """Say how it stands, if it is time to."""
        if now < self._next:
            return
        seconds = now - self._began
        pause = TERMINAL_SECONDS if self._log.rewrites else max(LOG_PAUSE_SECONDS, seconds / 2)
        self._next = now + pause
        held_up = [(each.name, _state(each)) for each in self._desktop.awaited]
        self._log.passing(describe(seconds, held_up))

    def due(self) -> float:
        """When there is something to say next, in monotonic seconds."""
        return self._next
