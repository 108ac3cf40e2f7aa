"""The loop of PID 1: waits, reaps, passes signals on, and ends.

Nothing here waits in a sleep: the loop sleeps in poll(2) until a descriptor has something or the
next deadline has come.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence

from supervisor.supervisord import Supervisor

from deskgate.conductor import waiting
from deskgate.conductor.budget import BUDGET_SECONDS, COMMAND_SECONDS, KILL_SECONDS
from deskgate.conductor.control import Control
from deskgate.conductor.desktop import Desktop
from deskgate.conductor.embed import Options
from deskgate.conductor.foreground import Foreground, ForkError
from deskgate.conductor.limits import ending
from deskgate.conductor.liveness import Liveness
from deskgate.conductor.log import Log
from deskgate.conductor.progress import Progress
from deskgate.conductor.replies import Reply, answer
from deskgate.conductor.strays import end_strays
from deskgate.conductor.waiting import Ear
from deskgate.errors import Status


class Conductor(Supervisor):  # type: ignore[misc]
    """supervisor's Supervisor with our loop.

    Args:
        levels: program names by level of need.
        command: the user's; None runs until stopped.
        on_ready: called once, when the desktop is ready, before the command starts.
        on_change: see `desktop.Desktop`.
        boot_secret, tickets: for the programs that read a secret.
        door: the control socket; None when it cannot be made.
    """

    def __init__(
        self,
        options: Options,
        log: Log,
        *,
        levels: Sequence[Sequence[str]],
        command: Foreground | None,
        on_ready: Callable[[], None],
        on_change: Callable[[], bool],
        boot_secret: str,
        tickets: Sequence[str],
        door: socket.socket | None = None,
    ) -> None:
        super().__init__(options)
        self._log = log
        self._on_ready = on_ready
        self._command = command
        self._stopping = False
        self._failure: Status | None = None
        self._stopped_by: int = signal.SIGTERM
        self._deadline = 0.0  # of the whole end, in monotonic seconds
        self._command_deadline = 0.0
        self._killed = False  # the command got SIGKILL
        self._wake = -1
        for config in options.process_group_configs:
            self.add_process_group(config)
        self.desktop = Desktop(
            {
                name: process
                for group in self.process_groups.values()
                for name, process in group.processes.items()
            },
            log,
            levels=levels,
            boot_secret=boot_secret,
            tickets=tickets,
            on_change=on_change,
            on_failure=lambda: self.stop(Status.UNAVAILABLE),
        )
        self._liveness = Liveness(self.desktop.programs, log)
        self._progress: Progress | None = Progress(self.desktop, log, time.monotonic())
        self._control = None if door is None else Control(door, self._answer)

    def _answer(self, request: bytes, now: float) -> Reply:
        return answer(request, now, desktop=self.desktop, ring=self._log.ring)

    def run(self) -> int:
        """Run to the end; returns the container's exit status."""
        self._wake = waiting.catch_signals()
        self.handle_signal()  # a stop may have come while we loaded: then nothing is started
        while True:
            now = time.monotonic()
            changed = self._advance(now)
            if self._control is not None:
                self._control.advance(now)  # last: it tells what the rest has done
            if self._stopping and self.desktop.down and not self._command_running:
                end_strays(self._wait)
                return self._exit_status()
            self._wait(0.0 if changed else self._seconds_to_next(time.monotonic()))

    def _advance(self, now: float) -> bool:
        if self._command is not None and self._command.status is not None:
            self._begin_end(now)
        if self._stopping:
            self._advance_end(now)
            return False
        self._liveness.advance(now)
        changed = self.desktop.advance(now)
        if self._progress is not None and not self._stopping:
            if self.desktop.settled:
                self._progress = None
                self._on_ready()
                self._start_command()
            else:
                self._progress.advance(now)
        return changed

    def _start_command(self) -> None:
        if self._command is None:
            return
        try:
            self._command.start()
        except ForkError as error:
            self._log.event("error", str(error))
            self.desktop.tell_limit()

    # --- waiting -----------------------------------------------------------------------------

    def _wait(self, seconds: float | None) -> None:
        """Sleep until something happens or `seconds` are over; then handle it."""
        waiting.wait(self._wake, self.get_process_map(), list(self._ears()), seconds)
        # In this order: a child that ends after its signal was read announces itself again.
        self.handle_signal()
        self.reap()

    def _ears(self) -> Iterator[Ear]:
        yield self._log
        yield from self._liveness.probes
        if self._control is not None:
            yield self._control
            yield from self._control.clients

    def _seconds_to_next(self, now: float) -> float | None:
        """Seconds until something is due; None when only an event can change anything."""
        due = list(self.desktop.due(now))
        if self._stopping and self._command_running:
            due = [self._command_deadline]
        elif not self._stopping:
            due += self._liveness.due()
            if self._progress is not None:
                due.append(self._progress.due())
        if self._control is not None:
            due += self._control.due()
        return min((max(0.0, when - now) for when in due), default=None)

    # --- children and signals ----------------------------------------------------------------

    @property
    def _command_running(self) -> bool:
        return self._command is not None and self._command.running

    def reap(self, once: bool = False, recursionguard: int = 0) -> None:
        """Collect every child that changed: the command's, the programs', and orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            command = self._command if self._command and self._command.pid == pid else None
            if os.WIFSTOPPED(status) or os.WIFCONTINUED(status):
                if command is not None and os.WIFSTOPPED(status):
                    command.stopped(status)
                elif command is None and pid in self.options.pidhistory:
                    halted = self.options.pidhistory[pid]
                    self.desktop.halted(halted, suspended=os.WIFSTOPPED(status))
            elif command is not None:
                command.ended(status)
                if self.desktop.killer.struck(status):
                    how = ending(status, out_of_memory=True)
                    self._log.event("warning", f"the command ended with {how}")
                if status:
                    self.desktop.tell_limit()
            elif process := self.options.pidhistory.pop(pid, None):
                self.desktop.ended(process, pid, status)

    def handle_signal(self) -> None:
        """Act on the signals that came."""
        try:
            received = os.read(self._wake, 512)
        except BlockingIOError:
            return
        for sig in received:
            if sig == signal.SIGCHLD:
                continue  # `reap` looks by itself
            started = self._command is not None and self._command.pid > 0
            if sig == signal.SIGTERM or (sig in (signal.SIGINT, signal.SIGQUIT) and not started):
                self.stop(by=sig)
            elif self._command is not None:
                self._command.signal(sig)

    # --- stopping ----------------------------------------------------------------------------

    def stop(self, failure: Status | None = None, *, by: int = signal.SIGTERM) -> None:
        """Begin to end; asked again, the command hears the signal again.

        Args:
            failure: our own reason, which becomes the exit status.
            by: the signal that asked.
        """
        self._failure = self._failure or failure
        self._stopped_by = by
        self._begin_end(time.monotonic())
        if self._command is not None:
            self._command.signal(signal.SIGTERM)

    def _begin_end(self, now: float) -> None:
        if not self._stopping:
            self._stopping = True
            self._deadline = now + BUDGET_SECONDS
            self._command_deadline = now + COMMAND_SECONDS

    def _advance_end(self, now: float) -> None:
        """The command first; then the programs."""
        if self._command is None or not self._command.running:
            self.desktop.stop_step(now, self._deadline)
        elif now >= self._command_deadline and self._killed:
            self._command.give_up()
        elif now >= self._command_deadline:
            self._killed = True
            self._command.signal(signal.SIGKILL)
            self._command_deadline = now + KILL_SECONDS

    def _exit_status(self) -> int:
        if self._failure is not None:
            return self._failure
        if self._command is None:
            return Status.OK
        if self._command.status is None:  # stopped before it was started: not a success of its own
            return 128 + self._stopped_by
        return self._command.status
