"""How PID 1 sleeps: until a signal comes, a descriptor has something, or time is up."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from supervisor.dispatchers import PDispatcher

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


class Ear(Protocol):
    """Something to wait for, besides the programs' pipes."""

    def fileno(self) -> int:
        """What to poll."""

    @property
    def mask(self) -> int:
        """What to poll it for; 0 for nothing now."""

    def handle(self, events: int) -> None:
        """Do what it is ready for, without waiting."""


def catch_signals() -> int:
    """Let every signal write its number into a pipe; returns the end to read."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for sig in IGNORED:
        signal.signal(sig, signal.SIG_IGN)
    for sig in CAUGHT:
        signal.signal(sig, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, CAUGHT)  # `deskgate run` blocked them
    return reader


def wait(
    wake: int, dispatchers: Mapping[int, PDispatcher], ears: Sequence[Ear], seconds: float | None
) -> None:
    """Sleep until something happens or `seconds` are over; serve every descriptor.

    Args:
        wake: what `catch_signals` returned; it is not read here.
        dispatchers: supervisor's, by the descriptor of the pipe.
        seconds: None for ever.
    """
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    for fd, dispatcher in dispatchers.items():
        mask = (select.POLLIN if dispatcher.readable() else 0) | (
            select.POLLOUT if dispatcher.writable() else 0
        )
        if mask:
            poll.register(fd, mask)
    listening = {ear.fileno(): ear for ear in ears if ear.mask}
    for fd, ear in listening.items():
        poll.register(fd, ear.mask)
    for fd, events in poll.poll(None if seconds is None else seconds * 1000):
        if fd in dispatchers:
            _dispatch(dispatchers[fd], events)
        elif fd in listening:
            listening[fd].handle(events)


def _dispatch(dispatcher: PDispatcher, events: int) -> None:
    try:
        if events & (select.POLLIN | select.POLLHUP) and dispatcher.readable():
            dispatcher.handle_read_event()
        elif dispatcher.writable():
            dispatcher.handle_write_event()
    except OSError:
        dispatcher.handle_error()
