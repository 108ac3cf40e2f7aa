"""The desktop's programs: started by need and readiness, restarted with backoff, stopped by level.

Holds no loop: `loop.Conductor` calls `advance` and `stop_step` whenever something happened or a
deadline of `due` has come.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from supervisor.states import ProcessStates

from deskgate.conductor.embed import Process
from deskgate.conductor.foreground import exit_status
from deskgate.conductor.limits import ProcessLimit
from deskgate.conductor.log import Log
from deskgate.conductor.needs import Needs
from deskgate.conductor.oom import Killer
from deskgate.conductor.readiness import Wait, is_there, must_be_asked
from deskgate.conductor.restart import Rest, rest_after_end

# Engines wait 10 s before they kill; the user's command gets the rest of it.
LEVEL_GRACE_SECONDS: Final = 1.0
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
        self._boot_secret = boot_secret
        self._tickets = tickets
        self._on_change = on_change
        self._on_failure = on_failure
        self._process_limit = ProcessLimit()
        self.killer = Killer()
        self._stopping = False
        self._stop_deadline = 0.0  # monotonic seconds
        self._untold_at: float | None = None  # the same; when to try again to tell of a change

    @property
    def settled(self) -> bool:
        """Whether the user's command may start: what must be ready is, the rest was tried."""
        return not any(self.needs.hold_up(each) for each in self.programs.values())

    def due(self, now: float) -> Iterable[float]:
        """When something has to be looked at although nothing happened, in monotonic seconds."""
        if self._stopping:
            yield self._stop_deadline
            return
        if self._untold_at is not None:
            yield self._untold_at
        for process in self.programs.values():
            if process.killing:
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
        if process.pid:
            return self._ask_readiness(process, now)
        if process.rest is not None or (process.retry_at is not None and process.retry_at > now):
            return False
        process.retry_at = None  # from here on it waits for its needs, and not for a time
        if self.needs.met(process, now):
            self._spawn(process, now)
            return True
        if missing := self.needs.overdue(process, now):
            how = f"{missing} is not there after {process.config.ready_seconds:g} s"
            if process.name in self.needs.essential:
                self._leave(process, Rest.FAILED, how)
            else:
                self._log.event("warning", f"{process.name}: {how}; still waiting")
        return False

    def _spawn(self, process: Process, now: float) -> None:
        process.started_at = now
        process.wait = Wait(now) if must_be_asked(process.config.ready) else None
        process.tail = []
        process.history.started()
        process.spawn()
        if process.pid:
            self._spawned(process, now)
        else:
            self._died(process, f"cannot start: {process.spawnerr or 'no process'}", expected=False)
        self._tell(now)

    def _spawned(self, process: Process, now: float) -> None:
        level = "info" if process.config.hook else "debug"
        self._log.event(level, f"{process.name}: started with pid {process.pid}")
        if process.config.reads_secret:
            told = " ".join((self._boot_secret, *self._tickets))
            self._tickets = ()
            with contextlib.suppress(OSError):  # it died at once; its exit tells
                process.write(f"{told}\n".encode())
        if process.config.ready == "exit":
            process.close_input()
        elif process.config.ready == "spawn":
            self._became_ready(process, now)

    def _ask_readiness(self, process: Process, now: float) -> bool:
        if process.ready or process.killing:
            return False
        config = process.config
        if process.wait is not None and process.wait.is_due(now) and is_there(config.ready):
            self._became_ready(process, now)
            return True
        if not config.ready_seconds or now - process.started_at < config.ready_seconds:
            return False
        limit = f"{config.ready_seconds:g} s"
        self._log.event("warning", f"{process.name}: not ready after {limit}; killing it")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.started_at = now  # not again before it is reaped
        process.wait = None
        return True

    def _became_ready(self, process: Process, now: float) -> None:
        # Only spawned, it may die again at once: then there is a line about that.
        again = process.history.ever_ready and process.config.ready != "spawn"
        process.history.became_ready(now)
        process.wait = None
        process.running()
        process.tail = []  # what it says while it starts is no clue to a later death
        self._tell(now)
        seconds = now - process.started_at
        text = f"{process.name}: ready {seconds:.2f} s after its start"
        self._log.event("info" if again else "debug", text)

    def _tell(self, now: float) -> None:
        self._untold_at = None if self._on_change() else now + TELL_AGAIN_SECONDS

    # --- what programs say -------------------------------------------------------------------

    def output_line(self, process: Process, line: str) -> None:
        """A line on a program's standard output: the first may be its readiness."""
        config = process.config
        if config.ready == "stdout" and not process.ready and process.pid:
            self._became_ready(process, time.monotonic())
            if config.reads_secret or config.chatty:
                return  # the gate's and Xvnc's say nothing else
        self.error_line(process, line)

    def error_line(self, process: Process, line: str) -> None:
        """A line for the log."""
        process.keep_tail(line)
        level = "debug" if process.config.chatty else "info"
        self._log.program_line(process.name, line, level=level)

    # --- ending ------------------------------------------------------------------------------

    def ended(self, process: Process, pid: int, wait_status: int) -> None:
        """A program's process is gone: keep the books, and plan the next start."""
        asked = process.killing
        process.finish(pid, wait_status)
        process.wait = None
        signalled = os.WIFSIGNALED(wait_status)
        number = os.WTERMSIG(wait_status) if signalled else exit_status(wait_status)
        process.last_exit = f"signal {number}" if signalled else f"status {number}"
        if signalled and number == signal.SIGKILL and not asked and self.killer.struck():
            process.last_exit += ", out of memory"
        expected = not signalled and number in process.config.exitcodes
        if asked:
            process.history.ready_at = None
        elif expected and process.config.ready == "exit":
            process.rest = Rest.DONE
            self._became_ready(process, time.monotonic())
        else:
            self._died(process, f"ended with {process.last_exit}", expected=expected)
        self._tell(time.monotonic())

    def _died(self, process: Process, how: str, *, expected: bool) -> None:
        now = time.monotonic()
        process.history.died(now)
        self.tell_limit()
        if self._stopping:
            return
        if process.config.chatty and process.tail != process.told:
            for line in process.tail:
                self._log.program_line(process.name, line, level="warning")
            process.told = process.tail  # the same again would tell nothing new
        once, restarts = process.config.ready == "exit", process.config.restarts
        rest = rest_after_end(process.history, expected=expected, once=once, restarts=restarts)
        if rest is not None:
            again = ", again and again" if process.history.deaths > 1 else ""
            self._leave(process, rest, f"{how}{again}")
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

    @property
    def down(self) -> bool:
        """Whether no program has a process any more."""
        return not self._highest_level_up()

    def stop_step(self, now: float) -> None:
        """Stop the highest level that is up, all of it at once; kill what outlives its grace."""
        self._stopping = True
        for process in self._highest_level_up():
            if process.state != ProcessStates.STOPPING:
                process.stop()
                self._stop_deadline = now + LEVEL_GRACE_SECONDS
            elif now >= self._stop_deadline:
                process.kill(signal.SIGKILL)
                self._stop_deadline = now + LEVEL_GRACE_SECONDS

    def _highest_level_up(self) -> list[Process]:
        for names in reversed(self._levels):
            up = [self.programs[name] for name in names if self.programs[name].pid]
            if up:
                return up
        return []
