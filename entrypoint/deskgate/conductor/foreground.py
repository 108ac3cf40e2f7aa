"""The user's command: in the foreground, as if nobody stood before it.

Its own process group, the terminal if there is one, default signal dispositions, and the exit
statuses of a shell (POSIX.1-2024, XCU 2.8.2).
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

from deskgate import streams
from deskgate.errors import Status, reason_of
from deskgate.files import find_program
from deskgate.identity import become
from deskgate.users import User

# Python ignores SIGPIPE and SIGXFSZ, whoever started us may have ignored others, and an ignored
# signal stays ignored across exec.
RESET: Final = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
STDIN: Final = 0
SHELL: Final = "/bin/sh"
SAMPLE_BYTES: Final = 80  # bash looks at no more of a file
MISSING: Final = (FileNotFoundError, NotADirectoryError, ValueError)  # Python's, for an empty name


class ForkError(Exception):
    """There is no process to be had for the command."""


def fork_unheard() -> tuple[int, set[int]]:
    """Fork so that no signal is lost between here and exec; also the mask from before.

    All signals are blocked on both sides: the child resets them before it becomes a program, the
    parent restores the mask once it has made the child's process group.

    Raises:
        OSError: no process is to be had; the mask is restored, or we would go on deaf.
    """
    before = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        pid = os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise
    if pid == 0:
        signal.set_wakeup_fd(-1)
    return pid, before


def reset_signals() -> None:
    """Give the signals back their default meaning, as a program expects them."""
    for sig in RESET:
        signal.signal(sig, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def execute(argv: Sequence[str], environ: Mapping[str, str], user: User | None = None) -> NoReturn:
    """Become the command, as a user; if that cannot be, end as a shell would: 127 or 126."""
    reset_signals()
    try:
        if user is not None:
            become(user)
        _exec(argv, environ)
    except (OSError, ValueError) as error:
        status, reason = _refusal(argv[0], environ, error)
    streams.tell("error", f"{argv[0] or '(empty)'}: {reason}")
    os._exit(status)


def _exec(argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    try:
        os.execvpe(argv[0], list(argv), dict(environ))
    except OSError as error:
        script = find_program(argv[0], environ.get("PATH"))
        if error.errno != errno.ENOEXEC or script is None or _is_binary(script):
            raise
        # A text without `#!`: shells run it as a script of theirs, and so does execvp(3).
        os.execve(SHELL, [SHELL, script, *argv[1:]], dict(environ))


def _is_binary(path: str) -> bool:
    """Whether a shell would not read it: a NUL in what may be its first line, as bash has it."""
    with Path(path).open("rb") as file:
        return b"\0" in file.read(SAMPLE_BYTES).partition(b"\n")[0]


def _refusal(name: str, environ: Mapping[str, str], error: Exception) -> tuple[Status, str]:
    """Status and reason of a command that cannot be run."""
    folders = [""] if "/" in name else environ.get("PATH", os.defpath).split(os.pathsep)
    exists = any(os.path.exists(os.path.join(folder, name)) for folder in folders if name)  # noqa: PTH110, PTH118
    if not exists and (isinstance(error, MISSING) or "/" not in name):
        return Status.NOT_FOUND, "command not found"  # also where a folder of PATH is locked
    if isinstance(error, FileNotFoundError):
        return Status.NOT_FOUND, "the interpreter or loader that it names is not there"
    return Status.NOT_EXECUTABLE, (getattr(error, "strerror", "") or str(error)).lower()


def exit_status(wait_status: int) -> int:
    """A wait status as a shell shows it: the exit status, or 128 + the signal's number."""
    code = os.waitstatus_to_exitcode(wait_status)
    return code if code >= 0 else 128 - code


class Foreground:
    """One run of the user's command."""

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str], user: User | None = None
    ) -> None:
        self._argv = argv
        self._environ = environ
        self._user = user
        self._terminal = _owns_terminal()
        self.pid = 0
        self.status: int | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.pid > 0 and self.status is None

    def start(self) -> None:
        """Fork and exec. Both sides set the group and the terminal: either may come first."""
        try:
            pid, before = fork_unheard()
        except OSError as error:  # a limit of pids or memory
            self.status = Status.NOT_EXECUTABLE
            raise ForkError(f"cannot start {self._argv[0]}: {reason_of(error)}") from None
        if pid == 0:
            self._take_terminal(os.getpid())
            execute(self._argv, self._environ, self._user)
        self.pid = pid
        self._take_terminal(pid)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _take_terminal(self, pid: int) -> None:
        try:
            os.setpgid(pid, pid)
        except (PermissionError, ProcessLookupError):
            return  # the child was faster: it is already the command, or already gone
        if self._terminal:
            _set_foreground(pid)

    def signal(self, sig: int) -> None:
        """Pass a signal on: to the command, as the engine would, and what ends it to its group."""
        if not self.running:
            return
        send = os.killpg if sig in (signal.SIGTERM, signal.SIGKILL, signal.SIGCONT) else os.kill
        # It may be gone already, or have become another user.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(self.pid, sig)
        if sig == signal.SIGTERM and self._terminal and _ignores(self.pid, sig):
            # An interactive shell ignores SIGTERM; a terminal that closes is what ends it.
            self.signal(signal.SIGHUP)

    def give_up(self) -> None:
        """It outlived SIGKILL, as another user's or in the kernel: it ends with the container."""
        self.status = 128 + signal.SIGKILL

    def stopped(self, wait_status: int) -> None:
        """The command was stopped from its terminal, where nobody could continue it."""
        if os.WSTOPSIG(wait_status) != signal.SIGSTOP:
            self.signal(signal.SIGCONT)

    def ended(self, wait_status: int) -> None:
        """The command ended: keep its status and take the terminal back."""
        self.status = exit_status(wait_status)
        if self._terminal:
            _set_foreground(os.getpgrp())


def _ignores(pid: int, sig: int) -> bool:
    """Whether a process ignores a signal (proc(5), SigIgn)."""
    try:
        about = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    mask = int(about.partition("SigIgn:")[2].split()[0], 16)
    return bool(mask >> (sig - 1) & 1)


def _owns_terminal() -> bool:
    try:
        return os.isatty(STDIN) and os.tcgetpgrp(STDIN) == os.getpgrp()
    except OSError:
        return False


def _set_foreground(group: int) -> None:
    # A background group that changes the terminal's owner gets SIGTTOU (tcsetpgrp(3)).
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(STDIN, group)
    except OSError:
        pass  # the terminal is gone
    finally:
        signal.signal(signal.SIGTTOU, before)
