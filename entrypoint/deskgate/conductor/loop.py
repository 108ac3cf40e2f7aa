"""The loop: starts by need and readiness, restarts with backoff, stops by level, and ends.

Nothing here waits in a sleep: the loop sleeps in poll(2) until a descriptor or the next deadline.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from supervisor.states import ProcessStates
from supervisor.supervisord import Supervisor

from deskgate.conductor import readiness
from deskgate.conductor.embed import Options, Process
from deskgate.conductor.foreground import Foreground, exit_status
from deskgate.conductor.log import Log
from deskgate.errors import Status

# Engines wait 10 s before they kill: the command gets most of it, each level of programs a part.
COMMAND_GRACE_SECONDS: Final = 7.0
LEVEL_GRACE_SECONDS: Final = 1.0
FORWARDED: Final = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
CAUGHT: Final = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, *FORWARDED)


def _settled(process: Process) -> bool:
    """Whether the desktop need not wait for it any more."""
    return process.ready or (not process.config.essential and process.history.starts > 0)


class Conductor(Supervisor):  # type: ignore[misc]
    """supervisor's Supervisor with our loop.

    Args:
        levels: program names by level of need.
        command: the user's; None runs until stopped.
        on_ready: called once, when all programs have become ready.
        on_change: called after each change of a program's state.
        boot_secret: one line for the programs that read a secret.
    """

    def __init__(
        self,
        options: Options,
        log: Log,
        *,
        levels: Sequence[Sequence[str]],
        command: Foreground | None,
        on_ready: Callable[[], None],
        on_change: Callable[[], None],
        boot_secret: str,
    ) -> None:
        super().__init__(options)
        self._log = log
        self._levels = [tuple(level) for level in levels]
        self._on_ready = on_ready
        self._on_change = on_change
        self._boot_secret = boot_secret
        self.command = command
        self.programs: dict[str, Process] = {}
        self.all_ready = False
        self._stopping = False
        self._failure: Status | None = None
        self._deadline = 0.0  # of the stop's current step
        self._wake = -1

    def run(self) -> int:
        """Run to the end; returns the container's exit status."""
        for config in self.options.process_group_configs:
            self.add_process_group(config)
        self.programs = {
            name: process
            for group in self.process_groups.values()
            for name, process in group.processes.items()
        }
        self._catch_signals()
        while True:
            changed = self._advance(time.monotonic())
            if changed:
                self._on_change()
            if self._stopping and self._all_down():
                return self._exit_status()
            self._wait(0.0 if changed else self._next_deadline(time.monotonic()))

    # --- waiting -----------------------------------------------------------------------------

    def _catch_signals(self) -> None:
        self._wake, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for sig in CAUGHT:
            signal.signal(sig, lambda *_: None)

    def _wait(self, seconds: float | None) -> None:
        """Sleep until a descriptor has something or `seconds` are over; then handle it."""
        dispatchers = self.get_process_map()
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        for fd, dispatcher in dispatchers.items():
            mask = (select.POLLIN if dispatcher.readable() else 0) | (
                select.POLLOUT if dispatcher.writable() else 0
            )
            if mask:
                poll.register(fd, mask)
        if self._log.waiting:
            poll.register(self._log.fileno(), select.POLLOUT)
        for fd, events in poll.poll(None if seconds is None else max(0.0, seconds) * 1000):
            if fd == self._log.fileno():
                self._log.flush()
            elif fd in dispatchers:
                self._dispatch(dispatchers[fd], events)
        self.reap()
        self.handle_signal()

    def _dispatch(self, dispatcher: Any, events: int) -> None:
        try:
            if events & (select.POLLIN | select.POLLHUP) and dispatcher.readable():
                dispatcher.handle_read_event()
            elif dispatcher.writable():
                dispatcher.handle_write_event()
        except OSError:
            dispatcher.handle_error()

    def _next_deadline(self, now: float) -> float | None:
        """Seconds until something is due; None when only an event can change anything."""
        return min((max(0.0, when - now) for when in self._due(now)), default=None)

    def _due(self, now: float) -> Iterable[float]:
        if self._stopping:
            yield self._deadline
            return
        for process in self.programs.values():
            if process.retry_at is not None:
                yield process.retry_at
            elif process.pid and not process.ready:
                yield process.started_at + process.config.ready_seconds
                if readiness.must_be_asked(process.config.ready):
                    yield now + readiness.PROBE_SECONDS

    # --- children and signals ----------------------------------------------------------------

    def reap(self, once: bool = False, recursionguard: int = 0) -> None:
        """Collect every child that changed: the command's, the programs', and orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            ours = self.command is not None and pid == self.command.pid
            if os.WIFSTOPPED(status):
                if ours and self.command is not None:
                    self.command.stopped(status)
            elif ours and self.command is not None:
                self.command.ended(status)
            elif process := self.options.pidhistory.pop(pid, None):
                self._ended(process, pid, status)

    def _ended(self, process: Process, pid: int, status: int) -> None:
        asked = process.killing
        process.finish(pid, status)
        code = exit_status(status)
        process.last_exit = f"status {code}" if code < 128 else f"signal {code - 128}"
        if asked:
            process.history.ready_at = None
        else:
            self._died(process, process.last_exit)
        self._on_change()

    def handle_signal(self) -> None:
        """Act on the signals that came."""
        try:
            received = os.read(self._wake, 512)
        except BlockingIOError:
            return
        for number in received:
            sig = signal.Signals(number)
            if sig == signal.SIGCHLD:
                continue
            if sig == signal.SIGTERM or (self.command is None and sig not in FORWARDED):
                self.stop()
            elif self.command is not None:
                self.command.signal(sig)

    # --- starting and restarting -------------------------------------------------------------

    def _advance(self, now: float) -> bool:
        """Do what is due; True when a program changed and more may be due at once."""
        if self.command is not None and self.command.status is not None:
            self.stop()
        if self._stopping:
            self._advance_stop(now)
            return False
        changed = False
        for process in self.programs.values():
            changed |= self._advance_program(process, now)
        if not self.all_ready and all(map(_settled, self.programs.values())):
            self.all_ready = True
            self._on_ready()
            if self.command is not None:
                self.command.start()
        return changed

    def _advance_program(self, process: Process, now: float) -> bool:
        if process.pid:
            return self._ask_readiness(process, now)
        if process.retry_at is None and process.history.starts:
            return False  # given up
        if process.retry_at is not None and process.retry_at > now:
            return False
        if not all(self.programs[need].ready for need in process.config.needs):
            return False
        self._spawn(process, now)
        return True

    def _spawn(self, process: Process, now: float) -> None:
        process.retry_at = None
        process.started_at = now
        process.tail = []
        process.history.started()
        process.spawn()
        if not process.pid:
            self._died(process, process.spawnerr or "cannot be started")
            return
        self._log.event("debug", f"{process.name}: started with pid {process.pid}")
        if process.config.reads_secret:
            with contextlib.suppress(OSError):  # it died at once; its exit tells
                process.write(f"{self._boot_secret}\n".encode())
        if process.config.ready == "spawn":
            self._became_ready(process, now)

    def _ask_readiness(self, process: Process, now: float) -> bool:
        if process.ready or process.killing:
            return False
        config = process.config
        if readiness.must_be_asked(config.ready) and readiness.answers(config.ready):
            self._became_ready(process, now)
            return True
        if now - process.started_at < config.ready_seconds:
            return False
        self._log.event(
            "warning", f"{process.name}: not ready after {config.ready_seconds:.0f} s; killing it"
        )
        os.killpg(process.pid, signal.SIGKILL)
        process.started_at = now  # not again until it is reaped
        return True

    def _became_ready(self, process: Process, now: float) -> None:
        again = process.history.ever_ready
        process.history.became_ready(now)
        process.running()
        process.tail = []  # what it says while it starts is no clue to a later death
        self._on_change()
        level = "info" if again else "debug"
        self._log.event(
            level, f"{process.name}: ready {now - process.started_at:.2f} s after start"
        )

    def output_line(self, process: Process, line: str) -> None:
        """A line on a program's standard output: the first may be its readiness."""
        if process.config.ready == "stdout" and not process.ready and process.pid:
            self._became_ready(process, time.monotonic())
        else:
            self.error_line(process, line)

    def error_line(self, process: Process, line: str) -> None:
        """A line for the log."""
        process.keep_tail(line)
        level = "debug" if process.config.chatty else "info"
        self._log.program_line(process.name, line, level=level)

    def _died(self, process: Process, how: str) -> None:
        now = time.monotonic()
        process.history.died(now)
        if self._stopping:
            return
        if process.config.chatty:
            for line in process.tail:
                self._log.program_line(process.name, line, level="warning")
        if process.config.essential and process.history.cannot_live():
            self._log.event("error", f"{process.name}: ended with {how} and cannot live; stopping")
            self.stop(Status.UNAVAILABLE)
            return
        delay = process.history.delay_seconds()
        process.retry_at = now + delay
        when = f"in {delay:g} s" if delay else "now"
        self._log.event("warning", f"{process.name}: ended with {how}; starting it again {when}")

    # --- stopping ----------------------------------------------------------------------------

    def stop(self, failure: Status | None = None) -> None:
        """Begin to end; asked again, the command hears the signal again.

        Args:
            failure: our own reason, which becomes the exit status.
        """
        self._failure = self._failure or failure
        if not self._stopping:
            self._stopping = True
            self._deadline = time.monotonic() + COMMAND_GRACE_SECONDS
        if self.command is not None:
            self.command.signal(signal.SIGTERM)

    def _advance_stop(self, now: float) -> None:
        """The command first, then the programs level by level, each level at once."""
        if self.command is not None and self.command.running:
            if now >= self._deadline:
                self.command.signal(signal.SIGKILL)
                self._deadline = now + LEVEL_GRACE_SECONDS
            return
        for process in self._highest_level_up():
            if process.state != ProcessStates.STOPPING:
                process.stop()
                self._deadline = now + LEVEL_GRACE_SECONDS
            elif now >= self._deadline:
                process.kill(signal.SIGKILL)
                self._deadline = now + LEVEL_GRACE_SECONDS

    def _highest_level_up(self) -> list[Process]:
        for names in reversed(self._levels):
            up = [self.programs[name] for name in names if self.programs[name].pid]
            if up:
                return up
        return []

    def _all_down(self) -> bool:
        command_down = self.command is None or not self.command.running
        return command_down and not self._highest_level_up()

    def _exit_status(self) -> int:
        if self._failure is not None:
            return self._failure
        if self.command is not None and self.command.status is not None:
            return self.command.status
        return Status.OK
