"""The desktop's programs: started by need and readiness, restarted with backoff, stopped by level.

Holds no loop: `loop.Conductor` calls `advance` or `stop_step` whenever something happened or a
deadline of `due` has come.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from deskgate.conductor import stopping
from deskgate.conductor.embed import Process
from deskgate.conductor.limits import Killer, ProcessLimit, ending
from deskgate.conductor.log import Log
from deskgate.conductor.needs import Needs
from deskgate.conductor.restart import Rest, rest_after_end
from deskgate.conductor.starting import Starter
from deskgate.conductor.stopping import WayDown

TELL_AGAIN_SECONDS: Final = 1.0  # while the disk is full


class Desktop:
    """All programs of one container.

    Args:
        programs: by name.
        levels: names by level of need.
        boot_secret: for the programs that read a secret, on one line.
        tickets: of the printed links, on the same line: the first time only, as nobody knows
            later which of them are used up.
        on_change: called after each change of a program's state, and later again while it
            returns False.
        on_failure: called when an essential program cannot live.
    """

    def __init__(
        self,
        programs: Mapping[str, Process],
        log: Log,
        *,
        levels: Sequence[Sequence[str]],
        boot_secret: str,
        tickets: Sequence[str],
        on_change: Callable[[], bool],
        on_failure: Callable[[], None],
    ) -> None:
        self.programs = programs
        self.needs = Needs(programs)
        self._log = log
        self._levels = levels
        self._starter = Starter(log, boot_secret=boot_secret, tickets=tickets, tell=self._tell)
        self._on_change = on_change
        self._on_failure = on_failure
        self._process_limit = ProcessLimit()
        self.killer = Killer()
        self._way_down: WayDown | None = None
        self._untold_at: float | None = None  # monotonic seconds; when to tell of a change again

    @property
    def settled(self) -> bool:
        """Whether the user's command may start: what must be ready is, the rest was tried."""
        return not self.awaited

    @property
    def awaited(self) -> list[Process]:
        """The programs for which the user's command waits."""
        return [each for each in self.programs.values() if self.needs.hold_up(each)]

    def due(self, now: float) -> Iterable[float]:
        """When something has to be done although nothing happened, in monotonic seconds."""
        if self._way_down is not None:
            yield from self._way_down.due()
            return
        if self._untold_at is not None:
            yield self._untold_at
        for process in self.programs.values():
            if process.farewell is not None:
                yield from stopping.due([process])
                continue  # its end will be heard
            if process.retry_at is not None:
                yield process.retry_at
            if process.wait is not None:
                yield process.wait.ask_at
            if process.pid and not process.ready and process.config.ready_seconds:
                yield process.started_at + process.config.ready_seconds

    # --- starting ----------------------------------------------------------------------------

    def advance(self, now: float) -> bool:
        """Do what is due; True when a program changed, so that more may be due at once."""
        if self._untold_at is not None and self._untold_at <= now:
            self._tell(now)
        changed = False
        for process in self.programs.values():
            changed |= self._advance_program(process, now)
        return changed

    def _advance_program(self, process: Process, now: float) -> bool:
        if process.farewell is not None:
            stopping.step(process, now)
            return False
        if process.pid:
            return self._starter.ask(process, now)
        if process.rest is not None or (process.retry_at is not None and process.retry_at > now):
            return False
        process.retry_at = None  # from here on it waits for its needs, and not for a time
        if self.needs.met(process, now):
            if not self._starter.start(process, now):
                how = f"cannot start: {process.last_exit}"
                self._died(process, how, expected=False)
            self._tell(now)
            return True
        if missing := self.needs.overdue(process, now):
            how = f"{missing} is not there after {process.config.ready_seconds:g} s"
            if process.name in self.needs.essential:
                self._leave(process, Rest.FAILED, how)
            else:
                self._log.event("warning", f"{process.name}: {how}; still waiting")
        return False

    def _tell(self, now: float) -> None:
        self._untold_at = None if self._on_change() else now + TELL_AGAIN_SECONDS

    # --- what programs say -------------------------------------------------------------------

    def output_line(self, process: Process, line: str) -> None:
        """A line on a program's standard output: readiness, a sign of life, or for the log."""
        config = process.config
        if process.ready and config.live is not None and not config.live.must_be_asked:
            process.beats += 1
            return
        if config.ready == "stdout" and not process.ready and process.pid:
            self._starter.became_ready(process, time.monotonic())
            if config.reads_secret or config.chatty:
                return  # the gate's and Xvnc's say nothing else
        self.error_line(process, line)

    def error_line(self, process: Process, line: str) -> None:
        """A line for the log."""
        process.keep_tail(line)
        level = "debug" if process.config.chatty else "info"
        self._log.program_line(process.name, line, level=level)

    def halted(self, process: Process, *, suspended: bool) -> None:
        """A program was stopped by a signal, or goes on."""
        process.suspended = suspended
        self._tell(time.monotonic())

    # --- ending ------------------------------------------------------------------------------

    def ended(self, process: Process, pid: int, wait_status: int) -> None:
        """A program's process is gone: keep the books, and plan the next start."""
        farewell, process.farewell = process.farewell, None
        process.suspended = False
        process.finish(pid, wait_status)
        process.wait = None
        struck = self.killer.struck(wait_status)
        process.last_exit = ending(wait_status, out_of_memory=struck)
        expected = os.waitstatus_to_exitcode(wait_status) in process.config.exitcodes
        if farewell is not None:
            process.history.ready_at = None
            if farewell.again:
                process.call_up()
        elif expected and process.config.ready == "exit":
            process.rest = Rest.DONE
            self._starter.became_ready(process, time.monotonic())
        else:
            self._died(process, f"ended with {process.last_exit}", expected=expected)
        self._tell(time.monotonic())

    def _died(self, process: Process, how: str, *, expected: bool) -> None:
        now = time.monotonic()
        # As X clients do with Xvnc: no fault of its own, and it waits for what it needs.
        along = process.ready and not self.needs.kept(process)
        if along:
            process.history.ready_at = None
        else:
            process.history.died(now)
        self.tell_limit()
        if self._way_down is not None:
            return
        if process.config.chatty and process.tail != process.told and not along:
            for line in process.tail:
                self._log.program_line(process.name, line, level="warning")
            process.told = process.tail  # the same again would tell nothing new
        once, restarts = process.config.ready == "exit", process.config.restarts
        rest = rest_after_end(process.history, expected=expected, once=once, restarts=restarts)
        if rest is not None:
            again = ", again and again" if process.history.deaths > 1 else ""
            self._leave(process, rest, f"{how}{again}")
            return
        if along:
            self._log.event("info", f"{process.name}: {how}, as what it needs has")
            return
        delay = process.history.delay_seconds()
        process.retry_at = now + delay
        when = f"in {delay:g} s" if delay else "now"
        self._log.event("warning", f"{process.name}: {how}; starting it again {when}")

    def tell_limit(self) -> None:
        """Say that processes were refused: who ended may have ended of it."""
        if said := self._process_limit.refused():
            self._log.event("warning", said)

    def _leave(self, process: Process, rest: Rest, how: str) -> None:
        """Leave a program down; the container ends when it cannot do without."""
        process.rest = rest
        if process.name in self.needs.essential:
            self._log.event("error", f"{process.name}: {how}; stopping")
            self._on_failure()
            return
        level = "warning" if rest is Rest.FAILED else "info"
        self._log.event(level, f"{process.name}: {how}; it stays down")

    def restart(self, process: Process, now: float) -> None:
        """Stop a program if it is up, and start it at once, whatever its past.

        What needs it goes on: X clients end with Xvnc, and the gate does without it for a moment.
        """
        process.history.ready_at = None  # not for those who need it, even while it stops
        process.call_up()
        if not process.pid:
            process.retry_at = now  # due at once: nothing else may happen for long
        elif process.farewell is None:
            self._log.event("info", f"{process.name}: stopping it, to start it again")
            stopping.begin(process, now, process.config.stopwaitsecs, again=True)
            self._tell(now)

    @property
    def stopping(self) -> bool:
        """Whether everything is on its way down."""
        return self._way_down is not None

    @property
    def down(self) -> bool:
        """Whether no program has a process any more."""
        return self._way_down is not None and self._way_down.over

    def stop_step(self, now: float, deadline: float) -> None:
        """Stop level by level; call it until the desktop is down.

        Args:
            deadline: when it has to be, in monotonic seconds.
        """
        if self._way_down is None:
            levels = [[self.programs[name] for name in names] for names in self._levels]
            self._way_down = WayDown(levels, deadline=deadline)
        self._way_down.step(now)
