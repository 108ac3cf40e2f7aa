"""One program's start: its process, the secret that it reads, and its readiness."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Sequence

from deskgate.conductor.embed import Process
from deskgate.conductor.log import Log
from deskgate.conductor.readiness import Wait, is_there, must_be_asked


class Starter:
    """Starts the programs of one container.

    Args:
        boot_secret, tickets: see `desktop.Desktop`.
        tell: called with the time when a program has become ready.
    """

    def __init__(
        self,
        log: Log,
        *,
        boot_secret: str,
        tickets: Sequence[str],
        tell: Callable[[float], None],
    ) -> None:
        self._log = log
        self._boot_secret = boot_secret
        self._tickets = tickets
        self._tell = tell

    def start(self, process: Process, now: float) -> bool:
        """Make its process; whether there is one."""
        process.started_at = now
        process.wait = Wait(now) if must_be_asked(process.config.ready) else None
        process.tail = []
        process.history.started()
        process.spawn()
        if process.pid:
            self._started(process, now)
        else:
            process.last_exit = process.spawnerr or "no process"
        return bool(process.pid)

    def _started(self, process: Process, now: float) -> None:
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
            self.became_ready(process, now)

    def ask(self, process: Process, now: float) -> bool:
        """See whether it is ready by now, and kill it when that takes too long; True for both."""
        if process.ready or process.killing:
            return False
        config = process.config
        if process.wait is not None and process.wait.is_due(now) and is_there(config.ready):
            self.became_ready(process, now)
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

    def became_ready(self, process: Process, now: float) -> None:
        """It can be used."""
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
