"""What we take from supervisor 4.3.0, and what we change in it. The only module that knows it.

Taken: the configuration file's parser, the program's state machine, spawning (user, directory,
environment, pipes, process groups) and the collecting of output. Changed: who decides when
(`loop.Conductor` does, not a tick once a second), and these faults of its:

- a stop that comes between fork and exec meets supervisord's own Python signal handler in the
  child, or a process group that is not made yet, and is lost until SIGKILL: signals are blocked
  around fork and reset in the child, and both sides make the group;
- programs inherit Python's ignored SIGPIPE: reset with the rest;
- its log lines speak of itself: they become debug lines of ours;
- it reads its file in the locale's encoding: as UTF-8, which the file is in.

The version is pinned; `tests/unit/conductor/test_embed.py` fails when an internal changes.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

from supervisor.dispatchers import PInputDispatcher
from supervisor.options import ProcessConfig, ServerOptions
from supervisor.process import Subprocess
from supervisor.states import ProcessStates

from deskgate.conductor.budget import Farewell
from deskgate.conductor.foreground import fork_unheard, reset_signals
from deskgate.conductor.lines import LineDispatcher, OnLine
from deskgate.conductor.log import Log
from deskgate.conductor.quiet import QuietLogger
from deskgate.conductor.readiness import Wait
from deskgate.conductor.restart import History, Rest
from deskgate.conductor.sections import blame, compare, complete, read_our_keys
from deskgate.identity import become
from deskgate.listening import keep
from deskgate.signs import Sign
from deskgate.users import User

# At its end; a grandchild that goes on writing shall not keep us. Each read takes up to 128 KiB.
MAX_LAST_READS = 64
TAIL_LINES = 20  # of a chatty program, shown when it dies


class Process(Subprocess):  # type: ignore[misc]
    """A program of supervisor's with our history."""

    def __init__(self, config: ProgramConfig) -> None:
        super().__init__(config)
        self.history = History()
        self.rest = None if config.autostart else Rest.DOWN
        self.retry_at: float | None = None  # monotonic seconds
        self.wait: Wait | None = None  # for what it needs; once it runs, for its readiness
        self.started_at = 0.0  # monotonic seconds
        self.last_exit: str | None = None
        self.tail: list[str] = []
        self.told: list[str] = []  # the tail that the log has
        self.beats = 0  # signs of life on its standard output
        self.suspended = False  # stopped by a signal
        self.farewell: Farewell | None = None  # it was asked to stop

    @property
    def name(self) -> str:
        """The program's name."""
        return str(self.config.name)

    @property
    def ready(self) -> bool:
        """Whether what needs it may start."""
        return self.history.ready_at is not None

    def call_up(self) -> None:
        """Let it run, also when it was given up: somebody asks for it."""
        self.rest = self.retry_at = self.wait = None
        self.history.deaths = 0

    def close_input(self) -> None:
        """Let it read the end of its input: nobody will ever write there."""
        fd, self.pipes["stdin"] = self.pipes["stdin"], None
        self.dispatchers.pop(fd).close()
        self.config.options.close_fd(fd)

    def spawn(self) -> int | None:
        """Start it. Without a process supervisor closes the pipes, and leaves them to poll(2)."""
        pid: int | None = super().spawn()
        if not self.pid:
            self.dispatchers.clear()
            self.pipes.clear()
        return pid

    def set_uid(self) -> str | None:
        """In the child: be the user that the plan says, also one without a line in passwd."""
        user = self.config.options.users.get(self.name)
        if user is None:
            message: str | None = super().set_uid()
            return message
        try:
            become(user)
        except OSError as error:
            return str(error.strerror)
        return None

    def _prepare_child_fds(self) -> None:
        """In the child: the port goes to the gate; what else is open closes at exec."""
        super()._prepare_child_fds()
        listener = self.config.options.listener
        if listener is not None and self.config.reads_secret:
            os.dup2(*listener)

    def drain(self) -> None:
        """Read what it left in its pipes; supervisor reads once, and loses an unfinished line."""
        for dispatcher in self.dispatchers.values():
            for _ in range(MAX_LAST_READS):
                if not dispatcher.readable():
                    break
                dispatcher.handle_read_event()

    def keep_tail(self, line: str) -> None:
        """Remember a line for the case that the program dies."""
        if line.strip():
            self.tail = [*self.tail[-TAIL_LINES + 1 :], line]

    def running(self) -> None:
        """Ready: supervisor calls that RUNNING."""
        if self.state == ProcessStates.STARTING:
            self.change_state(ProcessStates.RUNNING)


class ProgramConfig(ProcessConfig):  # type: ignore[misc]
    """supervisor's row of a program, and the keys of ours that it ignores."""

    needs: tuple[str, ...]
    ready: str
    ready_seconds: float
    live: Sign | None
    essential: bool
    chatty: bool
    reads_secret: bool
    hook: bool
    restarts: str

    def make_process(self, group: object = None) -> Process:
        """Make a program of our kind."""
        process = Process(self)
        process.group = group
        return process

    def make_dispatchers(self, proc: Process) -> tuple[dict[int, Any], dict[str, int]]:
        """Make the pipes: output goes to us line by line, never to a file."""
        pipes = self.options.make_pipes(stderr=True)
        on_output, on_error = self.options.on_output, self.options.on_error
        dispatchers = {
            pipes["stdout"]: LineDispatcher(proc, "stdout", pipes["stdout"], on_output),
            pipes["stderr"]: LineDispatcher(proc, "stderr", pipes["stderr"], on_error),
            pipes["stdin"]: PInputDispatcher(proc, "stdin", pipes["stdin"]),
        }
        return dispatchers, pipes


class Options(ServerOptions):  # type: ignore[misc]
    """supervisor's options: the file's parser, and its way to the system."""

    around_fork: AbstractContextManager[None] = contextlib.nullcontext()  # of a program

    def __init__(
        self,
        log: Log,
        *,
        on_output: OnLine,
        on_error: OnLine,
        users: Mapping[str, User] | None = None,
        listener: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.users = users or {}
        self.listener = listener and (keep(listener[0]), listener[1])
        self.logger = QuietLogger(log)
        self.on_output = on_output
        self.on_error = on_error

    def usage(self, message: object) -> None:
        """supervisor would print its help and exit with 2."""
        raise blame(str(message), self.configfile)

    def open(self, path: str, mode: str = "r") -> IO[Any]:
        """Open the file."""
        return Path(path).open(mode, encoding="utf-8")

    def processes_from_section(
        self, parser: Any, section: str, group_name: str, klass: object = None
    ) -> list[ProgramConfig]:
        """Read one section, our keys as well."""
        complete(parser, section)
        programs = super().processes_from_section(parser, section, group_name, ProgramConfig)
        for program in programs:
            read_our_keys(program, parser, section)
        return list(programs)

    def fork(self) -> int:
        """Fork unheard. The child makes its process group; so do we, as a stop may come before."""
        with self.around_fork:
            pid, before = fork_unheard()
        if pid == 0:
            reset_signals()
        else:
            with contextlib.suppress(OSError):  # the child was faster, or is gone
                os.setpgid(pid, pid)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid

    def kill(self, pid: int, sig: int) -> None:
        """Send a signal. Of one that is refused supervisor would remember a state it fails in."""
        with contextlib.suppress(PermissionError):  # it became another user
            super().kill(pid, sig)

    def execve(self, filename: str, argv: list[str], env: Mapping[str, str]) -> None:
        """Exec without the variables that supervisor adds."""
        os.execve(filename, argv, {k: v for k, v in env.items() if not k.startswith("SUPERVISOR_")})


def load(path: str, options: Options, expected: Mapping[str, Sequence[str] | None]) -> None:
    """Read the rendered file, with what it includes, and compare it with the plan.

    Args:
        expected: program name → its arguments, as the plan has them; None where only its file
            knows them.

    Raises:
        InternalError: rendering and reading do not agree.
    """
    options.realize(["-c", path, "-n"])
    groups = options.process_group_configs
    compare([config for group in groups for config in group.process_configs], expected)
