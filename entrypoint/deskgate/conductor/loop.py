"""The loop of PID 1: waits, reaps, passes signals on, and ends.

Nothing here waits in a sleep: the loop sleeps in poll(2) until a descriptor has something or the
next deadline has come.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from supervisor.supervisord import Supervisor

from deskgate.conductor.desktop import Desktop
from deskgate.conductor.embed import Options
from deskgate.conductor.foreground import Foreground, ForkError
from deskgate.conductor.log import Log
from deskgate.conductor.strays import end_strays
from deskgate.errors import Status

# Engines wait 10 s before they kill: the command gets most of it, the programs the rest.
COMMAND_GRACE_SECONDS: Final = 7.0
KILL_GRACE_SECONDS: Final = 1.0
# What a terminal does to jobs in its background; we log there, and must not be stopped.
IGNORED: Final = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
# Faults of our own are ours, and a write that nobody reads is an error to Python.
OURS: Final = frozenset(
    {
        *(signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGPIPE, signal.SIGXFSZ),
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT),
        *(signal.SIGTRAP, signal.SIGSYS, *IGNORED),
    }
)
CAUGHT: Final = signal.valid_signals() - OURS


class Conductor(Supervisor):  # type: ignore[misc]
    """supervisor's Supervisor with our loop.

    Args:
        levels: program names by level of need.
        command: the user's; None runs until stopped.
        on_ready: called once, when the desktop is ready, before the command starts.
        on_change: see `desktop.Desktop`.
        boot_secret, tickets: for the programs that read a secret.
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
    ) -> None:
        super().__init__(options)
        self._log = log
        self._on_ready = on_ready
        self._command = command
        self._ready = False
        self._stopping = False
        self._failure: Status | None = None
        self._stopped_by: int = signal.SIGTERM
        self._command_deadline = 0.0  # monotonic seconds
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

    def run(self) -> int:
        """Run to the end; returns the container's exit status."""
        self._catch_signals()
        self.handle_signal()  # a stop may have come while we loaded: then nothing is started
        while True:
            changed = self._advance(time.monotonic())
            if self._stopping and self.desktop.down and not self._command_running:
                end_strays(self._wait)
                return self._exit_status()
            self._wait(0.0 if changed else self._seconds_to_next(time.monotonic()))

    def _advance(self, now: float) -> bool:
        if self._command is not None and self._command.status is not None:
            self._stopping = True
        if self._stopping:
            self._advance_stop(now)
            return False
        changed = self.desktop.advance(now)
        if not self._ready and not self._stopping and self.desktop.settled:
            self._ready = True
            self._on_ready()
            self._start_command()
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

    def _catch_signals(self) -> None:
        self._wake, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for sig in IGNORED:
            signal.signal(sig, signal.SIG_IGN)
        for sig in CAUGHT:
            signal.signal(sig, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CAUGHT)  # `deskgate run` blocked them

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
        for fd, events in poll.poll(None if seconds is None else seconds * 1000):
            if fd in dispatchers:
                _dispatch(dispatchers[fd], events)
            elif fd == self._log.fileno():
                self._log.flush()
        # In this order: a child that ends after its signal was read announces itself again.
        self.handle_signal()
        self.reap()

    def _seconds_to_next(self, now: float) -> float | None:
        """Seconds until something is due; None when only an event can change anything."""
        due = list(self.desktop.due(now))
        if self._stopping and self._command_running:
            due = [self._command_deadline]
        return min((max(0.0, when - now) for when in due), default=None)

    # --- children and signals ----------------------------------------------------------------

    @property
    def _command_running(self) -> bool:
        return self._command is not None and self._command.running

    def reap(self, once: bool = False, recursionguard: int = 0) -> None:
        """Collect every child that changed: the command's, the programs', and orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            command = self._command if self._command and self._command.pid == pid else None
            if os.WIFSTOPPED(status):
                if command is not None:
                    command.stopped(status)
            elif command is not None:
                command.ended(status)
                if status:
                    self.desktop.tell_limit()
                if command.status == 128 + signal.SIGKILL and self.desktop.killer.struck():
                    self._log.event("warning", "the command ended with signal 9, out of memory")
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
        if not self._stopping:
            self._stopping = True
            self._command_deadline = time.monotonic() + COMMAND_GRACE_SECONDS
        if self._command is not None:
            self._command.signal(signal.SIGTERM)

    def _advance_stop(self, now: float) -> None:
        """The command first; then the programs."""
        if self._command is None or not self._command.running:
            self.desktop.stop_step(now)
        elif now >= self._command_deadline and self._killed:
            self._command.give_up()
        elif now >= self._command_deadline:
            self._killed = True
            self._command.signal(signal.SIGKILL)
            self._command_deadline = now + KILL_GRACE_SECONDS

    def _exit_status(self) -> int:
        if self._failure is not None:
            return self._failure
        if self._command is None:
            return Status.OK
        if self._command.status is None:  # stopped before it was started: not a success of its own
            return 128 + self._stopped_by
        return self._command.status


def _dispatch(dispatcher: Any, events: int) -> None:
    try:
        if events & (select.POLLIN | select.POLLHUP) and dispatcher.readable():
            dispatcher.handle_read_event()
        elif dispatcher.writable():
            dispatcher.handle_write_event()
    except OSError:
        dispatcher.handle_error()
