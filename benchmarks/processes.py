"""Processes from outside: starting them, waiting for them, what they cost."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ParamSpec

PATIENCE_SECONDS = 20.0


def run(*words: str) -> str:
    """Run a command to its end; its output."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


Args = ParamSpec("Args")


def timed(work: Callable[Args, object], *args: Args.args, **options: Args.kwargs) -> float:
    """Seconds that `work` takes."""
    began = time.perf_counter()
    work(*args, **options)
    return time.perf_counter() - began


def wait_until(
    condition: Callable[[], bool],
    *,
    seconds: float = PATIENCE_SECONDS,
    every: float = 0.002,
) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("waited too long")
        time.sleep(every)


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody accepts there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def family(pid: int) -> list[int]:
    """A process and all below it, those that its threads started aside (proc(5), children)."""
    found = [pid]
    for parent in found:  # grows while it is gone through
        children = _text(Path(f"/proc/{parent}/task/{parent}/children"))
        found += [int(word) for word in children.split()]
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # gone meanwhile
        return ""


def pss_mib(pids: Iterable[int], kind: str = "Pss") -> float:
    """Proportional set size (proc(5), smaps_rollup); for the gate's, root must ask.

    Args:
        kind: `Pss_Anon` leaves out what comes from files.
    """
    kib = 0
    for pid in pids:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        rows = (row.split() for row in rollup.splitlines())
        kib += next(int(row[1]) for row in rows if row[0] == f"{kind}:")
    return kib / 1024


def cpu_clocks(pids: Iterable[int]) -> dict[int, float]:
    """CPU seconds of living processes, all threads, by the clocks of clock_getcpuclockid(3)."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):  # gone meanwhile
            found[pid] = time.clock_gettime((~pid << 3) | 2)
    return found


def cpu_between(before: dict[int, float], after: dict[int, float]) -> float:
    """CPU seconds of those that still live: who ended in between did something else."""
    return sum(seconds - before.get(pid, 0) for pid, seconds in after.items())


def open_files(pid: int) -> int:
    """Descriptors that a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
