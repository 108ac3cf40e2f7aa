"""The container's limits of memory and processes, and who goes first when memory is out.

The kernel has them in the container's control group (cgroups(7)): with version 2 in one folder,
with version 1 in one for each controller. Where there is none, nothing is told.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from pathlib import Path
from typing import Final

CGROUP: Final = Path("/sys/fs/cgroup")
MEMORY: Final = ("memory.max", "memory/memory.limit_in_bytes")
PROCESSES: Final = ("pids.max", "pids/pids.max")
REFUSED: Final = ("pids.events", "pids/pids.events")  # a line `max N`
KILLED: Final = ("memory.events", "memory/memory.oom_control")  # among others, a line `oom_kill N`
MIB: Final = 1024 * 1024
# Measured with a viewer, a terminal and the health check: 63.7 MiB, some of it the files' pages.
NEEDED_MIB: Final = 64
# By so many thousandths of the memory a program of the desktop looks larger to the kernel, which
# kills the largest when there is none left: else that is PID 1, and with it everything (proc(5)).
EXPENDABLE: Final = 300
MOST_EXPENDABLE: Final = 1000


def _read(folder: Path, names: tuple[str, str]) -> str:
    for name in names:
        with contextlib.suppress(OSError):
            return (folder / name).read_text(encoding="ascii").strip()
    return ""


def scarce_memory(folder: Path = CGROUP) -> str | None:
    """What to say where the desktop will hardly fit into the memory; None where it does."""
    most = _read(folder, MEMORY)
    if not most.isdecimal() or int(most) >= NEEDED_MIB * MIB:  # version 2 writes `max` for none
        return None
    return f"the memory limit is {int(most) // MIB} MiB: a desktop needs {NEEDED_MIB} or more"


class ProcessLimit:
    """Counts the processes that were refused because of the container's limit."""

    def __init__(self, folder: Path = CGROUP) -> None:
        self._folder = folder
        self._refused = self._count()

    def refused(self) -> str | None:
        """What to say if some were since the last time."""
        before, self._refused = self._refused, self._count()
        if self._refused == before:
            return None
        most = _read(self._folder, PROCESSES)
        return f"the limit of {most} processes is reached: raise --pids-limit"

    def _count(self) -> int:
        return int(_read(self._folder, REFUSED).removeprefix("max ") or 0)


def ending(wait_status: int, *, out_of_memory: bool) -> str:
    """How a process ended, in words."""
    if not os.WIFSIGNALED(wait_status):
        return f"status {os.waitstatus_to_exitcode(wait_status)}"
    return f"signal {os.WTERMSIG(wait_status)}{', out of memory' if out_of_memory else ''}"


class Killer:
    """Counts whom the kernel killed because the memory was used up."""

    def __init__(self, folder: Path = CGROUP) -> None:
        self._folder = folder
        self._killed = self._count()

    def struck(self, wait_status: int) -> bool:
        """Whether it killed the process of ours that ended so; to be asked once for each."""
        if not os.WIFSIGNALED(wait_status) or os.WTERMSIG(wait_status) != signal.SIGKILL:
            return False
        before, self._killed = self._killed, self._count()
        return self._killed > before

    def _count(self) -> int:
        found = re.search(r"^oom_kill (\d+)$", _read(self._folder, KILLED), re.MULTILINE)
        return int(found[1]) if found else 0


class Expendable:
    """Makes those who are forked within it larger to the kernel than they are; see EXPENDABLE.

    Made before `memory.lock`, after which the file is root's.
    """

    def __init__(self) -> None:
        self._fd: int | None = None
        self._own = 0
        with contextlib.suppress(OSError):
            self._fd = os.open("/proc/self/oom_score_adj", os.O_RDWR | os.O_CLOEXEC)
            self._own = int(os.pread(self._fd, 16, 0))

    def __enter__(self) -> None:
        self._set(min(self._own + EXPENDABLE, MOST_EXPENDABLE))

    def __exit__(self, *_: object) -> None:
        self._set(self._own)  # ours again; in the child too the descriptor is ours

    def _set(self, score: int) -> None:
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.pwrite(self._fd, str(score).encode(), 0)
