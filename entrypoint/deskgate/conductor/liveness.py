"""Liveness: a program that hangs is found, killed and started again, within half a minute.

Not readiness: that is told once, by a program that starts. Here each one that is ready must show a
sign of life (`live=`) between two ticks of ours; four ticks in a row without one, and it hangs. So
does one that was stopped by a signal and that nobody continues.

Counted are ticks, never seconds of a clock: after `docker pause` an hour has passed for nobody. A
tick that comes late counts for nothing, as then we ourselves did not run.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deskgate.conductor.embed import Process
from deskgate.conductor.log import Log
from deskgate.conductor.prober import Probe

TICK_SECONDS: Final = 5.0
# A wake-up for something else, such as the gate's own sign, shortly before serves as well.
EARLY_SECONDS: Final = 1.0
LATE_SECONDS: Final = 2.5
MISSES: Final = 4  # with the rest of the tick before them 25 s at most
STOPPED_TICKS: Final = 3  # 10 to 15 s


@dataclass(kw_only=True, slots=True)
class Watch:
    """What is known of the life of one process.

    Args:
        beats: how many signs of its own it had shown at the last tick; None before the first.
        lived: whether it has shown any sign.
        misses: ticks in a row without one.
        stopped: ticks in a row that found it stopped by a signal.
        probe: the question that is under way.
    """

    pid: int
    beats: int | None = None
    lived: bool = False
    misses: int = 0
    stopped: int = 0
    probe: Probe | None = None


class Liveness:
    """Watches all programs of one container."""

    def __init__(self, programs: Mapping[str, Process], log: Log) -> None:
        self._programs = programs
        self._log = log
        self._watches: dict[str, Watch] = {}
        self._tick: float | None = None  # monotonic seconds of the next

    def due(self) -> Iterable[float]:
        """When to look at the programs next, in monotonic seconds."""
        if self._tick is not None:
            yield self._tick

    @property
    def probes(self) -> list[Probe]:
        """The questions under way, to be polled."""
        return [each.probe for each in self._watches.values() if each.probe]

    def advance(self, now: float) -> None:
        """Look at every program, if it is time."""
        watched = [each for each in self._programs.values() if _can_hang(each)]
        if not watched:
            self._tick = None
            return
        if self._tick is None:
            self._tick = now + TICK_SECONDS
        if now < self._tick - EARLY_SECONDS:
            return
        late = now - self._tick > LATE_SECONDS
        self._tick = now + TICK_SECONDS
        for name in self._watches.keys() - {each.name for each in watched}:
            self._forget(name)
        for process in watched:
            watch = self._watch(process)
            if late:
                continue
            if process.suspended:
                self._judge_stopped(process, watch)
            else:
                self._judge(process, watch)

    def _judge_stopped(self, process: Process, watch: Watch) -> None:
        watch.misses = 0
        watch.stopped += 1
        if watch.stopped >= STOPPED_TICKS:
            self._kill(process, "was stopped by a signal, and nobody continues it")

    def _judge(self, process: Process, watch: Watch) -> None:
        watch.stopped = 0
        shown = _shown(process, watch)
        if shown is not None:
            watch.lived |= shown
            watch.misses = 0 if shown else watch.misses + 1
        if watch.misses >= _patience(process, watch):
            self._kill(process, f"hangs, without a sign of life for {MISSES * TICK_SECONDS:g} s")

    def _watch(self, process: Process) -> Watch:
        """What is known of a program; of a new process nothing."""
        watch = self._watches.get(process.name)
        if watch is None or watch.pid != process.pid:
            self._forget(process.name)
            watch = self._watches[process.name] = Watch(pid=process.pid)
        return watch

    def _forget(self, name: str) -> None:
        watch = self._watches.pop(name, None)
        if watch is not None and watch.probe is not None:
            watch.probe.close()

    def _kill(self, process: Process, why: str) -> None:
        self._forget(process.name)
        if _is_traced(process.pid):
            return
        self._log.event("warning", f"{process.name}: {why}; killing it")
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _can_hang(process: Process) -> bool:
    if not process.pid or process.killing:
        return False
    return process.suspended or (process.ready and process.config.live is not None)


def _patience(process: Process, watch: Watch) -> float:
    """How many misses in a row are a hang: more of one that was never seen to work."""
    if watch.lived or process.config.ready != "spawn":
        return MISSES
    return MISSES + (process.config.ready_seconds or math.inf) / TICK_SECONDS


def _shown(process: Process, watch: Watch) -> bool | None:
    """Whether a program has shown a sign since the last tick; None when nobody can know.

    Asks it for the next one.
    """
    sign = process.config.live
    if sign is None:
        return None
    if not sign.must_be_asked:
        before, watch.beats = watch.beats, process.beats
        return None if before is None else process.beats > before
    if watch.probe is not None and watch.probe.alive is None:
        return False
    shown = None if watch.probe is None else watch.probe.alive
    watch.probe = None
    with contextlib.suppress(OSError):  # no descriptor or memory to be had: not its fault
        watch.probe = Probe(sign)
    return shown


def _is_traced(pid: int) -> bool:
    """Whether a debugger holds a process (proc(5), TracerPid)."""
    try:
        about = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return about.partition("TracerPid:")[2].split()[0] != "0"
