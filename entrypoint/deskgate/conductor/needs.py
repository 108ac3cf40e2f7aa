"""Needs: what a program waits for before it starts, and what the container waits for at its own."""

from __future__ import annotations

from collections.abc import Mapping

from deskgate.conductor.embed import Process
from deskgate.conductor.readiness import Wait, is_there


class Needs:
    """The needs of all programs of one container.

    Args:
        programs: by name.
    """

    def __init__(self, programs: Mapping[str, Process]) -> None:
        self._programs = programs
        self._hooks = [each for each in programs.values() if each.config.hook]
        self.essential: set[str] = set()
        asked = [name for name, each in programs.items() if each.config.essential]
        while asked:  # whom an essential program needs is essential as well
            name = asked.pop()
            if name not in self.essential:
                self.essential.add(name)
                asked += [each.name for each in self._named(programs[name])]

    def _named(self, process: Process) -> list[Process]:
        return [self._programs[need] for need in process.config.needs if ":" not in need]

    def kept(self, process: Process) -> bool:
        """Whether the programs that it needs are the same as at its start, ready, and stay."""
        # One that is asked to stop closes its sockets before its end is heard. And it may be ready
        # again before the end of who had one of them is.
        return all(
            each.ready and not each.killing and each.started_at <= process.started_at
            for each in self._named(process)
        )

    def given_up(self, process: Process) -> list[str]:
        """The programs that it needs, and that will not start by themselves."""
        return [each.name for each in self._named(process) if each.rest and not each.ready]

    def met(self, process: Process, now: float) -> bool:
        """Whether a program may start: hooks come before everything, what it needs before it."""
        before = [] if process.config.hook else self._hooks
        if not all(each.ready for each in (*before, *self._named(process))):
            process.wait = None
            return False
        outside = [need for need in process.config.needs if ":" in need]
        if not outside:
            return True
        process.wait = process.wait or Wait(now)
        if not process.wait.is_due(now):
            return False
        process.wait.misses = next((need for need in outside if not is_there(need)), None)
        return process.wait.misses is None

    def overdue(self, process: Process, now: float) -> str | None:
        """What a program has waited for longer than it should; told once."""
        wait, limit = process.wait, process.config.ready_seconds
        if wait is None or wait.told or not limit or now - wait.since < limit:
            return None
        wait.told = True
        return wait.misses

    def hold_up(self, process: Process) -> bool:
        """Whether the user's command waits for a program.

        For an essential one until it is ready. For another until it was tried, unless it waits
        for something that may never come.
        """
        if process.ready or process.rest is not None:
            return False
        if process.name in self.essential:
            return True
        may_miss = any(":" in need for need in process.config.needs) or any(
            not each.ready and each.name not in self.essential for each in self._named(process)
        )
        return not process.history.starts and not may_miss
