"""Strays: what left its parent, and is ours as the nearest who adopts orphans."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

GRACE_SECONDS: Final = 0.3  # for the kernel; who outlives it is another user's


def end_strays(wait: Callable[[float], None]) -> None:
    """End all of them. Below an init, nobody else would: only PID 1's end is that of all.

    Args:
        wait: collects the dead, and returns after so many seconds at the latest.
    """
    deadline = time.monotonic() + GRACE_SECONDS
    while (pids := _children()) and (left := deadline - time.monotonic()) > 0:
        for pid in pids:
            # It may be gone already, or be another user's.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        wait(left)


def _children() -> list[int]:
    # The dead that are not collected stand there as well (proc(5)).
    return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]
