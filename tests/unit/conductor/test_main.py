"""What PID 1 does before its loop."""

from __future__ import annotations

import os
import signal

import pytest

from deskgate.conductor.__main__ import wait_for
from deskgate.errors import ProgramError


def child(end: int) -> int:
    """A process that ends with a status, or with a signal where that is negative."""
    if (pid := os.fork()) == 0:
        if end < 0:
            os.kill(os.getpid(), -end)
        os._exit(end)
    return pid


def test_a_renderer_that_was_killed_is_said() -> None:
    """For want of memory, say: it had no time for a word."""
    wait_for(child(0))
    with pytest.raises(ProgramError, match="signal 9 ended who writes its files"):
        wait_for(child(-signal.SIGKILL))


def test_a_renderer_that_said_why_ends_the_container_with_its_status() -> None:
    """73, and not a second line."""
    if (pid := os.fork()) == 0:
        wait_for(child(73))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 73
